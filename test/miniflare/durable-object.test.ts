// What the Durable Object store promises beyond the contract: rows, sizes, eviction, alarms, shards, held reads.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultPlatform } from "../../src/default-platform.ts";
import type { Moved, ReadReply } from "../../src/store/contract.ts";
import { entryOf } from "../../src/testing/store-driver.ts";
import { startStoreWorkerd } from "./store-workerd.ts";
import type { StoreWorkerd } from "./store-workerd.ts";

const dates = ["2024-01-01", "2026-10-23"];

/** Rows written per operation, as billed; the Workers guide gives the prices. */
const ROWS = {
  miss: 0,
  lease: 0,
  "first commit": 2,
  hit: 0,
  "commit over an entry": 1,
  renewal: 0,
  release: 0,
  "first set": 3,
  "set over an entry": 2,
  expire: 2,
  delete: 2,
  "delete of nothing": 1,
  "one tag": 2,
  "three tags": 4,
  sync: 0,
  "set of 1 MiB": 4,
  // Values in parts: of one part, and of three.
  "first commit of 10 kB": 3,
  "commit of 10 kB over another": 2,
  "set of 10 kB over another": 3,
  "expire of 10 kB": 2,
  "delete of 10 kB": 3,
  "first set of 10 kB": 4,
  "first commit of 2.5 MB": 5,
  "commit of 2.5 MB over another": 4,
  "set of 2.5 MB over another": 5,
  "expire of 2.5 MB": 2,
  "delete of 2.5 MB": 5,
  "first set of 2.5 MB": 6,
};

