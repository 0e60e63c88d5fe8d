// What each operation costs in commands, counted by the server, against the table of docs/upstash.md; and the price of it.
import { createHash, randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache } from "../../../src/index.ts";
import type { Cache } from "../../../src/index.ts";
import type { BatchItem } from "../../../src/store/contract.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import type { StoreDriver } from "../../../src/testing/store-driver.ts";
import { tablesIn } from "../../docs/markdown.ts";
import { readRepository } from "../../house/repository.ts";
import { service } from "../../support/services.ts";
import { upstash } from "./world.ts";

const redis = service("redis");
const page = readRepository().find(({ path }) => path === "docs/upstash.md")?.text ?? "";
const hundred = Array.from({ length: 100 }, (_, index) => `k${index}`);
const tags = ["a", "b", "c"];

/** Sends commands, each billed; several as one pipeline. */
type Send = (...commands: readonly (readonly string[])[]) => Promise<readonly unknown[]>;

/** What is done before, by another instance, and what is counted: by isocache, and by a cache of keys, locks and sets. */
interface Row {
  before?(cache: Cache): Promise<unknown>;
  run(cache: Cache, driver: StoreDriver): Promise<unknown>;
  /** `peer` has the same data as `before` made. Absent: there is no such thing. */
  peer?(send: Send): Promise<unknown>;
}

const UNLOCK = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;
const store = (key: string): (readonly string[])[] => [
  ["SET", key, "v", "EX", "60"],
  ...tags.map((tag) => ["SADD", `tag:${tag}`, key]),
];
const sets = (cache: Cache): Promise<unknown> => Promise.all(hundred.map((key) => cache.set(key, key, { tags })));
/** A hundred operations of the store in one batch. */
const batch =
  (item: (key: string, nonce: string) => BatchItem): Row["run"] =>
  (_, driver) =>
    driver.batch(hundred.map((key) => item(key, driver.fresh())));

const rows: Readonly<Record<string, Row>> = {
  "hit in memory": { before: async (cache) => cache.set("k", 1), run: async () => undefined },
  "hit in the store, 3 tags": {
    before: (cache) => cache.set("k", 1, { tags }),
    run: (cache) => cache.get("k"),
    peer: (send) => send(["GET", "k"]),
  },
  'hit with `consistency: "strong"`': {
    before: (cache) => cache.set("k", 1, { tags }),
    run: (cache) => cache.get("k", { consistency: "strong" }),
    peer: (send) => send(["GET", "k"]),
  },
  "cold miss, loaded once for all, 3 tags": {
    run: (cache) => cache.getOrSet("k", () => 1, { tags }),
    async peer(send) {
      await send(["GET", "k"]);
      await send(["SET", "lock:k", "me", "NX", "PX", "10000"]);
      await send(...store("k"));
      await send(["EVAL", UNLOCK, "1", "lock:k", "me"]);
    },
  },
  "`set`, 3 tags": { run: (cache) => cache.set("k", 1, { tags }), peer: (send) => send(...store("k")) },
  "`delete`": { run: (cache) => cache.delete("k"), peer: (send) => send(["DEL", "k"]) },
  "`expire`": { run: (cache) => cache.expire("k") },
  "`invalidateTags` of 3, with 100 entries": {
    before: sets,
    run: (cache) => cache.invalidateTags(tags),
    async peer(send) {
      await send(...hundred.flatMap(store));
      const before = counted;
      const members = await send(...tags.map((tag) => ["SMEMBERS", `tag:${tag}`]));
      await send(["DEL", ...(members.flat() as string[]), ...tags.map((tag) => `tag:${tag}`)]);
      counted -= before;
    },
  },
  "`clear`": { run: (cache) => cache.clear() },
  "100 reads in a batch": {
    run: batch((key) => ({ operation: "read", request: { key, waitMs: 0 } })),
    peer: (send) => send(["MGET", ...hundred]),
  },
  "100 sets in a batch, 3 tags each": {
    run: batch((key, nonce) => ({
      operation: "write",
      request: { write: { kind: "set", key, entry: entryOf([1], { tags }) }, nonce },
    })),
    peer: (send) => send(...hundred.flatMap(store)),
  },
  "100 deletes in a batch": {
    run: batch((key, nonce) => ({ operation: "write", request: { write: { kind: "delete", key }, nonce } })),
    peer: (send) => send(["DEL", ...hundred]),
  },
};

