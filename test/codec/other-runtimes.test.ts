// The codecs in the runtimes beside Node and workerd: their streams and their cryptography are others.
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { binary, runTool } from "../tooling/install.mjs";
import { codecs } from "./codecs.ts";

const runtimes = [
  { name: "bun", args: [], formats: ["gzip", "deflate-raw", "brotli", "zstd"] },
  {
    name: "deno",
    args: ["run", "--no-lock", "--no-remote", "--node-modules-dir=manual", "-A"],
    formats: ["gzip", "deflate-raw", "brotli"],
  },
];

for (const { name, args, formats } of runtimes) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  it.skipIf(reason)(`every codec keeps its promises in ${name}, with ${formats.join(", ")}${reason}`, async () => {
    const { output } = await runTool(program, [...args, "test/codec/other-runtimes.mjs"], { env: { NO_COLOR: "1" } });
    const cases = (Object.keys(codecs).length + formats.length) * codecConformance.length;
    expect(output.trim()).toBe(`${cases} of ${cases} held, with ${formats.join(", ")}`);
  });
}
