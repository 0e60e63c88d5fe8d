// The build: one ES module per entry of package.json's `exports`, what they share in chunks, and types for each.
import { defineConfig } from "tsup";
import { existingEntryPoints } from "./test/tooling/entries.mjs";

export default defineConfig({
  entry: existingEntryPoints(),
  format: "esm",
  target: "es2022",
  platform: "neutral",
  splitting: true, // a class in two entries would be two classes
  treeshake: false, // esbuild does; a second pass only moves code between chunks
  external: [/^cloudflare:/, /^msgpackr/],
  tsconfig: "tsconfig.workers.json",
  dts: true,
});
