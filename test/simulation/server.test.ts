// The servers of the simulation: each kind keeps the store contract, and each fault does what it says and nothing else.
import { afterEach, describe, expect, test } from "vitest";
import { plainPreludes } from "../../src/store/redis/preludes.ts";
import { storeConformance } from "../../src/testing/store-conformance.ts";
import { entryOf, storeDriver, type StoreDriver } from "../../src/testing/store-driver.ts";
import { virtualPlatform, type VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { scriptOf } from "../tooling/script.mjs";
import { createServer, type Server, type ServerOptions } from "./server/server.ts";
import type { StoreConnection } from "../../src/store/contract.ts";
import { edited, real } from "./subject.ts";

const KINDS = ["map", "object", "redis"] as const;
const HOUR = 3_600_000;

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const closing: Server[] = [];

afterEach(() => {
  for (const server of closing.splice(0)) server.close();
});

const subject = await real();

type Given = Partial<ServerOptions> & Pick<ServerOptions, "kind">;

interface Opened {
  readonly base: VirtualPlatform;
  readonly server: Server;
  readonly client: StoreDriver;
}

function serve(given: Given & Pick<ServerOptions, "base">): Server {
  const server = createServer({ subject, partitions: 1, limits: {}, seed: 1, ...given });
  closing.push(server);
  return server;
}

function open(given: Given): Opened {
  const base = given.base ?? virtualPlatform({ settle });
  const server = serve({ ...given, base });
  const store = { kind: given.kind, connect: () => server.connect(server.partitions) };
  const fixture = { store, platform: base, advance: base.advance, close: async () => undefined };
  return { base, server, client: storeDriver(fixture, "client") };
}

/** Whether a promise has settled once everything that is due has happened. */
async function isSettled(promise: Promise<unknown>, { advance }: VirtualPlatform): Promise<boolean> {
  let settled = false;
  const end = (): void => void (settled = true);
  promise.then(end, end);
  await advance(120_000);
  return settled;
}

const bytesOf = async (client: StoreDriver, key: string): Promise<number[] | undefined> => {
  const { entry } = await client.read(key);
  return entry && [...(entry.bytes ?? [])];
};

describe.each(KINDS)("a server of kind %s", (kind) => {
  describe("keeps the store contract", () => {
    test.each(storeConformance)("$name", async ({ run }) => {
      const platform = virtualPlatform({ settle });
      const servers = new Map<string, Server>();
      const connect = ({ name }: { readonly name: string }) => {
        const server = servers.get(name) ?? serve({ kind, base: platform });
        servers.set(name, server);
        return server.connect(1);
      };
      const close = async (): Promise<void> => servers.forEach((server) => server.close());
      await run(async () => ({ store: { kind, connect }, platform, advance: platform.advance, close }));
      expect(platform.timers).toBe(0);
    });
  });

  test("that restarts empty has nothing left, and another epoch", async () => {
    const { server, client } = open({ kind });
    const { epoch } = await client.set("k", entryOf([1]));
    server.restartEmpty();
    expect(server.holdings()).toEqual([{ entries: 0, bytes: 0, leases: 0, tags: 0, logRecords: 0 }]);
    const reply = await client.read("k");
    expect(reply).not.toHaveProperty("entry");
    expect(reply.epoch).not.toBe(epoch);
  });

  test.skipIf(kind === "redis")("loses leases when it restarts", async () => {
    const { server, client } = open({ kind });
    const grant = await client.lease("k");
    server.restart();
    expect(await client.commit(grant, entryOf([1]))).toMatchObject({ outcome: "refused" });
  });

  test("that loses its metadata begins a new epoch, in which nothing older is valid", async () => {
    const { server, client } = open({ kind });
    await client.set("k", entryOf([1]));
    const grant = await client.lease("l");
    const { records: before, ...since } = await client.changesSince({ epoch: "", seq: 0, tip: "" });
    server.loseMeta();
    const reply = await client.read("k", { witness: since });
    expect(before).toBeUndefined();
    expect(reply.epoch).not.toBe(since.epoch);
    expect(reply).not.toHaveProperty("entry");
    expect(await client.commit(grant, entryOf([2]))).toMatchObject({ outcome: "refused" });
    expect(await client.changesSince(since)).not.toHaveProperty("records");
    await client.set("k", entryOf([3]));
    expect((await client.read("k")).epoch).toBe(reply.epoch);
    expect(await bytesOf(client, "k")).toEqual([3]);
  });

  test("loses one entry and nothing else", async () => {
    const { server, client } = open({ kind });
    await client.set("k", entryOf([1]));
    const { epoch } = await client.set("l", entryOf(Array<number>(5_000).fill(2)));
    server.loseEntry("l");
    server.loseEntry("unknown");
    expect(await client.read("l")).not.toHaveProperty("entry");
    expect(await bytesOf(client, "k")).toEqual([1]);
    expect((await client.info()).epoch).toBe(epoch);
  });

  test("loses one lease and nothing else", async () => {
    const { server, client } = open({ kind });
    const [lost, kept] = [await client.lease("k"), await client.lease("l")];
    server.loseLease("k");
    expect(await client.commit(lost, entryOf([1]))).toMatchObject({ outcome: "refused" });
    expect(await client.commit(kept, entryOf([1]))).toMatchObject({ outcome: "stored" });
  });

  test("brings back what was deleted since a snapshot, and forgets what was set, under the same epoch", async () => {
    const { server, client } = open({ kind });
    await client.set("gone", entryOf([1]));
    await client.set("changed", entryOf([2]));
    await client.write({ kind: "tags", tags: ["t"] });
    const { epoch, seq, tip } = await client.info();
    const held = server.holdings();
    const restore = server.snapshot();
    await client.write({ kind: "delete", key: "gone" });
    await client.set("changed", entryOf([3], { tags: ["t"] }));
    await client.set("new", entryOf([4]));
    const grant = await client.lease("leased");
    for (let time = 1; time <= 2; time++) {
      restore();
      expect(await bytesOf(client, "gone")).toEqual([1]);
      expect(await bytesOf(client, "changed")).toEqual([2]);
      expect(await client.read("new")).not.toHaveProperty("entry");
      expect(await client.commit(grant, entryOf([5]))).toMatchObject({ outcome: "refused" });
      expect(await client.info()).toMatchObject({ epoch, seq, tip });
      expect(server.holdings()).toEqual(held);
      await client.write({ kind: "tags", tags: ["@root"] });
    }
  });

  test("finds out by a witness that a snapshot came back, ahead of it or beside it", async () => {
    const { server, client } = open({ kind });
    const first = await client.set("k", entryOf([1]));
    const restore = server.snapshot();
    const lost = await client.set("l", entryOf([2]));
    restore();
    expect((await client.read("k", { witness: first })).epoch).toBe(first.epoch);
    const reply = await client.read("k", { witness: lost });
    expect(reply.epoch).not.toBe(first.epoch);
    expect(reply).not.toHaveProperty("entry");
    restore();
    const instead = await client.set("m", entryOf([3]));
    expect(instead).toMatchObject({ epoch: lost.epoch, seq: lost.seq });
    expect((await client.read("k", { witness: lost })).epoch).not.toBe(first.epoch);
  });

  test("remembers in a snapshot that metadata was lost", async () => {
    const { server, client } = open({ kind });
    const { epoch } = await client.set("k", entryOf([1]));
    server.loseMeta();
    const restore = server.snapshot();
    await client.info();
    restore();
    const reply = await client.read("k");
    expect(reply.epoch).not.toBe(epoch);
    expect(reply).not.toHaveProperty("entry");
  });

  const resets: Record<string, (server: Server) => void> = {
    "restarts empty": (server) => server.restartEmpty(),
    restarts: (server) => server.restart(),
    "goes back to a snapshot": (server) => server.snapshot()(),
  };

  test.each(Object.keys(resets))("that %s tells so first, and answers nothing that was under way", async (name) => {
    const { base, server, client } = open({ kind });
    await client.lease("k");
    const held = await client.hold("k");
    const leaving = new AbortController();
    const letGo = await client.hold("k", 20_000, leaving.signal);
    const told: number[] = [];
    server.onReset(() => told.push(server.incarnation));
    const before = server.incarnation;
    const write = client.write({ kind: "delete", key: "k" });
    resets[name]!(server); // one of their names
    expect(base.timers).toBe(0);
    leaving.abort();
    expect(told).toEqual([server.incarnation]);
    expect(server.incarnation).not.toBe(before);
    expect(await isSettled(Promise.race([held.reply, letGo.reply, write]), base)).toBe(false);
    expect(await client.read("k")).toBeDefined();
  });

  test("ages entries by its own clock, which jumps without the clients'", async () => {
    const { base, server, client } = open({ kind });
    const { time } = await client.set("k", entryOf([1], { ttlMs: 60_000 }));
    server.jump(59_000);
    expect((await client.read("k")).entry).toMatchObject({ ageMs: 59_000, freshForMs: 1_000 });
    server.jump(1_000);
    expect(await client.read("k")).not.toHaveProperty("entry");
    server.jump(-HOUR);
    expect((await client.info()).time).toBe(time + 60_000 - HOUR);
    expect(base.now()).toBe(time);
  });

  test("counts what it holds without a trace", async () => {
    const { server, client } = open({ kind });
    expect(server.holdings()).toEqual([{ entries: 0, bytes: 0, leases: 0, tags: 0, logRecords: 0 }]);
    await client.set("k", entryOf([1, 2, 3]));
    await client.write({ kind: "tags", tags: ["t", "@n"] });
    await client.lease("l");
    const { entries, bytes, leases, tags, logRecords, epoch } = await client.info();
    expect(server.holdings()).toEqual([{ entries, bytes, leases, tags, logRecords }]);
    server.loseMeta();
    const [held] = server.holdings();
    // In Redis the log is part of the metadata.
    expect(held).toMatchObject({ entries: 1, logRecords: kind === "redis" ? 0 : 2 });
    expect((await client.info()).epoch).not.toBe(epoch);
  });

  test("keeps within the limits that it is given", async () => {
    const limits = { maxEntries: 2, maxTags: 1, maxLogRecords: 3, maxWaiters: 1 };
    const { server, client } = open({ kind, limits });
    for (const key of ["a", "b", "c", "d"]) await client.set(key, entryOf([1]));
    await client.write({ kind: "tags", tags: ["t"] });
    await client.write({ kind: "tags", tags: ["u"] });
    // Redis evicts by its own policy, and waiting is the clients' affair.
    expect(server.holdings()).toMatchObject([{ entries: kind === "redis" ? 4 : 2, tags: 1, logRecords: 3 }]);
    if (kind === "redis") return;
    await client.lease("l");
    await client.hold("l");
    expect(await client.want("l", { waitMs: 20_000 })).toHaveProperty("busy");
  });

  test("brings back what was left when it had pruned", async () => {
    const { base, server, client } = open({ kind, limits: { maxEntries: 3, maxTags: 1, maxLogRecords: 3 } });
    for (const key of ["a", "b", "c", "d"]) await client.set(key, entryOf([1], { ttlMs: key === "d" ? 60_000 : 10 }));
    await base.advance(20);
    const { tip } = await client.write({ kind: "tags", tags: ["t"] });
    await client.write({ kind: "delete", key: "a" });
    await client.write({ kind: "tags", tags: ["u"] });
    const held = server.holdings();
    const position = await client.info();
    server.snapshot()();
    expect(server.holdings()).toEqual(held);
    const { records } = await client.changesSince({ ...position, seq: position.seq - 2, tip });
    expect(records).toHaveLength(2);
  });

  test("takes the same course with the same seed, and another one with another", async () => {
    const epochs = async (seed: number): Promise<string[]> => {
      const { server, client } = open({ kind, seed });
      const { epoch } = await client.info();
      server.restartEmpty();
      return [epoch, (await client.info()).epoch];
    };
    expect(await epochs(7)).toEqual(await epochs(7));
    expect(new Set([...(await epochs(7)), ...(await epochs(8))]).size).toBe(4);
  });

  test("leaves no timer when it is closed", async () => {
    const { base, server, client } = open({ kind });
    await client.set("k", entryOf([1]));
    await client.lease("l");
    await client.hold("l");
    server.close();
    closing.splice(0);
    expect(base.timers).toBe(0);
  });
});

describe("a server of maps", () => {
  test("lets a mutant change requests before they are executed", () => {
    const meddle = (operation: string, request: object) => ({ ...request, operation });
    const { server } = open({ kind: "map", subject: { ...subject, meddle } });
    expect(server.meddle("read", 0, { key: "k" })).toEqual({ key: "k", operation: "read" });
    expect(open({ kind: "object", subject: { ...subject, meddle } }).server.meddle("read", 0, {})).toEqual({});
  });
});

describe("a server of objects", () => {
  test("keeps its data when it restarts", async () => {
    const { server, client } = open({ kind: "object" });
    const { epoch, seq } = await client.set("k", entryOf([1]));
    server.restart();
    expect(await bytesOf(client, "k")).toEqual([1]);
    expect(await client.info()).toMatchObject({ epoch, seq });
  });

  test("executes nothing for a process that has ended", async () => {
    const { server, client, base } = open({ kind: "object" });
    await client.set("k", entryOf([1]));
    void client.write({ kind: "delete", key: "k" });
    server.restart();
    await base.advance(0);
    expect(await bytesOf(client, "k")).toEqual([1]);
  });

  test("fails a call whose caller lets go, held or not", async () => {
    const { server, client } = open({ kind: "object" });
    const leaving = [new AbortController(), new AbortController()] as const;
    await client.lease("k");
    const held = await client.hold("k", 20_000, leaving[0].signal);
    leaving[0].abort();
    await expect(held.reply).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    const info = server.connect(1).info(0, { signal: leaving[1].signal });
    leaving[1].abort();
    await expect(info).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  });

  test("has the number of partitions that was recorded first, which later clients adopt", async () => {
    const server = serve({ kind: "object", base: virtualPlatform({ settle }) });
    expect(server.partitions).toBe(1);
    const [two, three] = [server.connect(2), server.connect(3)];
    expect(server.partitions).toBe(2);
    await three.info(2, {});
    expect(server.partitions).toBe(3);
    expect(await two.info(1, {})).toEqual({ moved: true });
    expect(two.partitions).toBe(3);
    expect(server.holdings()).toHaveLength(3);
    server.restart();
    expect(server.partitions).toBe(3);
    const stubborn = server.connect(2);
    expect(await stubborn.info(0, {})).toEqual({ moved: true });
    server.restartEmpty();
    await server.connect(4).info(0, {});
    expect(server.partitions).toBe(4);
  });

  const nothing = (): void => undefined;
  test.each<[string, number, (server: Server) => void]>([
    ["when an hour has passed", HOUR, nothing],
    ["when its clock has jumped by an hour", 0, (server) => server.jump(HOUR)],
    ["though it restarted", HOUR, (server) => server.restart()],
    ["which a snapshot remembers", HOUR, (server) => server.snapshot()()],
  ])("removes what is over by its alarm, %s", async (_, ms, before) => {
    const { base, server, client } = open({ kind: "object" });
    await client.set("k", entryOf([1]));
    before(server);
    expect(server.holdings()).toMatchObject([{ entries: 1 }]);
    await base.advance(ms);
    expect(server.holdings()).toMatchObject([{ entries: 0 }]);
  });

  test("runs what a mutant makes of the object's own sources", async () => {
    const subject = await edited([{ file: "runtimes/cloudflare/host.ts", from: " await arm();", to: " void arm;" }]);
    const { base, server, client } = open({ kind: "object", subject });
    await client.set("k", entryOf([1]));
    await base.advance(HOUR);
    expect(server.holdings()).toMatchObject([{ entries: 1 }]);
  });
});

describe("a server of Redis", () => {
  /** A client that knows its server by INFO, over connections that are lost with their process. */
  function connected({ server, base }: Opened): StoreConnection {
    const transport = {
      preludes: plainPreludes,
      incarnation: true,
      send: async (command: readonly (string | Uint8Array)[]) => server.redis!.send(command), // it is one
      onLost(lost: () => void) {
        server.onReset(lost);
        return () => undefined;
      },
    };
    return subject.storeOver("redis", () => transport, {}).connect({ name: "simulated", platform: base });
  }

  test("keeps its data and its leases when it restarts", async () => {
    const { server, client } = open({ kind: "redis" });
    const { epoch } = await client.set("k", entryOf([1]));
    const grant = await client.lease("l");
    server.restart();
    expect(await bytesOf(client, "k")).toEqual([1]);
    expect(await client.commit(grant, entryOf([2]))).toMatchObject({ epoch, outcome: "stored" });
  });

  const processes: Record<string, (server: Server) => void> = {
    restarts: (server) => server.restart(),
    "goes back to a snapshot": (server) => server.snapshot()(),
  };

  test.each(Object.keys(processes))("that %s is known for another one by its INFO", async (name) => {
    const opened = open({ kind: "redis" });
    const connection = connected(opened);
    const before = await connection.info(0, {});
    expect(await connection.info(0, {})).toMatchObject({ epoch: (before as { epoch: string }).epoch });
    processes[name]!(opened.server); // one of their names
    expect(await connection.info(0, {})).not.toMatchObject({ epoch: (before as { epoch: string }).epoch });
  });

  test("loses one key, whichever it is", async () => {
    const { server, client } = open({ kind: "redis" });
    await client.set("a", entryOf([1]));
    await client.set("b", entryOf([2]));
    const { epoch } = await client.info();
    server.redis!.evict(4); // of four keys, the first: an entry
    expect([await bytesOf(client, "a"), await bytesOf(client, "b")]).toEqual([undefined, [2]]);
    server.redis!.evict(1); // of three, the metadata
    expect((await client.info()).epoch).not.toBe(epoch);
  });

  test("that is full refuses values and leases, and invalidates all the same", async () => {
    const { server, client } = open({ kind: "redis" });
    const { seq } = await client.set("k", entryOf([1]));
    server.redis!.setFull(true);
    await expect(client.set("k", entryOf([2]))).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    await expect(client.lease("l")).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    expect(await bytesOf(client, "k")).toEqual([1]);
    expect(await client.write({ kind: "delete", key: "k" })).toMatchObject({ seq: seq + 1 });
    expect(await bytesOf(client, "k")).toBeUndefined();
    server.redis!.setFull(false);
    expect(await client.set("k", entryOf([2]))).toMatchObject({ seq: seq + 2 });
  });

  test("has the number of partitions that was recorded first, until it loses it", async () => {
    const server = serve({ kind: "redis", base: virtualPlatform({ settle }) });
    const [two, three] = [server.connect(2), server.connect(3)];
    await three.info(2, {});
    expect(server.partitions).toBe(3);
    expect(await two.info(1, {})).toEqual({ moved: true });
    expect(two.partitions).toBe(3);
    server.restartEmpty();
    await server.connect(4).info(0, {});
    expect(server.partitions).toBe(4);
  });

  test("runs what a mutant makes of the script", async () => {
    const runs = scriptOf((_, text) => text.replace("local function late(deadline) return", "$& false and"));
    expect(runs).not.toBe(subject.script);
    const write = { nonce: "n", write: { kind: "delete", key: "k" }, deadline: 1 } as const;
    const [asIs, mutant] = [subject, { ...subject, runs }].map((subject) => open({ kind: "redis", subject }));
    await expect(asIs!.client.connection.write(0, write, {})).resolves.not.toHaveProperty("record");
    await expect(mutant!.client.connection.write(0, write, {})).resolves.toHaveProperty("record");
  });
});
