// Redis and the reference partition give identical replies to any sequence of operations, at the same instants.
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import type { BatchItem, Moved, Position, Stamp, StoreConnection, Write } from "../../../src/store/contract.ts";
import { mapStorage } from "../../../src/store/map-storage.ts";
import { createPartition } from "../../../src/store/partition.ts";
import type { Partition } from "../../../src/store/partition.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { freshPrefix } from "./clients.ts";
import { sharedRedis, whyNoRedis } from "./servers.ts";

const RUNS = Number(process.env["RUNS"] ?? 100);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const LIMITS = { maxTags: 3, maxLogRecords: 6 };

const HOUR = 3_600_000;
const key = fc.constantFrom("a", "b\u0000\u{1f600}", `it's "c"\n\\`, "\ud800");
const token = fc.constantFrom("p", "q\n", "");
const someTags = fc.uniqueArray(fc.constantFrom("@", "@n", "t", "u\u0000", "\u{1f600}", "", "x\\"), { maxLength: 3 });
// What ends by the server's own clock must not end within a run: time is passed on through the metadata.
const durationMs = fc.constantFrom(0, 60_000, 60_000, 2 * HOUR, Number.MAX_SAFE_INTEGER);
const labels = fc.record({
  ttlMs: durationMs,
  staleWhileRevalidateMs: durationMs,
  staleIfErrorMs: durationMs,
  tags: someTags,
  etag: fc.constantFrom("", '"x"\n'),
});
const entry = fc
  .tuple(labels, fc.uint8Array({ maxLength: 40 }))
  .map(([{ etag, ...meta }, bytes]) => ({ ...meta, ...(etag && { etag }), bytes }));
