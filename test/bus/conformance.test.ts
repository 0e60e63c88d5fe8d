// Every bus keeps the promises of the bus contract, in every runtime.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { busConformance } from "../../src/testing/bus-conformance.ts";
import { binary, runTool } from "../tooling/install.mjs";
import { buses } from "./buses.ts";

const cases = busConformance.filter(({ cuts }) => !cuts);

for (const [name, make] of Object.entries(buses)) {
  describe(name, () => {
    for (const { name, run } of cases) test(name, () => run(async () => make()));
  });
}

const runtimes = { bun: [], deno: ["run", "--no-lock", "--no-remote", "--node-modules-dir=manual", "-A"] };

for (const [name, args] of Object.entries(runtimes)) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  test.skipIf(reason)(`the buses of one process keep their promises in ${name}, which then ends${reason}`, async () => {
    const { output } = await runTool(program, [...args, "test/bus/conformance.mjs"], { env: { NO_COLOR: "1" } });
    const count = cases.length * Object.keys(buses).length;
    expect(output.trim()).toBe(`${count} of ${count} held`);
  });
}
