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
        { id: 1, at: 42, instance: 1, kind: "expire", cancel: { in: "request", afterMs: 1 } },
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
          cancel: { in: "request", afterMs: 105 },
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
        from: "isCovered ? copy.seq < view.coveredFrom :",
        to: "isCovered ? false :",
      },
    ],
  },
  {
    // A retry was refused as too late and sent once more, although a later write had been acknowledged in between.
    name: "a write is sent again after a later one",
    plan: plainPlan({
      seed: 1_525,
      spanMs: 600,
      leaseMs: 200,
      instances: [{}],
      network: { slow: 0.1, slowDelay: [50, 200] },
      limits: { maxLogRecords: 1 },
      ops: [
        { id: 22, at: 356, instance: 0, kind: "delete" },
        { id: 19, at: 478, instance: 0, kind: "expireTags", entry: { tags: ["u"] } },
        { id: 4, at: 483, instance: 0, kind: "delete", burnMs: 51 },
      ],
    }),
    undo: [
      {
        file: "engine/write.ts",
        from: "!answered.reply.record && view.pending.has(pending)",
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
        { id: 1, at: 2_661, instance: 0, kind: "getOrSet", cancel: { in: "request", afterMs: 72 } },
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
  {
    // An instance told the store what it had applied, not what it had seen: its own write, ahead of a record that it had
    // missed. The replica had neither, took the same numbers for others, and nobody noticed.
    name: "a fail-over loses a write that its author could have told of",
    plan: plainPlan({
      seed: 1_197,
      spanMs: 600,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 300,
      leaseMs: 10_000,
      instances: [{}, {}],
      faults: [{ at: 599, kind: "failOver", instance: 1, ms: 404, key: "k" }],
      ops: [
        { id: 17, at: 183, instance: 1, kind: "getEntry" },
        { id: 2, at: 188, instance: 0, kind: "set" },
        { id: 15, at: 336, instance: 1, kind: "set" },
      ],
    }),
    undo: [
      {
        file: "engine/call.ts",
        from: "const { epoch, newest: seq, newestTip: tip } = view;",
        to: "const { epoch, applied: seq, tip } = view;",
      },
    ],
  },
  {
    // The store had begun a new epoch, and a fail-over brought the old one back, with all that the new one had made void.
    // Epochs have no order: neither the store nor the instance could tell.
    name: "an epoch comes back from a snapshot",
    plan: plainPlan({
      seed: 27,
      spanMs: 2_500,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 1_000,
      leaseMs: 2_000,
      failureBackoffMs: 1_000,
      instances: [{}],
      network: { errorAfter: 0.05 },
      faults: [
        { at: 1_000, kind: "loseMeta", instance: 0, ms: 0, key: "k" },
        { at: 1_750, kind: "failOver", instance: 0, ms: 1_250, key: "k" },
      ],
      ops: [
        { id: 5, at: 225, instance: 0, kind: "set" },
        { id: 23, at: 1_633, instance: 0, kind: "expire" },
      ],
    }),
    undo: [{ file: "store/partition.ts", from: "return !epochs.includes(seen.epoch);", to: "return false;" }],
  },
  {
    // Others had told the connection that the store has two partitions; a read that had begun before went on with one.
    name: "a request goes where its key was before the partitions changed",
    plan: plainPlan({
      seed: 7,
      store: "object",
      spanMs: 2_500,
      maxStalenessMs: 400,
      leaseMs: 10_000,
      instances: [{}, { partitions: 2 }],
      network: { slow: 0.1, slowDelay: [50, 200] },
      ops: [
        { id: 9, at: 1_667, instance: 0, kind: "getOrSet" },
        { id: 6, at: 1_690, instance: 1, kind: "getEntry" },
      ],
    }),
    undo: [
      {
        file: "engine/call.ts",
        from: "  if (engine.store!.partitions !== engine.views.length) repartition(engine);\n  if (engine.views[view.index] !== view) throw new StartOver();\n",
        to: "",
      },
    ],
  },
  {
    // A write that started over in another partition was taken for a later one than what had been asked for after it.
    name: "a write that starts over loses its place in the order",
    plan: plainPlan({
      seed: 82,
      store: "object",
      maxStalenessMs: 0,
      storeTimeoutMs: 300,
      leaseMs: 200,
      failureBackoffMs: 1_000,
      instances: [{}, { partitions: 3 }],
      ops: [
        { id: 2, at: 2, instance: 1, kind: "delete", burnMs: 93 },
        { id: 0, at: 18, instance: 0, kind: "getOrSet" },
        { id: 15, at: 59, instance: 1, kind: "getEntry" },
      ],
    }),
    undo: [
      {
        file: "engine/write.ts",
        from: "return await writeTo(engine, viewOf(engine, write.key), request, asked, again);",
        to: "return await writeTo(engine, viewOf(engine, write.key), request, { ...asked, tick: ++engine.tick }, again);",
      },
    ],
  },
  {
    // It started over, failed, and was retried, although a later set had been acknowledged where both belong now.
    name: "a write that starts over is retried after a later one",
    plan: plainPlan({
      seed: 1_516,
      store: "object",
      spanMs: 2_500,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 1_000,
      leaseMs: 2_000,
      instances: [{}, { partitions: 2 }],
      network: { slow: 0.4, slowDelay: [30, 500], errorBefore: 0.15 },
      ops: [
        { id: 3, at: 21, instance: 1, kind: "getOrSet" },
        { id: 14, at: 37, instance: 0, kind: "set" },
        { id: 16, at: 44, instance: 0, kind: "invalidateTags", entry: { tags: ["t"] } },
        { id: 13, at: 315, instance: 0, kind: "set" },
      ],
    }),
    undo: [
      {
        file: "engine/write.ts",
        from: "if (view.pending.delete(asked.nonce) || !again) view.pending.add(pending);",
        to: "view.pending.delete(asked.nonce); view.pending.add(pending);",
      },
    ],
  },
  {
    // Only writes that had failed before moved to the new partitions; one that failed afterwards was in doubt nowhere.
    name: "a write under way is forgotten when the partitions change",
    plan: plainPlan({
      seed: 12,
      store: "object",
      maxStalenessMs: 2_000,
      storeTimeoutMs: 1_000,
      leaseMs: 200,
      instances: [{}, { partitions: 3 }],
      network: { slow: 0.3, errorBefore: 0.15 },
      ops: [
        { id: 16, at: 65, instance: 1, kind: "delete" },
        { id: 7, at: 67, instance: 0, kind: "clear" },
      ],
    }),
    undo: [
      {
        file: "engine/call.ts",
        from: "before.flatMap((view) => view.pending.all())",
        to: "before.flatMap((view) => view.pending.all().filter(({ attempted }) => attempted))",
      },
    ],
  },
  {
    // The acknowledgement of the delete could not be ordered against the epoch learnt meanwhile, so all was forgotten; and
    // a load begun when no epoch was known passed for one of the present, of which none was known either.
    name: "a joiner gets what was loaded before its own delete, when no epoch is known",
    plan: plainPlan({
      seed: 512_093,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 1_000,
      leaseMs: 10_000,
      instances: [{}, {}],
      network: { slow: 0.4, slowDelay: [30, 500], errorBefore: 0.15 },
      faults: [{ at: 54, kind: "restart", instance: 0, ms: 1_889, key: "k" }],
      ops: [
        { id: 4, at: 46, instance: 0, kind: "delete" },
        { id: 26, at: 52, instance: 1, kind: "getOrSet", loader: { ms: 768 } },
        { id: 2, at: 58, instance: 1, kind: "set" },
        { id: 9, at: 109, instance: 0, kind: "getOrSet" },
        { id: 22, at: 144, instance: 1, kind: "delete" },
        { id: 12, at: 150, instance: 1, kind: "getOrSet" },
      ],
    }),
    undo: [
      {
        file: "engine/join.ts",
        from: "const isCovered = sameEpoch && view.epoch !== undefined;",
        to: "const isCovered = sameEpoch;",
      },
    ],
  },
  {
    // A set that was still being encoded was in doubt in the new partitions at once, and its key was deleted: the set found
    // its own nonce there, took that for its work, and resolved with nothing stored.
    name: "a set under way is retried when the partitions change",
    plan: plainPlan({
      seed: 54,
      store: "object",
      spanMs: 8_000,
      maxStalenessMs: 2_000,
      storeTimeoutMs: 300,
      leaseMs: 2_000,
      failureBackoffMs: 1_000,
      encodeMs: 450,
      instances: [{}, { partitions: 2 }],
      ops: [
        { id: 12, at: 710, instance: 0, kind: "set" },
        { id: 11, at: 1_268, instance: 1, kind: "getEntry" },
        { id: 1, at: 1_269, instance: 1, kind: "set" },
      ],
    }),
    undo: [
      {
        file: "engine/call.ts",
        from: "view.pending.add(Object.create(pending) as Pending);",
        to: "view.pending.add({ ...pending, attempted: true });",
      },
    ],
  },
  {
    // A strict read had failed with the store, and so did another that had joined it and needs no store.
    name: "a read of memory alone fails with the store",
    plan: plainPlan({
      seed: 137,
      spanMs: 600,
      maxStalenessMs: 150,
      storeTimeoutMs: 300,
      leaseMs: 2_000,
      instances: [{ strict: true }],
      network: { slow: 0.3, slowDelay: [150, 600] },
      ops: [
        { id: 16, at: 297, instance: 0, kind: "getOrSet" },
        { id: 15, at: 319, instance: 0, kind: "getOrSet", entry: { store: false } },
      ],
    }),
    undo: [
      {
        file: "engine/read.ts",
        from: "if (flight === running && flight.error instanceof",
        to: "if (false && flight.error instanceof",
      },
    ],
  },
  {
    // Nobody had announced the question of a caller that left: its request ended, and its timer was kept.
    name: "a caller that leaves leaves its timers",
    plan: plainPlan({
      seed: 32,
      spanMs: 600,
      storeTimeoutMs: 300,
      failureBackoffMs: 1_000,
      encodeMs: 10,
      instances: [{ worker: true }],
      network: { slow: 0.3 },
      ops: [{ id: 1, at: 147, instance: 0, kind: "getEntry", leavesAfterMs: 21 }],
    }),
    undo: [{ file: "engine/patience.ts", from: "      request.waitUntil(work.catch(() => undefined));\n", to: "" }],
  },
  {
    // At its soft time-out the reader waited for a load that had nothing stale to serve. What that brought came too late
    // for it; it began a load of its own, with something stale, and nobody looked again.
    name: "a soft time-out is forgotten when a flight is of no use",
    plan: plainPlan({
      seed: 1_778,
      spanMs: 2_500,
      maxStalenessMs: 400,
      network: { slow: 0.1 },
      ops: [
        {
          id: 0,
          at: 2_191,
          instance: 0,
          path: ["n", "m"],
          kind: "getOrSet",
          key: "l",
          entry: { ttl: 30, staleIfError: 300 },
          loader: { ms: 127 },
        },
        {
          id: 1,
          at: 2_384,
          instance: 0,
          path: ["n", "m"],
          kind: "getOrSet",
          key: "l",
          entry: { softTimeout: 10 },
          loader: { ms: 715 },
        },
      ],
      instances: [{}],
    }),
    undo: [
      {
        file: "engine/patience.ts",
        from: "else arm(LOOK_MS, soft);",
        to: "else if (!engine.flights.get(reader.key)) arm(LOOK_MS, soft);",
      },
    ],
  },
  {
    // The store had failed the one who led. Another, much later, had only begun to ask it, and was served what it had not
    // heard of being replaced, as if the store were out of its reach, too.
    name: "a soft time-out serves what is not proved, since another found the store out of reach",
    plan: plainPlan({
      seed: 709_785,
      spanMs: 8_000,
      maxStalenessMs: 400,
      leaseMs: 2_000,
      encodeMs: 10,
      instances: [{}, {}],
      network: { errorAfter: 0.15 },
      ops: [
        { id: 12, at: 1_773, instance: 0, kind: "set", key: "l", entry: { staleIfError: 5_000 } },
        { id: 15, at: 2_407, instance: 0, kind: "getOrSet", key: "l", loader: { ms: 2_210 } },
        { id: 18, at: 3_277, instance: 1, kind: "set", key: "l" },
        { id: 0, at: 4_608, instance: 0, kind: "getOrSet", key: "l", entry: { softTimeout: 0 } },
      ],
    }),
    undo: [{ file: "engine/patience.ts", from: "!(flight.isOutage && reader.isUnproved)", to: "!flight.isOutage" }],
  },
  {
    // A Redis of one partition, and one who believes in two. While a read heard that there is one, a set was on its way to the
    // second: which was made for it, and there it was acknowledged.
    name: "a set is done in a partition that there is not",
    plan: plainPlan({
      seed: 662,
      store: "redis",
      spanMs: 600,
      encodeMs: 10,
      instances: [{}, {}, { partitions: 2 }],
      ops: [
        { id: 5, at: 81, instance: 1, kind: "set" },
        { id: 0, at: 101, instance: 2, kind: "getOrSet" },
        { id: 4, at: 104, instance: 2, kind: "set" },
      ],
    }),
    undo: [{ file: "store/redis/connection.ts", from: "`${believed}\\n${known}`", to: "`${count}\\n${known}`" }],
  },
  {
    // It looked shortly before its wait was over, was answered shortly after, and looked once more, for which nobody waited: to
    // the engine the store had failed, and the breaker opened.
    name: "one who waits is answered too late, although the store answers in time",
    plan: plainPlan({
      seed: 18,
      store: "redis",
      spanMs: 8_000,
      maxStalenessMs: 2_000,
      leaseMs: 200,
      encodeMs: 150,
      breaker: { failures: 1, cooldown: 30 },
      instances: [{}, {}, {}, {}, {}],
      network: { delay: [5, 40] },
      ops: [
        {
          id: 2,
          at: 3_603,
          instance: 2,
          kind: "setMany",
          items: [{ key: "m" }, { key: "l" }, { key: "k" }],
          entry: { ttl: 0 },
        },
      ],
    }),
    undo: [
      {
        file: "store/redis/waiting.ts",
        from: "const reply = await read(partition, request, call);",
        to: "const wasOver = platform.monotonic() >= untilMs; const reply = await read(partition, request, call);",
      },
      {
        file: "store/redis/waiting.ts",
        from: "if (platform.monotonic() >= untilMs || --left",
        to: "if (wasOver || --left",
      },
    ],
  },
];