/** Of the peer's commands, those that count. */
let counted = 0;

/** Two instances on one server. The one that is counted has spoken with the store before. */
async function caches() {
  const { server, prefix, make, driver } = await upstash();
  const name = createHash("sha1").update(randomUUID()).digest("hex");
  const [other, cache] = [0, 1].map(() => createCache({ name, store: make(), ttl: "1m", maxStaleness: "1m" })) as [
    Cache,
    Cache,
  ];
  onTestFinished(async () => void (await Promise.all([other.close(), cache.close()])));
  await cache.get("nothing");
  await other.get("nothing");
  await driver.info();
  return { server, prefix, other, cache, driver };
}

const cells = (tablesIn(page).find(({ heading }) => heading === "What it costs")?.rows ?? []).map((row) => [...row]);
const [, pricePer100k = ""] = /\$(\d+\.\d+)\s+per\s+100,000\s+commands/.exec(page) ?? [];
const price = (commands: number): string => `$${(commands * 10 * Number(pricePer100k)).toFixed(2)}`;

describe.skipIf(redis.isMissing)("the cost table of the Upstash page", () => {
  test("has a row for each operation that is counted here, and one for followers", () => {
    expect(cells.map(([what]) => what)).toEqual([...Object.keys(rows), "follower of a load of half a second"]);
  });

  test.each(Object.entries(rows))("says what is billed for a %s", async (what, { before, run, peer }) => {
    const { server, prefix, other, cache, driver } = await caches();
    await before?.(what.startsWith("hit in memory") ? cache : other);
    if (what.startsWith("hit in memory")) await cache.get("k");
    server.reset();
    await (what.startsWith("hit in memory") ? cache.get("k") : run(cache, driver));
    const commands = server.billed();
    server.reset();
    counted = 0;
    await peer?.(async (...list) => {
      const body = JSON.stringify(list.map((command) => own(prefix, command)));
      const headers = { authorization: `Bearer ${server.token}` };
      const answer = await fetch(`${server.url}/pipeline`, { method: "POST", headers, body });
      counted += list.length;
      return ((await answer.json()) as { result: unknown }[]).map(({ result }) => result);
    });
    const theirs = peer ? [String(counted), price(counted)] : ["", ""];
    expect(cells.find(([first]) => first === what)).toEqual([what, String(commands), price(commands), ...theirs]);
  });

  test("is right about followers", async () => {
    const { server, other, cache } = await caches();
    const load = other.getOrSet("k", async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return 1;
    });
    await expect.poll(() => server.counts()["EVALSHA"]).toBeGreaterThan(2);
    const before = server.billed();
    expect(await cache.getOrSet("k", () => 2)).toBe(1);
    await load;
    // What the leader committed is among them.
    const commands = server.billed() - before - 1;
    const [, said = ""] = cells.at(-1) ?? [];
    const [least = 0, most = 0] = said.split(" to ").map(Number);
    expect(commands).toBeGreaterThanOrEqual(least);
    expect(commands).toBeLessThanOrEqual(most);
  });
});

/** The command on keys of the test's own: members of sets come back with the prefix already. */
function own(prefix: string, [name = "", ...args]: readonly string[]): string[] {
  const mine = (key: string): string => (key.startsWith(prefix) ? key : `${prefix}${key}`);
  if (name === "DEL" || name === "MGET") return [name, ...args.map(mine)];
  if (name === "EVAL") return [name, args[0]!, args[1]!, mine(args[2]!), args[3]!];
  if (name === "SADD") return [name, mine(args[0]!), mine(args[1]!)];
  return [name, mine(args[0]!), ...args.slice(1)];
}