const write: fc.Arbitrary<Write> = fc.oneof(
  // A set that is stale from the start is not stored by the reference, and is by Redis.
  fc.record({ kind: fc.constant("set" as const), key, entry: entry.filter(({ ttlMs }) => ttlMs > 0) }),
  fc.record({ kind: fc.constantFrom("delete" as const, "expire" as const), key }),
  fc.record({ kind: fc.constantFrom("tags" as const, "expireTags" as const), tags: someTags }),
);
const late = fc.constantFrom(undefined, undefined, undefined, -1, 1_000);
const single = fc.oneof(
  {
    arbitrary: fc.record({
      op: fc.constant("read" as const),
      key,
      token: fc.option(token, { nil: undefined }),
      hold: fc.boolean(),
      refresh: fc.boolean(),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({ op: fc.constant("commit" as const), key, token, entry, keep: fc.nat(3), late }),
    weight: 6,
  },
  { arbitrary: fc.record({ op: fc.constant("renew" as const), key, token }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("release" as const), key, token, backoffMs: durationMs }), weight: 1 },
  { arbitrary: fc.record({ op: fc.constant("write" as const), write, nonce: fc.nat(40), late }), weight: 5 },
);
const op = fc.oneof(
  { arbitrary: single, weight: 14 },
  {
    arbitrary: fc.record({
      op: fc.constant("batch" as const),
      items: fc.array(single, { minLength: 1, maxLength: 5 }),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ op: fc.constant("changes" as const), back: fc.nat(8), odd: fc.nat(9) }), weight: 2 },
  {
    arbitrary: fc.record({
      op: fc.constant("pass" as const),
      ms: fc.constantFrom(10, 30_000, 60_000, HOUR, -HOUR, -50),
    }),
    weight: 3,
  },
  { arbitrary: fc.record({ op: fc.constant("witness" as const), which: fc.nat(12) }), weight: 1 },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;
type Single = typeof single extends fc.Arbitrary<infer T> ? T : never;

/** One of the two, with what its own answers have told. Epochs are random: they are numbered as they come. */
function side() {
  const epochs: string[] = [];
  const granted = new Map<string, { epoch: string; version: number }>();
  let at: Position = { epoch: "", seq: 0, tip: "" };
  let stored = "";
  const plain = (reply: unknown): unknown =>
    JSON.parse(
      JSON.stringify(reply, (name, value: unknown) => {
        if (value instanceof Uint8Array) return [...value];
        if (name !== "epoch") return value;
        if (!epochs.includes(String(value))) epochs.push(String(value));
        return epochs.indexOf(String(value));
      }),
    );
  return {
    get at() {
      return at;
    },
    itemOf(it: Single, time: number): BatchItem {
      const deadline = "late" in it && it.late !== undefined && { deadline: Math.max(0, time + it.late) };
      switch (it.op) {
        case "read":
          return {
            operation: "read",
            request: {
              key: it.key,
              waitMs: 0,
              ...(it.hold && stored && { hold: stored }),
              ...(it.refresh && stored && { refresh: stored }),
              ...(it.token !== undefined && { lease: { token: it.token, leaseMs: 80_000, scopes: ["@"] } }),
            },
          };
        case "commit": {
          const { bytes: _, ...meta } = it.entry;
          const lease = granted.get(it.key + it.token) ?? { epoch: "", version: 0 };
          const body = it.keep === 0 ? { ...meta, keep: stored } : it.entry;
          return { operation: "commit", request: { key: it.key, token: it.token, ...lease, entry: body, ...deadline } };
        }
        case "renew":
          return { operation: "renew", request: { key: it.key, token: it.token, leaseMs: 120_000 } };
        case "release":
          return { operation: "release", request: { key: it.key, token: it.token, backoffMs: it.backoffMs } };
        case "write":
          return { operation: "write", request: { write: it.write, nonce: `n${it.nonce}\n`, ...deadline } };
      }
    },
    learn(it: Single | undefined, reply: Stamp & { lease?: { version: number }; entry?: { id: string } }): unknown {
      at = { epoch: reply.epoch, seq: reply.seq, tip: reply.tip };
      if (it?.op === "read" && reply.lease) {
        granted.set(it.key + it.token, { epoch: reply.epoch, version: reply.lease.version });
      }
      if (reply.entry) stored = reply.entry.id;
      return plain(reply);
    },
  };
}

type Ask = (target: Partition | StoreConnection, mine: ReturnType<typeof side>, time: number) => unknown;

/** The operation, said to either: a partition answers itself, a connection for partition 0. */
function asking(it: Exclude<Op, { op: "pass" }>): { readonly ask: Ask; readonly items: readonly Single[] } {
  const call = (target: Partition | StoreConnection, name: string, request: object): unknown => {
    const methods = target as unknown as Record<string, (...args: unknown[]) => unknown>; // both have all operations
    return "partitions" in target ? methods[name]!(0, request, {}) : methods[name]!(request, {});
  };
  if (it.op === "batch") {
    const ask: Ask = (target, mine, time) =>
      call(target, "batch", { items: it.items.map((item) => mine.itemOf(item, time)) });
    return { ask, items: it.items };
  }
  if (it.op === "changes") {
    const ask: Ask = (target, { at }) => {
      const seq = Math.max(0, at.seq - it.back);
      const tip = it.odd === 0 ? "odd" : seq === at.seq ? at.tip : "n1\n";
      return call(target, "changesSince", { since: { epoch: at.epoch, seq, tip } });
    };
    return { ask, items: [] };
  }
  if (it.op === "witness") {
    const ask: Ask = (target, { at }) => {
      const seq = Math.max(0, at.seq - (it.which % 3));
      const witness =
        it.which === 0
          ? { ...at, seq: at.seq + 1 }
          : { ...at, seq, tip: seq === at.seq ? at.tip : it.which < 5 ? "n1\n" : at.tip };
      return call(target, "read", { key: "a", waitMs: 0, witness });
    };
    return { ask, items: [] };
  }
  return {
    ask: (target, mine, time) => {
      const { operation, request } = mine.itemOf(it, time);
      return call(target, operation, it.op === "read" ? { ...request, witness: mine.at } : request);
    },
    items: [it],
  };
}

describe.skipIf(whyNoRedis !== undefined)("a differential test", () => {
  const url = sharedRedis();
  let client: Redis;
  beforeAll(async () => void (client = new Redis(await url())));
  afterAll(async () => void (await client.quit()));

  async function run(ops: readonly Op[]): Promise<void> {
    const prefix = freshPrefix();
    const virtual = virtualPlatform();
    let now = 0;
    const reference = createPartition({
      storage: mapStorage(),
      platform: { ...virtual, now: () => now },
      limits: LIMITS,
    });
    const connection = redisStore(client, { prefix, ...LIMITS }).connect({ name: "d", platform: defaultPlatform() });
    const [theirs, mine] = [side(), side()];
    const first = (await connection.info(0, {})) as Stamp; // one partition: nothing moves
    now = first.time;
    theirs.learn(undefined, first);
    mine.learn(undefined, reference.info());
    const metadata = `${prefix}1:{d:0}:m`;
    for (const it of ops) {
      if (it.op === "pass") {
        await client.pexpire(metadata, (await client.pttl(metadata)) - it.ms);
        continue;
      }
      const { ask, items } = asking(it);
      const before = now;
      const answered = (await ask(connection, theirs, before)) as Exclude<unknown, Moved>;
      const listed = (reply: unknown): Stamp[] =>
        it.op === "batch" ? [...(reply as { replies: Stamp[] }).replies] : [reply as Stamp];
      const found = listed(answered);
      now = found[0]!.time;
      const wanted = listed(await ask(reference, mine, before));
      expect(found.map((reply, index) => theirs.learn(items[index], reply))).toEqual(
        wanted.map((reply, index) => mine.learn(items[index], reply)),
      );
      const { seq, tip, tags, logRecords } = (await connection.info(0, {})) as Awaited<ReturnType<Partition["info"]>>;
      const expected = reference.info();
      expect({ seq, tip, tags, logRecords }).toEqual({
        seq: expected.seq,
        tip: expected.tip,
        tags: expected.tags,
        logRecords: expected.logRecords,
      });
    }
    await connection.close();
    await client.del(metadata);
  }

  test(`any sequence of operations gets the same replies from Redis and the reference (seed ${SEED})`, async () => {
    await fc.assert(fc.asyncProperty(fc.array(op, { minLength: 20, maxLength: 80, size: "max" }), run), {
      seed: SEED,
      numRuns: RUNS,
    });
  });
});
