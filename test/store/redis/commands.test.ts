// How many commands an operation takes, what they look like, and what the store refuses.
import { createClientPool, createSentinel } from "redis";
import { describe, expect, test } from "vitest";
import { OptionError } from "../../../src/errors.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient } from "../../../src/store/redis.ts";
import * as preludes from "../../../src/store/redis/preludes.ts";
import { script } from "../../../src/store/redis/script.ts";
import { entryOf, ROOT } from "../../../src/testing/store-driver.ts";
import { clientOf, counted, driverOf, ownRedis } from "./harness.ts";
import { whyNoRedis } from "./servers.ts";
import { createHash } from "node:crypto";

test.each(Object.entries(preludes))("the script's name after %s is the SHA-1 of both", (_, list) => {
  for (const [hash, ...texts] of list) {
    expect(hash).toBe(
      createHash("sha1")
        .update(texts.join("") + script)
        .digest("hex"),
    );
  }
});

test("a wrong client or option is an OptionError", () => {
  const client = { send: () => undefined, duplicate: () => undefined } as unknown as RedisClient; // never asked
  expect(() => redisStore({} as RedisClient)).toThrow(OptionError);
  // All commands of a cache share one connection: of a pool, and of what hides several, it has no use.
  expect(() => redisStore(createClientPool() as unknown as RedisClient)).toThrow(OptionError);
  const sentinel = createSentinel({ name: "primary", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] });
  expect(() => redisStore(sentinel as unknown as RedisClient)).toThrow(OptionError);
  expect(() => redisStore(client, { partitions: 0 })).toThrow(OptionError);
  expect(() => redisStore(client, { partitions: 1_025 })).toThrow(OptionError);
  expect(() => redisStore(client, { prefix: "{a}" })).toThrow(OptionError);
  expect(() => redisStore(client, { prefix: "a\n" })).toThrow(OptionError);
  expect(() => redisStore(client, { bus: 1 as unknown as boolean })).toThrow(OptionError);
  expect(redisStore(client).kind).toBe("redis");
});

