// What the walk and the default codec cost beside plain JSON: node bench/codec.mjs
import { jsonCodec } from "../src/codec/json.ts";
import { adopt, give, hold } from "../src/codec/walk.ts";
import { sameValue } from "../src/testing/same-value.ts";

const rows = (extra) =>
  Array.from({ length: 200 }, (_, i) => ({
    id: i,
    name: `user name ${i}`,
    email: `user${i}@example.com`,
    active: i % 2 === 0,
    score: i * 1.5,
    tags: ["a", "b", "c"],
    address: { street: `Main ${i}`, city: "Berlin", zip: `1${i}` },
    ...extra(i),
  }));
const values = {
  "200 plain rows": rows(() => ({})),
  "a small plain object": { id: 1, name: "x", ok: true },
  "100 kB of text": { text: "lorem ipsum ".repeat(8500) },
  "200 rows with a Date each": rows((i) => ({ at: new Date(i) })),
};

/** The best of several rounds of about 50 ms, in microseconds a call. */
function cost(run) {
  let best = Infinity;
  let times = 1;
  for (let round = 0; round < 12;) {
    const start = performance.now();
    for (let i = 0; i < times; i++) run();
    const ms = performance.now() - start;
    if (ms < 25) times *= 2;
    else {
      best = Math.min(best, (ms * 1000) / times);
      round++;
    }
  }
  return best;
}

const codec = jsonCodec();
const encoder = new TextEncoder();
const decoder = new TextDecoder();
for (const [name, value] of Object.entries(values)) {
  const held = hold(value, "frozen");
  const bytes = codec.encode(held.value, held);
  if (!sameValue(codec.decode(bytes), value)) throw new Error(`${name}: came back different`);
  const json = encoder.encode(JSON.stringify(value));
  const stringify = cost(() => encoder.encode(JSON.stringify(value)));
  const parse = cost(() => JSON.parse(decoder.decode(json)));
  const lines = {
    "encode with the hint / stringify + UTF-8": [cost(() => codec.encode(held.value, held)), stringify],
    "encode without a hint / the same": [cost(() => codec.encode(value)), stringify],
    "hold frozen / stringify + UTF-8": [cost(() => hold(value, "frozen")), stringify],
    "decode / UTF-8 + parse": [cost(() => codec.decode(bytes)), parse],
    "decode and adopt / UTF-8 + parse": [cost(() => adopt(codec.decode(bytes), "frozen")), parse],
    "give / UTF-8 + parse": [cost(() => give(held)), parse],
  };
  console.log(`${name}: ${bytes.length} bytes, JSON ${json.length}`);
  for (const [what, [ours, plain]] of Object.entries(lines)) {
    console.log(`  ${what}: ${ours.toFixed(2)} / ${plain.toFixed(2)} us = ${(ours / plain).toFixed(2)}`);
  }
}
