// Run by Bun and by Deno: every codec, and each compression that the runtime has; a line for each case that fails, then how many held.
import { compress } from "../../src/codec/compress.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { codecs, padded } from "./codecs.ts";

const has = (format) => {
  try {
    return Boolean(new CompressionStream(format));
  } catch {
    return false;
  }
};
const formats = ["gzip", "deflate-raw", "brotli", "zstd"].filter(has);
const all = [
  ...Object.entries(codecs).map(([name, make]) => [name, make()]),
  ...formats.map((format) => [format, compress(padded(jsonCodec()), { format, thresholdBytes: 0 })]),
];
let held = 0;
for (const [codec, subject] of all) {
  for (const { name, run } of codecConformance) {
    try {
      await run(subject);
      held++;
    } catch (error) {
      console.log(`FAILED: ${codec}: ${name}: ${error}`);
    }
  }
}
// What was written is really compressed, by the method that was asked for.
for (const format of formats) {
  const value = "isocache ".repeat(10_000);
  const codec = compress(jsonCodec(), { format });
  const bytes = await codec.encode(value);
  if (bytes.length > 5_000 || (await codec.decode(bytes)) !== value)
    console.log(`FAILED: ${format} of ${bytes.length} bytes`);
}
console.log(`${held} of ${all.length * codecConformance.length} held, with ${formats.join(", ")}`);