describe.skipIf(whyNoRedis !== undefined)("a Redis store", () => {
  test("takes one command for each operation, a hundred keys included, and one more when the script is unknown", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const { sent } = counted(client);
    const store = driverOf(client);
    const taken = async (what: () => Promise<unknown>): Promise<string[]> => {
      sent.length = 0;
      await what();
      return [...sent];
    };
    const once = ["EVALSHA"];
    expect(await taken(() => store.info())).toEqual(["EVALSHA", "EVAL"]);
    const grant = await store.lease("k");
    const tags = Array.from({ length: 100 }, (_, index) => `tag-${index}`);
    expect(await taken(() => store.renew(grant))).toEqual(once);
    expect(await taken(() => store.commit(grant, entryOf([1], { tags })))).toEqual(once);
    expect(await taken(() => store.read("k"))).toEqual(once);
    expect(await taken(() => store.set("k", entryOf([1])))).toEqual(once);
    expect(await taken(() => store.write({ kind: "delete", key: "k" }))).toEqual(once);
    expect(await taken(() => store.write({ kind: "expire", key: "k" }))).toEqual(once);
    expect(await taken(() => store.write({ kind: "tags", tags }))).toEqual(once);
    expect(await taken(() => store.write({ kind: "expireTags", tags: [ROOT, ...tags] }))).toEqual(once);
    expect(await taken(async () => store.changesSince(await store.info()))).toEqual([...once, ...once]);
    const items = tags.map((key) => ({ operation: "read" as const, request: { key, waitMs: 0 } }));
    expect(await taken(() => store.batch(items))).toEqual(once);
    await server.command("SCRIPT", "FLUSH");
    expect(await taken(() => store.read("k"))).toEqual(["EVALSHA", "EVAL"]);
    expect(await taken(() => store.read("k"))).toEqual(once);
  });

  test("leaves in Redis what has an end, besides the metadata and the counters of each partition", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const store = driverOf(client, { prefix: "p:" }, "na{m}e%");
    await store.load("a", entryOf([1], { ttlMs: 5_000, staleIfErrorMs: 2_000 }));
    await store.lease("b");
    const keys = (await client.keys("*")).sort();
    const base = "p:1:{na%7Bm%7De%25:0}";
    expect(keys).toEqual([`${base}:e:a`, `${base}:l:b`, `${base}:m`, `${base}:n`]);
    expect(await client.pttl(`${base}:e:a`)).toBeGreaterThan(5_000);
    expect(await client.pttl(`${base}:e:a`)).toBeLessThanOrEqual(7_000);
    expect(await client.pttl(`${base}:l:b`)).toBeLessThanOrEqual(30_000 + 600_000);
    const slots = await Promise.all(keys.map((key) => client.call("CLUSTER", "KEYSLOT", key).catch(() => 0)));
    expect(new Set(slots).size).toBe(1);
  });

  test("names are told apart whatever braces, colons and percent signs they hold", async () => {
    const client = clientOf((await ownRedis()).url);
    const names = ["a}", "a{", "a%7D", "a:0", "", "a\n", "\ud800", "\ud801"];
    const stores = names.map((name) => driverOf(client, {}, name));
    for (const [index, store] of stores.entries()) await store.set("k", entryOf([index]));
    for (const [index, store] of stores.entries()) {
      expect((await store.read("k")).entry?.bytes?.[0]).toBe(index);
    }
  });

  test("instances adopt the number of partitions that was recorded first", async () => {
    const server = await ownRedis();
    const two = driverOf(clientOf(server.url), { partitions: 2 }).connection;
    const four = driverOf(clientOf(server.url), { partitions: 4 }).connection;
    const set = (nonce: string) => ({ nonce, write: { kind: "set" as const, key: "k", entry: entryOf([1]) } });
    expect(await two.write(1, set("a"), {})).toMatchObject({ seq: 1 });
    expect(await four.write(3, set("b"), {})).toEqual({ moved: true });
    expect(four.partitions).toBe(2);
    expect(await four.read(1, { key: "k", waitMs: 0 }, {})).toMatchObject({ entry: { id: "a" } });
    // Only partition 0 forgets: what the others recorded counts for nothing, and they begin anew.
    const { epoch } = (await two.info(1, {})) as { epoch: string };
    await server.command("DEL", "isocache:1:{test:0}:m");
    const three = driverOf(clientOf(server.url), { partitions: 3 }).connection;
    await three.info(0, {});
    expect(await two.info(0, {})).toEqual({ moved: true });
    expect(two.partitions).toBe(3);
    expect(await two.read(1, { key: "k", waitMs: 0 }, {})).toMatchObject({
      seq: 0,
      epoch: expect.not.stringMatching(epoch),
    });
  });

  test("what is asked of a partition that there is not is done nowhere, though another answer has just told so", async () => {
    const server = await ownRedis();
    await driverOf(clientOf(server.url)).connection.info(0, {});
    const client = clientOf(server.url);
    const two = driverOf(client, { partitions: 2 }).connection;
    const write = { kind: "delete" as const, key: "k" };
    const late: Promise<unknown>[] = [];
    // It is sent when the first has been told to ask partition 0, and is answered when that has answered.
    const { callBuffer } = client;
    client.callBuffer = ((command: string, args: readonly unknown[]) => {
      const asks = args.includes("isocache:1:{test:0}:m") && late.length === 0;
      const sent = Reflect.apply(callBuffer, client, [command, args]) as Promise<unknown>;
      if (asks) late.push(Promise.resolve(two.write(1, { nonce: "n", write }, {})));
      return sent;
    }) as unknown as typeof callBuffer; // the same method, with another call behind it
    expect(await two.info(1, {})).toEqual({ moved: true });
    expect(await Promise.all(late)).toEqual([{ moved: true }]);
    expect(await server.command("KEYS", "*test:1*")).toMatchObject({ items: [] });
  });

  test("a refusal of the server is a StoreError with its text, and without a secret", async () => {
    const server = await ownRedis({ requirepass: "hunter-two" });
    const client = clientOf(server.url, { password: "secret-guess", maxRetriesPerRequest: 0 });
    const error: unknown = await driverOf(client)
      .info()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ISOCACHE_STORE",
      message: expect.stringMatching(/WRONGPASS|NOAUTH|connection/i),
    });
    const seen = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
    expect(seen).not.toContain("secret-guess");
  });

  test("a replica's refusal to write is a StoreError", async () => {
    const primary = await ownRedis();
    const replica = await ownRedis({ replicaof: `127.0.0.1 ${primary.port}` });
    await expect(driverOf(clientOf(replica.url)).set("k", entryOf([1]))).rejects.toMatchObject({
      code: "ISOCACHE_STORE",
      message: expect.stringContaining("READONLY"),
    });
  });

  test("a million distinct tags take no more memory than some ten thousand", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const store = driverOf(client, { maxTags: 2_000, maxLogRecords: 10 });
    const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
    const invalidate = async (from: number, to: number): Promise<void> => {
      for (let round = from; round < to; round++) {
        const tags = Array.from({ length: 1_000 }, (_, index) => `tag ${round * 1_000 + index}`);
        await store.write({ kind: "tags", tags });
      }
    };
    await store.set("k", entryOf([1], { tags: ["tag 5"] }));
    await invalidate(0, 100);
    const before = await used();
    await invalidate(100, 1_000);
    expect(await used()).toBeLessThan(before + 2_000_000);
    expect((await store.info()).tags).toBeLessThan(25_000);
    expect((await store.read("k")).entry).toBeUndefined();
  }, 120_000);
});
