// Frames and signatures in the runtimes beside Node: instances on different ones must understand each other.
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { binary, runTool } from "../tooling/install.mjs";
import { vectors } from "./vectors.ts";

const runtimes = [
  { name: "bun", args: [] },
  { name: "deno", args: ["run", "--no-lock", "--no-remote", "--node-modules-dir=manual", "-A"] },
];

for (const { name, args } of runtimes) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  it.skipIf(reason)(`frames and signatures are the same bytes in ${name}${reason}`, async () => {
    const { output } = await runTool(program, [...args, "test/bus/other-runtimes.mjs"], { env: { NO_COLOR: "1" } });
    expect(output.trim()).toBe(`${vectors.length} of ${vectors.length} held`);
  });
}
