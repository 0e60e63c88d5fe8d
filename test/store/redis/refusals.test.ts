// A real Redis that refuses, in each of its ways: reads load, an invalidation rejects, holds here at once, and there in the end.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache } from "../../../src/index.ts";
import type { Cache } from "../../../src/index.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient } from "../../../src/store/redis.ts";
import { clients } from "./clients.ts";
import { clientOf, ownRedis } from "./harness.ts";
import { refusals } from "./refusals.ts";
import { whyNoRedis } from "./servers.ts";

/** Clocks show whole milliseconds: what was proved in this one is proved. */
const TICK_MS = 2;
const LONG = { timeout: 20_000 };

/** A cache that asks the store about each hit, and does not spare it when it fails. */
function cacheOver(client: RedisClient): Cache {
  const store = redisStore(client);
  const cache = createCache({ name: "shop", store, ttl: "5m", maxStaleness: 0, storeBreaker: false, lease: "200ms" });
  onTestFinished(() => cache.close());
  return cache;
}

const cacheAt = (url: string, options: object = {}): Cache => cacheOver(clientOf(url, options));

describe.skipIf(whyNoRedis !== undefined)("what Redis refuses", () => {
  test.each(refusals)("$title: nothing invalidated comes back", async ({ says, client, start }) => {
    const { server, begin } = await start();
    const [here, there] = [cacheAt(server.url, client), cacheAt(server.url, client)];
    let version = 1;
    const load = (): number => version;
    const read = (cache: Cache, key: string): Promise<number> => cache.getOrSet(key, load, { tags: [`of ${key}`] });
    const keys = ["deleted", "tagged"];
    for (const cache of [here, there]) for (const key of keys) expect(await read(cache, key)).toBe(1);
    const acknowledged: string[] = [];
    here.on("write", ({ operation }) => acknowledged.push(operation));

    // Both are read all the time; no read fails, and where it was asked for, the invalidation holds from then on.
    let asked = false;
    let isOver = false;
    onTestFinished(() => void (isOver = true));
    const reading = [here, there].map(async (cache) => {
      while (!isOver) {
        for (const key of keys) {
          const isBound = asked && cache === here;
          const seen = await read(cache, key);
          if (isBound) expect(seen).toBe(2);
        }
        await sleep(2);
      }
    });

    for (const each of reading) each.catch(() => undefined); // it is awaited in the end
    const { end } = await begin();
    version = 2;
    const refused = [here.delete("deleted"), here.invalidateTags(["of tagged"])];
    for (const each of refused) each.catch(() => undefined);
    asked = true;
    for (const each of refused) {
      const error = await each.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "ISOCACHE_STORE" });
      const texts = [error, (error as Error).cause, ((error as Error).cause as Error | undefined)?.cause].map(String);
      expect(texts.join("\n")).toMatch(says);
    }
    expect(acknowledged).toEqual([]);
    expect(await here.get("deleted")).toBe(undefined);
    for (const key of keys) expect(await read(here, key)).toBe(2);
    await sleep(100); // reads and retries go on while it refuses
    await end();

    await expect.poll(() => [...acknowledged].sort(), LONG).toEqual(["delete", "tags"]);
    await sleep(TICK_MS);
    for (let round = 0; round < 20; round++) {
      for (const cache of [here, there]) for (const key of keys) expect(await read(cache, key)).toBe(2);
    }
    isOver = true;
    await Promise.all(reading);
    // It works as before: what one loads now, the other finds.
    await here.set("new", 3);
    expect(await there.get("new")).toBe(3);
  });

  test.each(Object.keys(clients))(
    "over %s, killed again and again: no read fails, no invalidation is lost",
    async (kind) => {
      const server = await ownRedis();
      const open = async (): Promise<Cache> => {
        const { client, close } = await clients[kind]!(server.url);
        onTestFinished(close);
        return cacheOver(client);
      };
      const [here, there] = [await open(), await open()];
      let version = 0;
      let isOver = false;
      onTestFinished(() => void (isOver = true));
      const killing = (async (): Promise<void> => {
        for (let round = 0; !isOver; round++) {
          await server.command("CLIENT", "KILL", "TYPE", round % 2 === 0 ? "pubsub" : "normal");
          await sleep(7);
        }
      })();
      for (let round = 0; round < 100; round++) {
        version++;
        const isDone = await here.delete("k").then(
          () => true,
          () => false,
        );
        await sleep(TICK_MS);
        const load = async (): Promise<number> => {
          const seen = version;
          await sleep(2);
          return seen;
        };
        const seen = await Promise.all([here, there, here, there].map((cache) => cache.getOrSet("k", load)));
        expect([seen[0], seen[2]]).toEqual([version, version]);
        if (isDone) expect(seen).toEqual([version, version, version, version]);
      }
      isOver = true;
      await killing;
      version++;
      await here.delete("k");
      expect(await there.getOrSet("k", () => version)).toBe(version);
    },
  );

  test("a client of a replica: reads load and store nothing, invalidations reject", async () => {
    const primary = await ownRedis();
    const replica = await ownRedis({ replicaof: `127.0.0.1 ${primary.port}` });
    const [there, here] = [cacheAt(primary.url), cacheAt(replica.url)];
    await there.set("k", "of the primary");
    await primary.command("WAIT", "1", "10000");
    expect(await here.get("k")).toBe(undefined);
    expect(await here.getOrSet("k", () => "of the origin")).toBe("of the origin");
    await expect(here.delete("k")).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    expect(await there.get("k")).toBe("of the primary");
  });
});
