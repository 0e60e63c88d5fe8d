// What a hit in the memory tier costs beside a bare Map.get: 1,000 keys, interleaved rounds in one process, medians.
// Node runs the sources as they are: node bench/memory-hit.mjs
import { createMemoryTier } from "../src/memory/tier.ts";

const KEYS = 1_000;
const ROUNDS = 61;
const PASSES = 200; // over all keys, per round

const keys = Array.from({ length: KEYS }, (_, index) => `product:${index}:details`);
const items = keys.map((key, index) => ({ key, index }));
const map = new Map(keys.map((key, index) => [key, items[index]]));
const tier = createMemoryTier({ maxBytes: 64 * 2 ** 20, maxEntries: 10_000 });
keys.forEach((key, index) => tier.set(key, items[index], 100, 60_000, 0));
// A fixed shuffle: in insertion order an LRU hit would always find the oldest slot.
const order = keys.map((_, index) => keys[(index * 7919) % KEYS]);

const candidates = {
  "Map.get": (key) => map.get(key).index,
  "tier.get": (key) => tier.get(key).item.index,
  "tier.peek": (key) => tier.peek(key).item.index,
};
const onePass = Object.fromEntries(
  // new Function: a loop of its own for each, so that none is measured through a call site shared with the others
  Object.entries(candidates).map(([name, read]) => [
    name,
    new Function(
      "read",
      "order",
      "return () => { let sum = 0; for (const key of order) sum += read(key); return sum; }",
    )(read, order),
  ]),
);
onePass["tier.get, one key"] = () => {
  let sum = 0;
  for (let count = 0; count < KEYS; count++) sum += tier.get(keys[0]).item.index;
  return sum;
};

const expected = (KEYS * (KEYS - 1)) / 2;
for (const name of Object.keys(candidates)) {
  if (onePass[name]() !== expected) throw new Error(`${name} returned wrong values`);
}
const samples = Object.fromEntries(Object.keys(onePass).map((name) => [name, []]));
for (let round = -5; round < ROUNDS; round++) {
  for (const [name, pass] of Object.entries(onePass)) {
    const startedAt = performance.now();
    for (let count = 0; count < PASSES; count++) pass();
    if (round >= 0) samples[name].push(((performance.now() - startedAt) * 1e6) / (PASSES * KEYS));
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const baseline = median(samples["Map.get"]);
console.log(`${process.version}, ${KEYS} keys, ${ROUNDS} rounds of ${PASSES * KEYS} reads`);
for (const [name, values] of Object.entries(samples)) {
  console.log(
    `${name.padEnd(20)}${median(values).toFixed(1).padStart(7)} ns ${(median(values) / baseline).toFixed(2).padStart(6)} x Map.get`,
  );
}
