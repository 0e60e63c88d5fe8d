// Run by Bun and by Deno with the address of a hub: the bus conformance suite but for cuts; one line for each case that fails,
// then how many held.
import { sseBus } from "../../../src/bus/sse.ts";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { busConformance } from "../../../src/testing/bus-conformance.ts";

const url = process.argv.at(-1);
const cases = busConformance.filter(({ cuts }) => !cuts);
let held = 0;
for (const { name, run } of cases) {
  try {
    await run(async () => ({
      bus: (options) => sseBus(url, { token: "the-token-of-this-hub", ...options }),
      platform: defaultPlatform(),
      advance: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
      close: async () => undefined,
    }));
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}
console.log(`${held} of ${cases.length} held`);
