// Run by Bun and by Deno, with the address of a server and its token in the environment: the store conformance suite over
// `fetch`; one line for each case that fails, then how many held.
import { defaultPlatform } from "../../../src/default-platform.ts";
import { upstashStore } from "../../../src/store/upstash.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";

const prefix = process.argv.at(-1);
let held = 0;
for (const [index, { name, run }] of storeConformance.entries()) {
  try {
    await run(async () => ({
      store: upstashStore({ prefix: `${prefix}${index}:` }),
      platform: defaultPlatform(),
      advance: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
      close: async () => undefined,
    }));
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}
console.log(`${held} of ${storeConformance.length} held`);
