// Schedules that once violated a promise, shrunk, each with the change that brings the fault back.
import { plainPlan } from "./plain.ts";
import type { Plan } from "./plan.ts";
import type { Edit } from "./subject.ts";

export interface Case {
  /** What went wrong. */
  readonly name: string;
  readonly plan: Plan;
  /** Undoes the fix. */
  readonly undo: readonly Edit[];
}

export const cases: readonly Case[] = [
  {
    // Reads of the key waited for the first attempt of a write whose request was gone, each of them, for ever.
    name: "a write that was cancelled bars its key",
    plan: plainPlan({
      seed: 1_900,
      maxStalenessMs: 0,
      instances: [{}, {}],
      ops: [
        { id: 1, at: 42, instance: 1, kind: "expire", cancelAfter: 1 },
        { id: 2, at: 85, instance: 1, kind: "getEntry" },
        { id: 20, at: 88, instance: 0, kind: "set" },
      ],
    }),
    undo: [{ file: "engine/read.ts", from: "    own.attempted = true;\n", to: "" }],
  },
  {
    // The lease token of a dead flight had become the id of an entry; who took over the flight stored another under it.
    name: "two entries have one id",
    plan: plainPlan({
      seed: 8_009,
      spanMs: 600,
      storeTimeoutMs: 300,
      instances: [{}, {}, {}],
      network: { delay: [5, 40] },
      ops: [
        {
          id: 0,
          at: 175,
          instance: 2,
          kind: "getOrSet",
          cancelAfter: 105,
          entry: { staleIfError: 5_000 },
          loader: { ms: 21, ttl: 50 },
        },
        { id: 12, at: 388, instance: 2, kind: "getOrSet" },
        { id: 4, at: 397, instance: 0, kind: "has" },
      ],
    }),
    undo: [{ file: "engine/load.ts", from: "  if (flight.spent) return undefined;\n  flight.spent = true;\n", to: "" }],
  },
  {
    // A sync dropped the known records, an own invalidation among them, while a read begun after that was under way.
    name: "an own invalidation is forgotten by a drop",
    plan: plainPlan({
      seed: 22_104,
      spanMs: 600,
      storeTimeoutMs: 1_000,
      instances: [{}, {}],
      network: { slow: 0.3, slowDelay: [30, 500] },
      limits: { maxLogRecords: 1 },
      ops: [
        { id: 5, at: 94, instance: 1, kind: "set", entry: { tags: ["t"] } },
        { id: 1, at: 137, instance: 1, kind: "invalidateTags", entry: { tags: ["t"] } },
        { id: 8, at: 137, instance: 1, kind: "getOrSet" },
        { id: 6, at: 139, instance: 0, kind: "expire" },
        { id: 14, at: 414, instance: 1, kind: "set" },
        { id: 12, at: 480, instance: 1, kind: "getEntry" },
      ],
    }),
    undo: [
      {
        file: "engine/join.ts",
        from: "sameEpoch ? copy.seq < view.coveredFrom : joined",
        to: "sameEpoch ? false : joined",
      },
    ],
  },
  {
    // A retry was refused as too late and sent once more, although a later set had been acknowledged in between.
    name: "a write is sent again after a later one",
    plan: plainPlan({
      seed: 70_260,
      maxStalenessMs: 0,
      storeTimeoutMs: 1_000,
      leaseMs: 10_000,
      instances: [{}, {}],
      network: { delay: [0, 2], errorBefore: 0.05 },
      faults: [{ at: 135, kind: "suspend", instance: 1, ms: 1_843, key: "k" }],
      ops: [
        { id: 22, at: 92, instance: 1, path: ["n"], kind: "set" },
        { id: 19, at: 133, instance: 1, kind: "set" },
        { id: 2, at: 147, instance: 1, path: ["n"], kind: "set" },
      ],
    }),
    undo: [
      {
        file: "engine/write.ts",
        from: "!answered.reply.record && view.pending.includes(pending)",
        to: "!answered.reply.record",
      },
    ],
  },
  {
    // Another request had asked the log and was cancelled; its silence was taken for a store out of reach.
    name: "a cancelled question to the log makes others serve what is stale",
    plan: plainPlan({
      seed: 96_407,
      spanMs: 8_000,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 300,
      leaseMs: 200,
      instances: [{}, {}],
      network: { slow: 0.3, slowDelay: [150, 600] },
      ops: [
        { id: 10, at: 441, instance: 0, kind: "set", entry: { staleWhileRevalidate: 5_000 } },
        { id: 13, at: 672, instance: 1, kind: "set" },
        { id: 1, at: 2_661, instance: 0, kind: "getOrSet", cancelAfter: 72 },
        { id: 7, at: 2_859, instance: 0, kind: "getEntry" },
      ],
    }),
    undo: [{ file: "engine/sync.ts", from: "if (running.done) return;", to: "return;" }],
  },
  {
    // An acknowledgement of unknown order had made the epoch be forgotten; a late answer brought an older one back.
    name: "an epoch that was forgotten comes back",
    plan: plainPlan({
      seed: 324_325,
      spanMs: 600,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 1_000,
      leaseMs: 2_000,
      instances: [{}, {}],
      network: { slow: 0.1, slowDelay: [30, 500] },
      faults: [{ at: 486, kind: "restartEmpty", instance: 0, ms: 0, key: "k" }],
      ops: [
        { id: 10, at: 235, instance: 1, kind: "delete" },
        { id: 17, at: 354, instance: 1, kind: "set", entry: { tags: ["u"] } },
        { id: 14, at: 406, instance: 1, kind: "expireTags", key: "l", entry: { tags: ["u"] } },
        { id: 9, at: 479, instance: 1, kind: "getOrSet" },
      ],
    }),
    undo: [
      {
        file: "engine/view.ts",
        from: "if (sentTick < view.epochTick) return false;",
        to: "if (view.epoch !== undefined && sentTick < view.epochTick) return false;",
      },
    ],
  },
  {
    // A tag was expired twice during a load; of the two only the second is known, and the joiner began between them.
    name: "a joiner gets as fresh what was expired before it began",
    plan: plainPlan({
      seed: 1_084_022,
      spanMs: 600,
      maxStalenessMs: 0,
      storeTimeoutMs: 1_000,
      leaseMs: 2_000,
      instances: [{}, {}],
      ops: [
        {
          id: 0,
          at: 60,
          instance: 0,
          kind: "getOrSet",
          entry: { tags: ["u"], staleIfError: 5_000 },
          loader: { ms: 1_051 },
        },
        { id: 6, at: 167, instance: 1, kind: "expireTags", entry: { tags: ["u"] } },
        { id: 4, at: 178, instance: 0, kind: "getOrSet" },
        { id: 1, at: 555, instance: 1, kind: "expireTags", entry: { tags: ["u"] } },
      ],
    }),
    undo: [{ file: "engine/join.ts", from: "Math.max(reader.startedAt, copy.provedAt)", to: "reader.startedAt" }],
  },
];
