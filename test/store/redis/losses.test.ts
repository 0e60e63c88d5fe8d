// What Redis loses, and when it is full: nothing that was invalidated comes back, and an invalidation is never refused.
import { describe, expect, onTestFinished, test } from "vitest";
import { entryOf, ROOT } from "../../../src/testing/store-driver.ts";
import { textOf } from "../../support/resp.ts";
import { clients } from "./clients.ts";
import { clientOf, driverOf, ownRedis, untilAnswered } from "./harness.ts";
import { whyNoRedis } from "./servers.ts";

const POLICIES = [
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
];
const MEGABYTE = 2 ** 20;

describe.skipIf(whyNoRedis !== undefined)("a Redis that loses data", () => {
  test("after FLUSHALL a new epoch begins: no entry comes back, and a lease of before commits nothing", async () => {
    const server = await ownRedis();
    const store = driverOf(clientOf(server.url));
    const { epoch } = await store.set("k", entryOf([1]));
    const grant = await store.lease("loading");
    await server.command("FLUSHALL");
    const reply = await store.read("k");
    expect([reply.entry, reply.seq, reply.epoch === epoch]).toEqual([undefined, 0, false]);
    expect((await store.commit(grant, entryOf([1]))).outcome).toBe("refused");
  });

  test("a restart without persistence is a new epoch, and the connection works on", async () => {
    const server = await ownRedis();
    const store = driverOf(clientOf(server.url));
    const { epoch } = await store.set("k", entryOf([1]));
    await server.restart();
    const reply = await untilAnswered(() => store.read("k"));
    expect([reply.entry, reply.epoch === epoch]).toEqual([undefined, false]);
  });

  test.each(Object.keys(clients))(
    "over %s a restart from an old snapshot is a new epoch, though the caller has seen nothing newer",
    async (kind) => {
      const server = await ownRedis();
      const { client, close } = await clients[kind]!(server.url);
      onTestFinished(close);
      const store = driverOf(client);
      const { epoch, seq, tip } = await store.set("k", entryOf([1]));
      await server.command("SAVE");
      // By another instance, of which this one has not heard: its witness finds nothing wrong.
      await driverOf(clientOf(server.url)).write({ kind: "delete", key: "k" });
      await server.restart();
      const reply = await untilAnswered(() => store.read("k", { witness: { epoch, seq, tip } }));
      expect([reply.entry, reply.epoch === epoch]).toEqual([undefined, false]);
      const next = await store.read("k");
      expect(next.epoch).toBe(reply.epoch);
    },
  );

  test("a replica that lagged and was promoted begins a new epoch, though the caller has seen nothing newer", async () => {
    const primary = await ownRedis();
    const replica = await ownRedis({ replicaof: `127.0.0.1 ${primary.port}` });
    const client = clientOf(primary.url);
    const store = driverOf(client);
    const { epoch, seq, tip } = await store.set("k", entryOf([1]));
    await primary.command("WAIT", "1", "10000");
    await replica.command("REPLICAOF", "NO", "ONE");
    await driverOf(clientOf(primary.url)).write({ kind: "delete", key: "k" });
    client.options.port = replica.port;
    await primary.kill();
    const reply = await untilAnswered(() => store.read("k", { witness: { epoch, seq, tip } }));
    expect(client.status).toBe("ready");
    expect([reply.entry, reply.epoch === epoch]).toEqual([undefined, false]);
  });

  test("a primary that was a replica for a while begins a new epoch, if its connections were ended", async () => {
    const primary = await ownRedis();
    const replica = await ownRedis({ replicaof: `127.0.0.1 ${primary.port}` });
    const store = driverOf(clientOf(primary.url));
    const { epoch, seq, tip } = await store.set("k", entryOf([1]));
    await primary.command("WAIT", "1", "10000");
    await replica.command("REPLICAOF", "NO", "ONE");
    await driverOf(clientOf(primary.url)).write({ kind: "delete", key: "k" });
    // As Sentinel does it. Without the end of the connections, one who asks nothing meanwhile would notice nothing.
    await primary.command("REPLICAOF", "127.0.0.1", String(replica.port));
    await primary.command("CLIENT", "KILL", "TYPE", "normal");
    const link = async (): Promise<string> => textOf(await primary.command("INFO", "replication")) ?? "";
    await expect.poll(link, { timeout: 20_000 }).toContain("master_link_status:up");
    const refused = store.read("k", { witness: { epoch, seq, tip } });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining("READONLY") });
    await primary.command("REPLICAOF", "NO", "ONE");
    await primary.command("CLIENT", "KILL", "TYPE", "normal");
    const reply = await untilAnswered(() => store.read("k", { witness: { epoch, seq, tip } }));
    expect([reply.entry, reply.epoch === epoch]).toEqual([undefined, false]);
  });

  test.each(POLICIES)("under %s nothing that was invalidated comes back", async (policy) => {
    const server = await ownRedis({ "maxmemory-policy": policy, maxmemory: 4 * MEGABYTE });
    const client = clientOf(server.url);
    const store = driverOf(client);
    const bytes = new Uint8Array(20_000);
    const epochs = new Set<string>();
    let found = 0;
    for (let round = 0; round < 40; round++) {
      for (const key of ["a", "b", "c"]) await store.set(`${key}${round}`, entryOf([round], { tags: [key] }));
      // What is invalidated at once, and looked for while others push things out.
      const gone = (["a", "b"] as const)[round % 2]!;
      await store.write({ kind: "tags", tags: [gone] });
      if (round % 10 === 9) await store.write({ kind: "tags", tags: [ROOT] });
      for (let filler = 0; filler < 10; filler++) {
        await store.set(`filler ${round}-${filler}`, { ...entryOf([], { ttlMs: 600_000 }), bytes });
        const reply = await store.read(`${gone}${round}`);
        epochs.add(reply.epoch);
        expect(reply.entry).toBeUndefined();
      }
      if ((await store.read(`c${round}`)).entry) found++;
    }
    expect(Number(/evicted_keys:(\d+)/.exec(await client.info("stats"))?.[1])).toBeGreaterThan(0);
    expect(found).toBeGreaterThan(0);
    // The policies of chance lose the metadata sooner or later, too.
    await client.del("isocache:1:{test:0}:m");
    const { epoch } = await store.read("c39");
    expect(epochs.has(epoch)).toBe(false);
  });

  test("a Redis that is full refuses values and gives leases back, leaves nothing half done, and invalidates", async () => {
    const server = await ownRedis({ "maxmemory-policy": "noeviction" });
    const client = clientOf(server.url);
    const store = driverOf(client);
    for (const key of ["set", "deleted", "tagged", "expired"]) {
      await store.set(key, entryOf([1], { tags: [key], staleIfErrorMs: 60_000 }));
    }
    const grant = await store.lease("loading");
    const { seq } = await store.info();
    await client.config("SET", "maxmemory", "1");
    const full = { code: "ISOCACHE_STORE", message: expect.stringContaining("OOM") };
    await expect(store.set("set", entryOf([2]))).rejects.toMatchObject(full);
    await expect(store.set("new", entryOf([2]))).rejects.toMatchObject(full);
    await expect(store.want("another")).rejects.toMatchObject(full);
    expect((await store.read("set")).entry?.bytes?.[0]).toBe(1);
    expect((await store.info()).seq).toBe(seq);
    const held = await store.hold("loading");
    await expect(store.commit(grant, entryOf([2]))).rejects.toMatchObject(full);
    await expect(held.reply).rejects.toMatchObject(full);
    await store.write({ kind: "delete", key: "deleted" });
    await store.write({ kind: "tags", tags: ["tagged", "a new one"] });
    await store.write({ kind: "expire", key: "expired" });
    expect((await store.info()).seq).toBe(seq + 3);
    expect((await store.read("deleted")).entry).toBeUndefined();
    expect((await store.read("tagged")).entry).toBeUndefined();
    expect((await store.read("expired")).entry?.freshForMs).toBeLessThanOrEqual(0);
    const setting = {
      operation: "write" as const,
      request: { nonce: store.fresh(), write: { kind: "set" as const, key: "set", entry: entryOf([3]) } },
    };
    const deleting = {
      operation: "write" as const,
      request: { nonce: store.fresh(), write: { kind: "delete" as const, key: "set" } },
    };
    const [first, second] = await store.batch([setting, deleting]);
    expect(first).toMatchObject({ error: expect.stringContaining("OOM") });
    expect(second).toMatchObject({ seq: seq + 4 });
    expect((await store.read("set")).entry).toBeUndefined();
    await client.config("SET", "maxmemory", "0");
    expect((await store.load("loading", entryOf([3]))).outcome).toBe("stored");
  });

  test("keys that hold something else are metadata that was lost, or an error, never a value", async () => {
    const server = await ownRedis();
    const store = driverOf(clientOf(server.url));
    await store.set("k", entryOf([1]));
    for (const damage of [
      ["SET", "isocache:1:{test:0}:m", "x"],
      ["HSET", "isocache:1:{test:0}:m", "w", "x"],
      ["HDEL", "isocache:1:{test:0}:m", "k"],
      ["PERSIST", "isocache:1:{test:0}:m"],
    ]) {
      const { epoch } = await store.set("k", entryOf([1]));
      await server.command(...damage);
      const reply = await store.read("k");
      expect([reply.entry, reply.epoch === epoch]).toEqual([undefined, false]);
    }
  });
});
