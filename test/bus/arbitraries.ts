// Random bus messages, and the seed that makes them.
import fc from "fast-check";
import type { BusMessage, HeartbeatMessage, RecordsMessage } from "../../src/bus/contract.ts";

/** Printed in the titles of the tests that use it; SEED=... draws the same again. */
export const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Well-formed texts, those that pack and those that do not. */
export const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(..."az09.:-/"), maxLength: 30 }),
  fc.constantFrom("", "\0", "\n", "\ufeff", "__proto__", "😀"),
);

const tag = fc.oneof(
  text,
  text.map((name) => `@${name}`),
);
const some = fc.record({ seq: fc.maxSafeNat(), nonce: text, expire: fc.boolean(), agoMs: fc.maxSafeNat() });
const covers = fc.oneof(fc.record({ key: text }), fc.record({ tags: fc.array(tag, { maxLength: 8 }) }));

/** A record of any kind. */
export const record = fc.tuple(some, covers).map(([base, cover]) => ({ ...base, ...cover }));

const place = fc
  .integer({ min: 1, max: 1_024 })
  .chain((partitions) => fc.record({ partitions: fc.constant(partitions), partition: fc.nat(partitions - 1) }));

/** Records of any partition, in an epoch or without a store. */
export const recordsMessage: fc.Arbitrary<RecordsMessage> = fc
  .tuple(place, text, fc.array(record, { minLength: 1, maxLength: 6 }))
  .map(([where, epoch, records]) => ({ kind: "records", ...where, epoch, records }));

/** A heartbeat, of no partitions too. */
export const heartbeat: fc.Arbitrary<HeartbeatMessage> = fc.integer({ min: 1, max: 1_024 }).chain((partitions) =>
  fc.record({
    kind: fc.constant("heartbeat" as const),
    partitions: fc.constant(partitions),
    positions: fc.array(
      fc.record({ partition: fc.nat(partitions - 1), epoch: text, seq: fc.maxSafeNat(), tip: text }),
      { maxLength: 6 },
    ),
  }),
);

export const message: fc.Arbitrary<BusMessage> = fc.oneof(recordsMessage, heartbeat);
