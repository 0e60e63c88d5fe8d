// What an entry of the memory tier really holds beside key characters and item: the measure of ENTRY_OVERHEAD_BYTES.
// node --expose-gc bench/memory-overhead.mjs
import v8 from "node:v8";
import { createMemoryTier, ENTRY_OVERHEAD_BYTES } from "../src/memory/tier.ts";

if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
const heapUsed = () => {
  gc();
  gc();
  return v8.getHeapStatistics().used_heap_size;
};
// Flat, one byte a character; made from bytes, because a concatenation holds its parts until it is read.
const makeKey = (index, length) => Buffer.from(String(index).padStart(length, "k")).toString("latin1");

const fill = (entries, keyLength) => {
  const tier = createMemoryTier({ maxBytes: Infinity, maxEntries: Infinity });
  // The item is a small integer: held in the slot itself. The clock is a real one, as numbers of 31 bits are cheaper.
  for (let index = 0; index < entries; index++) {
    tier.set(makeKey(index, keyLength), 1, 0, 1.7e12 + 60_000 + index, 1.7e12);
  }
  return tier;
};

/** Every tier stays alive to the end: one that is freed during the next measurement would be subtracted from it. */
const tiers = [];
const measure = (entries, keyLength) => {
  const startedAt = performance.now();
  const before = heapUsed();
  const tier = fill(entries, keyLength);
  const held = heapUsed() - before;
  tiers.push(tier);
  const overhead = held / entries - keyLength;
  console.log(
    `${String(entries).padStart(9)} entries, keys of ${keyLength}: ${overhead.toFixed(1)} bytes an entry;` +
      ` the tier counts ${(tier.bytes / held).toFixed(2)} of what is held (${(performance.now() - startedAt).toFixed(0)} ms)`,
  );
  return overhead;
};

console.log(`${process.version}, ENTRY_OVERHEAD_BYTES = ${ENTRY_OVERHEAD_BYTES}`);
// Just above and just below a doubling of the map's table: the most and the least that its share can be.
const overheads = [];
for (const entries of [17_000, 32_000, 132_000, 260_000, 1_000_000]) {
  for (const keyLength of [16, 64]) overheads.push(measure(entries, keyLength));
}
overheads.sort((a, b) => a - b);
console.log(`median ${overheads[overheads.length >> 1].toFixed(1)}, most ${overheads.at(-1).toFixed(1)}`);