describe.each(dates)("Durable Objects at compatibility date %s", (date) => {
  let workerd: StoreWorkerd;
  beforeAll(async () => {
    workerd = await startStoreWorkerd(date);
  });
  afterAll(() => workerd?.stop());

  test("each operation writes the rows that it is priced at", async () => {
    const route = { name: "rows" };
    const driver = workerd.driver(route);
    const written: Record<string, number> = {};
    await driver.info(); // makes the tables
    let before = (await workerd.seen(route)).rows;
    const note = async (operation: string, answer: Promise<unknown>): Promise<void> => {
      await answer;
      const { rows } = await workerd.seen(route);
      written[operation] = rows - before;
      before = rows;
    };
    const small = entryOf([1, 2, 3], { tags: ["a", "b"] });
    await note("miss", driver.read("k"));
    const grant = await driver.lease("k");
    await note("lease", Promise.resolve());
    await note("first commit", driver.commit(grant, small));
    await note("hit", driver.read("k"));
    await note("expire", driver.write({ kind: "expire", key: "k" }));
    await note("commit over an entry", driver.load("k", small));
    const other = await driver.lease("other");
    await note("renewal", driver.renew(other));
    await note("release", driver.release(other, 1_000));
    await note("first set", driver.set("new", small));
    await note("set over an entry", driver.set("k", small));
    await note("delete", driver.write({ kind: "delete", key: "k" }));
    await note("delete of nothing", driver.write({ kind: "delete", key: "absent" }));
    await note("one tag", driver.write({ kind: "tags", tags: ["a"] }));
    await note("three tags", driver.write({ kind: "expireTags", tags: ["a", "b", "c"] }));
    await note("sync", driver.changesSince({ epoch: "", seq: 0, tip: "" }));
    await note("set of 1 MiB", driver.set("large", { ...small, bytes: new Uint8Array(2 ** 20) }));
    for (const [size, length] of [
      ["10 kB", 10_000],
      ["2.5 MB", 2_500_000],
    ] as const) {
      const entry = { ...small, bytes: new Uint8Array(length) };
      await note(`first commit of ${size}`, driver.load(size, entry));
      await note(`set of ${size} over another`, driver.set(size, entry));
      await note(`expire of ${size}`, driver.write({ kind: "expire", key: size }));
      await note(`commit of ${size} over another`, driver.load(size, entry));
      await note(`delete of ${size}`, driver.write({ kind: "delete", key: size }));
      await note(`first set of ${size}`, driver.set(size, entry));
    }
    expect(written).toEqual(ROWS);
  });

  test("a value above two megabytes survives eviction of its object", async () => {
    const route = { name: "large" };
    const driver = workerd.driver(route);
    const bytes = Uint8Array.from({ length: 5 * 2 ** 20 + 1 }, (_, index) => index % 251);
    await driver.set("k", { ...entryOf([]), bytes });
    await workerd.evictPartition(route);
    const { entry } = await driver.read("k");
    expect(Buffer.compare(entry?.bytes ?? new Uint8Array(0), bytes)).toBe(0);
  });

  test("a value above the limit of a request is a StoreError, and the object works on", async () => {
    const driver = workerd.driver({ name: "too-large" });
    const bytes = new Uint8Array(33 * 2 ** 20);
    await expect(driver.set("k", { ...entryOf([]), bytes })).rejects.toMatchObject({
      code: "ISOCACHE_STORE",
      message: expect.stringContaining("413"),
    });
    expect((await driver.set("k", entryOf([1]))).record?.seq).toBe(1);
  });

  test("an object evicted in mid-load refuses the commit, and the next reader loads at once", async () => {
    const route = { name: "evicted" };
    const driver = workerd.driver(route);
    await driver.set("kept", entryOf([7]));
    const grant = await driver.lease("k");
    await workerd.evictPartition(route);
    expect((await driver.commit(grant, entryOf([1]))).outcome).toBe("refused");
    const { epoch } = await driver.load("k", entryOf([2]));
    expect(epoch).toBe(grant.epoch);
    expect((await driver.read("k")).entry?.bytes).toEqual(Uint8Array.of(2));
    expect((await driver.read("kept")).entry?.bytes).toEqual(Uint8Array.of(7));
  });

  test("a reset in mid-load fails those who wait with a StoreError and poisons nobody", async () => {
    const route = { name: "reset" };
    const leader = workerd.driver(route);
    const follower = workerd.driver({ ...route, isolate: "edge2" });
    const grant = await leader.lease("k");
    const { reply } = await follower.hold("k");
    const failed = expect(reply).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    await workerd.reset(route);
    await failed;
    expect((await leader.commit(grant, entryOf([1]))).outcome).toBe("refused");
    expect((await follower.load("k", entryOf([2]))).outcome).toBe("stored");
    expect((await leader.read("k")).entry?.bytes).toEqual(Uint8Array.of(2));
  });

  test("a hundred followers in two isolates are woken by one commit, each by the call it waits in", async () => {
    const route = { name: "followers" };
    const grant = await workerd.driver(route).lease("k");
    const ask = (isolate: string) => {
      const store = workerd.store({ ...route, isolate });
      const connection = store.connect({ name: route.name, platform: defaultPlatform() });
      const lease = { token: `follower-${Math.random()}`, leaseMs: 30_000, scopes: [] };
      return new Promise<{ reply: Promise<ReadReply | Moved> }>((resolve) => {
        const reply = connection.read(0, { key: "k", lease, waitMs: 20_000 }, { onHeld: () => resolve({ reply }) });
      });
    };
    const held = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(index % 2 ? "edge1" : "edge2")));
    await workerd.driver(route).commit(grant, entryOf([9]));
    const replies = await Promise.all(held.map(({ reply }) => reply));
    expect(replies.every((reply) => "entry" in reply && reply.entry?.bytes?.[0] === 9)).toBe(true);
    expect((await workerd.seen(route)).requests).toBe(102); // the lease, a hundred reads, the commit
  });

  test("an empty object sets no alarm; the first entry sets one, an hour ahead, and later ones none", async () => {
    const route = { name: "alarm" };
    const driver = workerd.driver(route);
    await driver.read("k");
    await driver.write({ kind: "tags", tags: ["a"] });
    expect(await workerd.seen(route)).toMatchObject({ alarms: [], alarm: null });
    await driver.load("k", entryOf([1]));
    await driver.set("l", entryOf([2]));
    await workerd.evictPartition(route);
    await driver.set("m", entryOf([3]));
    const { alarms, alarm } = await workerd.seen(route);
    expect(alarm).toBeGreaterThan(Date.now() + 3_500_000);
    expect(alarms).toEqual([]);
  });

  test("alarms remove what is over, step by step, and stop when nothing is left", async () => {
    const route = { name: "prune", binding: "QUICK" } as const;
    const driver = workerd.driver(route);
    const lasting = (ttlMs: number) => ({ ...entryOf([1]), ttlMs });
    await Promise.all(Array.from({ length: 20 }, (_, index) => driver.set(`k${index}`, lasting(1))));
    await driver.set("longer", lasting(1_000)); // outlives the first alarms
    await expect.poll(async () => (await driver.info()).entries, { timeout: 5_000 }).toBe(0);
    await expect.poll(async () => (await workerd.seen(route)).alarm, { timeout: 5_000 }).toBe(null);
  });

  test("the number of shards that came first stays, and other deployments adopt it", async () => {
    const name = "shards";
    const four = workerd.store({ name, shards: 4 }).connect({ name, platform: defaultPlatform() });
    const two = workerd.store({ name, shards: 2, isolate: "edge2" }).connect({ name, platform: defaultPlatform() });
    const read = { key: "k", waitMs: 0 };
    expect(await four.read(3, read, {})).toHaveProperty("epoch");
    expect(await two.read(1, read, {})).toEqual({ moved: true });
    expect(two.partitions).toBe(4);
    expect(await two.read(1, read, {})).toHaveProperty("epoch");
  });

  test("only the first call to a new object takes more than one trip", async () => {
    const route = { name: "trips", shards: 8 };
    const trips: number[] = [];
    const ask = async (isolate: string, partition: number): Promise<void> => {
      const store = workerd.store({ ...route, isolate }, (count) => trips.push(count));
      await store
        .connect({ name: route.name, platform: defaultPlatform() })
        .read(partition, { key: "k", waitMs: 0 }, {});
    };
    await ask("edge1", 5); // unconfirmed, partition 0, again
    await ask("edge1", 6); // what this isolate heard before may be of a partition 0 that is lost
    await ask("edge2", 5);
    await ask("edge2", 6);
    expect(trips).toEqual([3, 3, 1, 1]);
  });

  test("when partition 0 is lost and another number comes first, the others forget what they had and take it", async () => {
    const name = "lost";
    const two = workerd.store({ name, shards: 2 }).connect({ name, platform: defaultPlatform() });
    const write = { kind: "set", key: "k", entry: entryOf([1]) } as const;
    await two.write(1, { write, nonce: "n1" }, {});
    await workerd.reset({ name }, 0, "lose");
    const four = workerd.store({ name, shards: 4, isolate: "edge2" }).connect({ name, platform: defaultPlatform() });
    const read = { key: "k", waitMs: 0 };
    expect(await four.read(0, read, {})).toHaveProperty("epoch");
    const found = await four.read(1, read, {});
    expect(found).toHaveProperty("epoch");
    expect(found).not.toHaveProperty("entry");
    expect(four.partitions).toBe(4);
    expect(await two.read(0, read, {})).toEqual({ moved: true });
    expect(two.partitions).toBe(4);
  });

  test("callers that let go, and clients that disconnect, leave no held read behind", async () => {
    const name = "leak";
    const driver = workerd.driver({ name });
    await driver.lease("k", 600_000);
    const path = `/hold?name=${name}&key=k&count=600`;
    for (let round = 0; round < 2; round++) {
      const response = await workerd.fetch("edge1", `${path}&waitMs=60000&abort=1`);
      expect(await response.json()).toEqual({ held: 600, outcomes: [expect.stringContaining("Abort")] });
    }
    const asked = (await workerd.seen({ name })).requests;
    for (let round = 1; round <= 2; round++) {
      const client = workerd.raw("edge2", `${path}&waitMs=800`);
      await expect.poll(async () => (await workerd.seen({ name })).requests).toBe(asked + 600 * round);
      client.cut();
      expect(await client.text).toBe("");
      await new Promise((resolve) => setTimeout(resolve, 900));
    }
    const last = await workerd.fetch("edge1", `${path.replace("600", "1000")}&waitMs=300`);
    expect(await last.json()).toEqual({ held: 1000, outcomes: ["answered"] });
  });

  test("no object and no Worker threw anything that nobody caught", () => {
    expect(workerd.uncaught).toEqual([]);
  });
});
