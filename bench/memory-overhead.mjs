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

const measure = (entries, keyLength) => {
  const tier = createMemoryTier({ maxBytes: Infinity, maxEntries: Infinity });
  const startedAt = performance.now();
  const before = heapUsed();
  // The item is a small integer: held in the slot itself. The clock is a real one, as numbers of 31 bits are cheaper.
  for (let index = 0; index < entries; index++)
    tier.set(makeKey(index, keyLength), 1, 0, 1.7e12 + 60_000 + index, 1.7e12);
  const held = heapUsed() - before;
  const overhead = held / entries - keyLength;
  console.log(
    `${String(entries).padStart(9)} entries, keys of ${String(keyLength).padStart(3)}: ${overhead.toFixed(1).padStart(6)} bytes an entry;` +
      ` tier counts ${(tier.bytes / held).toFixed(2)} of what is held (${(performance.now() - startedAt).toFixed(0)} ms)`,
  );
  return overhead;
};

console.log(`${process.version}, ENTRY_OVERHEAD_BYTES = ${ENTRY_OVERHEAD_BYTES}`);
// Just above and just below a doubling of the map's table: the most and the least that its share can be.
const overheads = [17_000, 32_000, 132_000, 260_000, 1_000_000].flatMap((entries) =>
  [16, 64].map((keyLength) => measure(entries, keyLength)),
);
console.log(`mean ${(overheads.reduce((sum, value) => sum + value) / overheads.length).toFixed(1)}`);
