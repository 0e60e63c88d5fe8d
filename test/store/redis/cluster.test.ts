// A Redis Cluster: each partition in one slot, whatever the names and keys, and slots may move.
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache, type Cache } from "../../../src/index.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient } from "../../../src/store/redis.ts";
import { entryOf, ROOT } from "../../../src/testing/store-driver.ts";
import { driverOf, untilAnswered } from "./harness.ts";
import { channelsOf, cluster, migrate, slotOf } from "./nodes.ts";
import { whyNoRedis } from "./servers.ts";

const LONG = { timeout: 20_000 };

/** A cluster of each package, as its owner opens it; it ends with the test. */
const clusters: Readonly<Record<string, (ports: readonly number[]) => Promise<RedisClient>>> = {
  async ioredis(ports) {
    const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));
    const client = new Cluster(nodes, { clusterRetryStrategy: () => 20 });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  },
  async "node-redis"(ports) {
    const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
    const client = createCluster({ rootNodes, defaults: { socket: { reconnectStrategy: () => 20 } } });
    client.on("error", () => undefined);
    await client.connect();
    onTestFinished(() => client.destroy());
    return client;
  },
};

describe.skipIf(whyNoRedis !== undefined).each(Object.keys(clusters))("a Redis Cluster over %s", (kind) => {
  const connect = clusters[kind]!;

  test("takes every operation, of each partition, and wakes who waits", async () => {
    const { server } = (await cluster(1))[0]!;
    const store = driverOf(await connect([server.port]), { partitions: 4 }, "na}me{");
    await untilAnswered(() => store.info());
    for (const partition of [0, 1, 2, 3]) {
      const bytes = [partition, 0, 255, 128];
      const write = { kind: "set" as const, key: `{k}${partition}`, entry: entryOf(bytes, { tags: ["t"] }) };
      expect(await store.connection.write(partition, { nonce: store.fresh(), write }, {})).toMatchObject({ seq: 1 });
      const read = { operation: "read" as const, request: { key: write.key, waitMs: 0 } };
      const drop = {
        operation: "write" as const,
        request: { nonce: store.fresh(), write: { kind: "tags" as const, tags: ["t"] } },
      };
      const reply = await store.connection.batch(partition, { items: [read, drop, read] }, {});
      expect(reply).toMatchObject({ replies: [{ entry: { bytes: Uint8Array.from(bytes) } }, { seq: 2 }, { seq: 2 }] });
    }
    const listening = () => channelsOf(server);
    for (let round = 0; round < 3; round++) {
      const grant = await store.lease(`k${round}`);
      const held = await store.hold(`k${round}`);
      await expect.poll(listening, LONG).toEqual([expect.stringContaining("isocache:1:{na")]);
      // A cluster of ioredis takes another connection without a word: a message may fall between, and is not waited for.
      if (round === 1) await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      await store.commit(grant, entryOf([round]));
      expect((await held.reply).entry?.bytes?.[0]).toBe(round);
    }
    await store.write({ kind: "tags", tags: [ROOT] });
    expect((await store.read("k1")).entry).toBeUndefined();
    await store.connection.close();
    await expect.poll(listening, LONG).toEqual([]);
  });

  test("of three nodes shares a cache among them, and goes on while a slot moves to another", async () => {
    const nodes = await cluster(3);
    const ports = nodes.map(({ port }) => port);
    const open = async (): Promise<Cache> => {
      const store = redisStore(await connect(ports), { partitions: 6 });
      const cache = createCache({ name: "shop", store, maxStaleness: 0 });
      onTestFinished(() => cache.close());
      return cache;
    };
    const [a, b] = [await open(), await open()];
    const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`);
    const load = (missing: readonly string[]) => new Map(missing.map((key) => [key, `value of ${key}`]));
    await untilAnswered(() => a.clear());
    // When it begins to listen it asks each partition once what it may have missed.
    const trips = (): number => a.stats().roundTrips - a.stats().syncs;
    const before = trips();
    expect((await a.getOrSetMany(keys, load, { tags: ["t"] })).size).toBe(200);
    expect(trips() - before).toBe(12); // to look and to store, in each partition
    expect((await b.getMany(keys)).size).toBe(200);
    for (const { say } of nodes) expect(await say("DBSIZE")).toBeGreaterThan(0);
    await b.delete("key 7");
    let isMoving = true;
    const reading = (async (): Promise<void> => {
      for (let index = 8; isMoving || index < 60; index++) {
        const key = keys[index % 200]!;
        if (key !== "key 7") expect(await b.getOrSet(key, () => "loaded anew")).toMatch(/value of|anew/);
      }
    })();
    // One slot of the first node, with all that is in it, to the second.
    await migrate(nodes[0]!, nodes[1]!, await slotOf(nodes[0]!), nodes);
    isMoving = false;
    await reading;
    expect(await a.get("key 7")).toBeUndefined();
    for (const key of keys.slice(0, 50)) expect(await a.getOrSet(key, () => "loaded anew")).toMatch(/value of|anew/);
    await a.invalidateTags(["t"]);
    const left = await b.getMany(keys);
    expect([...left.values()].filter((value) => String(value).startsWith("value of"))).toEqual([]);
  });
});
