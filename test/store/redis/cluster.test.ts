// A Redis Cluster: each partition in one slot, whatever the names and keys, and slots may move.
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createCache, type Cache } from "../../../src/index.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient } from "../../../src/store/redis.ts";
import { entryOf, ROOT } from "../../../src/testing/store-driver.ts";
import { textOf } from "../../support/resp.ts";
import { clientOf, driverOf, ownRedis, untilAnswered } from "./harness.ts";
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
    const server = await ownRedis({ "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1" });
    await server.command("CLUSTER", "ADDSLOTS", ...slots(0, 16_384));
    await expect.poll(async () => textOf(await server.command("CLUSTER", "INFO")), LONG).toContain("cluster_state:ok");
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
    const listening = async (): Promise<string[]> => {
      const channels = await server.command("PUBSUB", "CHANNELS", "isocache:*");
      return channels.type === "array" ? (channels.items ?? []).map((item) => textOf(item) ?? "") : [];
    };
    for (let round = 0; round < 3; round++) {
      const grant = await store.lease(`k${round}`);
      const held = await store.hold(`k${round}`);
      await expect.poll(listening, LONG).toEqual([expect.stringContaining("isocache:1:{na")]);
      // A cluster of ioredis takes another connection without a word, and a message may fall between.
      if (round === 1 && kind === "node-redis") await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      await store.commit(grant, entryOf([round]));
      expect((await held.reply).entry?.bytes?.[0]).toBe(round);
    }
    await store.write({ kind: "tags", tags: [ROOT] });
    expect((await store.read("k1")).entry).toBeUndefined();
    await store.connection.close();
    await expect.poll(listening, LONG).toEqual([]);
  });

  test("of three nodes shares a cache among them, and goes on while a slot moves to another", async () => {
    const nodes = await threeNodes();
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
    const before = a.stats().roundTrips;
    expect((await a.getOrSetMany(keys, load, { tags: ["t"] })).size).toBe(200);
    expect(a.stats().roundTrips - before).toBe(12); // to look and to store, in each partition
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
    await migrate(nodes[0], nodes[1], await slotIn(nodes[0]), nodes);
    isMoving = false;
    await reading;
    expect(await a.get("key 7")).toBeUndefined();
    for (const key of keys.slice(0, 50)) expect(await a.getOrSet(key, () => "loaded anew")).toMatch(/value of|anew/);
    await a.invalidateTags(["t"]);
    const left = await b.getMany(keys);
    expect([...left.values()].filter((value) => String(value).startsWith("value of"))).toEqual([]);
  });
});

/** A node of a cluster, and what a test says to it. */
interface Node {
  readonly port: number;
  readonly id: string;
  say(...command: string[]): Promise<unknown>;
}

/** The slots from one to before another. */
const slots = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`);

/** Three nodes that know of each other, each with a third of the slots. */
async function threeNodes(): Promise<readonly [Node, Node, Node]> {
  const start = async (index: number): Promise<Node> => {
    const server = await ownRedis({ "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1" });
    const client = clientOf(server.url);
    const say = ([name = "", ...rest]: string[]): Promise<unknown> => client.call(name, ...rest);
    const third = Math.ceil(16_384 / 3);
    await say(["CLUSTER", "ADDSLOTS", ...slots(index * third, Math.min(16_384, (index + 1) * third))]);
    await say(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)]);
    const id = String(await say(["CLUSTER", "MYID"]));
    return { port: server.port, id, say: (...command) => say(command) };
  };
  const nodes = [await start(0), await start(1), await start(2)] as const;
  const [first] = nodes;
  for (const { port } of nodes) {
    const bus = String(await busOf(nodes, port));
    if (port !== first.port) await first.say("CLUSTER", "MEET", "127.0.0.1", String(port), bus);
  }
  for (const { say } of nodes) {
    const isReady = async (): Promise<void> => {
      const info = String(await say("CLUSTER", "INFO"));
      expect(info).toContain("cluster_state:ok");
      expect(info).toContain("cluster_known_nodes:3");
    };
    await vi.waitFor(isReady, { timeout: 20_000, interval: 50 });
  }
  return nodes;
}

/** The port of a node for other nodes, as it tells of itself: "id host:port@bus,... myself ...". */
async function busOf(nodes: readonly Node[], port: number): Promise<string> {
  const node = nodes.find((each) => each.port === port)!; // one of them
  return /@(\d+)\S* myself/.exec(String(await node.say("CLUSTER", "NODES")))![1]!; // as every node says
}

/** A slot of a node that holds something. */
async function slotIn({ say }: Node): Promise<string> {
  const [, keys] = (await say("SCAN", "0", "COUNT", "1000")) as [string, string[]]; // as SCAN answers
  return String(await say("CLUSTER", "KEYSLOT", keys[0] ?? ""));
}

/** Moves a slot with its keys, as an operator does. */
async function migrate(from: Node, to: Node, slot: string, all: readonly Node[]): Promise<void> {
  await to.say("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
  await from.say("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
  const keys = (await from.say("CLUSTER", "GETKEYSINSLOT", slot, "1000")) as string[]; // as Redis answers
  expect(keys.length).toBeGreaterThan(0);
  await from.say("MIGRATE", "127.0.0.1", String(to.port), "", "0", "5000", "KEYS", ...keys);
  for (const { say } of [to, ...all]) await say("CLUSTER", "SETSLOT", slot, "NODE", to.id);
}
