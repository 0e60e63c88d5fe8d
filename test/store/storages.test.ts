// Map storage and SQL storage give identical replies to any sequence of operations.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Write } from "../../src/store/contract.ts";
import { mapStorage } from "../../src/store/map-storage.ts";
import { createPartition } from "../../src/store/partition.ts";
import type { Partition } from "../../src/store/partition.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import { sqliteDatabase } from "../../src/store/sqlite-database.ts";
import { sqliteStorage } from "../../src/store/sqlite-storage.ts";
import { seededRandom, virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { nodeSqlite } from "./node-sqlite.ts";

const RUNS = 300;
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const HOUR = 3_600_000;
const keys = ["a", "b\u0000\u{1f600}", `it's "c"`] as const;
const tags = ["@", "@n", "t", "u\u0000", "\u{1f600}", "'v", "w"] as const;

const key = fc.constantFrom(...keys);
const token = fc.constantFrom("p", "q");
const someTags = fc.uniqueArray(fc.constantFrom(...tags), { maxLength: 3 });
const durationMs = fc.constantFrom(0, 100, 5_000, 5_000, Number.MAX_SAFE_INTEGER);
const labels = fc.record({
  ttlMs: durationMs,
  staleWhileRevalidateMs: durationMs,
  staleIfErrorMs: durationMs,
  tags: someTags,
  etag: fc.constantFrom("", '"x"'),
});
const entry = fc.tuple(labels, fc.constantFrom(0, 3, 900, 2_048, 2_049)).map(([meta, length]) => ({
  ...meta,
  bytes: Uint8Array.from({ length }, (_, index) => index + meta.tags.length),
}));
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, entry }),
  fc.record({ kind: fc.constantFrom("delete" as const, "expire" as const), key }),
  fc.record({ kind: fc.constantFrom("tags" as const, "expireTags" as const), tags: someTags }),
);
const op = fc.oneof(
  {
    arbitrary: fc.record({ op: fc.constant("read" as const), key, token, waitMs: fc.constantFrom(0, 100) }),
    weight: 6,
  },
  { arbitrary: fc.record({ op: fc.constant("peek" as const), key }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("commit" as const), key, token, entry, keep: fc.nat(3) }), weight: 5 },
  { arbitrary: fc.record({ op: fc.constant("renew" as const), key, token }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("release" as const), key, token, backoffMs: durationMs }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("write" as const), write, nonce: fc.nat(60) }), weight: 4 },
  { arbitrary: fc.record({ op: fc.constant("changes" as const), back: fc.nat(8) }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("prune" as const) }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("pass" as const), ms: fc.constantFrom(10, 60, 400, HOUR) }), weight: 3 },
  { arbitrary: fc.record({ op: fc.constant("jump" as const), ms: fc.constantFrom(-HOUR, -50, 50, HOUR) }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("rollback" as const), really: fc.nat(5) }), weight: 1 },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/**
 * Runs the operations on a storage, or by turns on several that are one, and writes down every reply in the order it came.
 * Reads are held only if `holding`: by a partition that is not told of what another one did, they are held for longer.
 */
async function replies(storages: readonly PartitionStorage[], ops: readonly Op[], holding = true): Promise<unknown[]> {
  const platform = virtualPlatform({ settle: () => new Promise((resolve) => setImmediate(resolve)) });
  const limits = { maxBytes: 5_500, maxEntries: 2, maxTags: 3, maxLogRecords: 6, maxWaiters: 2 };
  const options = { platform: { ...platform, random: seededRandom(5) }, limits };
  const partitions = storages.map((storage) => createPartition({ storage, ...options }));
  const log: unknown[] = [];
  const tell = (index: number) => (reply: unknown) => void log.push([index, reply]);
  const granted = new Map<string, { epoch: string; version: number }>();
  let stored = "";
  for (const [index, it] of ops.entries()) {
    const partition: Partition = partitions[index % partitions.length]!; // one at least
    const info = partition.info();
    const witness = { epoch: info.epoch, seq: info.seq, tip: info.tip };
    if (it.op === "read") {
      const lease = { token: it.token, leaseMs: 80, scopes: ["@"] };
      void partition.read({ key: it.key, lease, waitMs: holding ? it.waitMs : 0, witness }, {}).then((reply) => {
        tell(index)(reply);
        if (reply.lease) granted.set(it.key + it.token, { epoch: reply.epoch, version: reply.lease.version });
        if (reply.entry) stored = reply.entry.id;
      });
    } else if (it.op === "peek") void partition.read({ key: it.key, waitMs: 0, hold: stored }, {}).then(tell(index));
    else if (it.op === "commit") {
      const { bytes: _, ...meta } = it.entry;
      const body = it.keep === 0 ? { ...meta, keep: stored } : it.entry;
      const lease = granted.get(it.key + it.token) ?? { epoch: "", version: 0 };
      tell(index)(partition.commit({ key: it.key, token: it.token, ...lease, entry: body }));
    } else if (it.op === "renew") tell(index)(partition.renew({ ...it, leaseMs: 120 }));
    else if (it.op === "release") tell(index)(partition.release(it));
    else if (it.op === "write") tell(index)(partition.write({ write: it.write, nonce: `n${it.nonce}`, witness }));
    else if (it.op === "changes") {
      const seq = Math.max(0, info.seq - it.back);
      const tip = seq === info.seq ? info.tip : "n1";
      tell(index)(partition.changesSince({ since: { epoch: info.epoch, seq, tip } }));
    } else if (it.op === "prune") tell(index)(partition.prune(100));
    else if (it.op === "pass") await platform.advance(it.ms);
    else if (it.op === "jump") platform.jump(it.ms);
    else if (it.really === 0) tell(index)(partition.changesSince({ since: { ...witness, seq: witness.seq + 1 } }));
    await platform.advance(0);
    tell(index)(partition.info());
  }
  await platform.advance(1_000);
  expect(platform.timers).toBe(0);
  return log;
}

test(`any sequence of operations gets the same replies from map storage and SQL storage (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 20, maxLength: 120, size: "max" }), async (ops) => {
      const sqlite = nodeSqlite();
      const expected = await replies([mapStorage()], ops);
      expect(await replies([sqlStorage(sqlite)], ops)).toEqual(expected);
      const shared = (name: string): PartitionStorage => sqliteStorage(sqliteDatabase(sqlite.raw, name), "normal");
      expect(await replies([shared("one")], ops)).toEqual(expected);
      // As three processes have it: nothing may depend on who asks.
      const three = [shared("three"), shared("three"), shared("three")];
      expect(await replies(three, ops, false)).toEqual(await replies([mapStorage()], ops, false));
      sqlite.raw.close();
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
