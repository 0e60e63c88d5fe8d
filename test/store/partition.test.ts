// What a partition does beyond the contract's conformance: wrong clocks, bounds, upkeep, failures, on both storages.
import { describe, expect, test } from "vitest";
import type { NewEntry, ReadReply, ReadRequest } from "../../src/store/contract.ts";
import { mapStorage } from "../../src/store/map-storage.ts";
import { createPartition } from "../../src/store/partition.ts";
import type { PartitionLimits } from "../../src/store/partition.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { nodeSqlite } from "./node-sqlite.ts";

const HOUR = 3_600_000;
const OVERHEAD = 200;

const storages: Record<string, () => PartitionStorage> = { map: mapStorage, sql: () => sqlStorage(nodeSqlite()) };

function entryOf(size: number, labels: Partial<NewEntry> = {}): NewEntry {
  const windows = { ttlMs: 10 * HOUR, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
  return { ...windows, tags: [], ...labels, bytes: new Uint8Array(size) };
}

function open(storage: PartitionStorage, limits: Partial<PartitionLimits> = {}) {
  const platform = virtualPlatform();
  const partition = createPartition({ storage, platform, limits });
  let last = 0;
  const fresh = (): string => `id-${++last}`;
  const read = (key: string, more: Partial<ReadRequest> = {}): Promise<ReadReply> =>
    partition.read({ key, waitMs: 0, ...more }, {});
  const wish = (token = fresh(), leaseMs = 1_000) => ({ lease: { token, leaseMs, scopes: ["@"] } });
  const set = (key: string, entry: NewEntry) => partition.write({ nonce: fresh(), write: { kind: "set", key, entry } });
  const has = async (key: string): Promise<boolean> => (await read(key, { hold: "x" })).entry !== undefined;
  return { platform, partition, fresh, read, wish, set, has };
}

describe.each(Object.keys(storages))("a partition over %s storage", (kind) => {
  const make = (limits?: Partial<PartitionLimits>) => open(storages[kind]!(), limits);

  test("ages are never negative when the clock goes back, and ttl counts on from there", async () => {
    const { platform, set, read } = make();
    set("k", entryOf(1, { ttlMs: 1_000 }));
    platform.jump(-HOUR);
    expect((await read("k")).entry).toMatchObject({ ageMs: 0, freshForMs: 1_000 });
    platform.jump(HOUR + 400);
    expect((await read("k")).entry).toMatchObject({ ageMs: 400, freshForMs: 600 });
  });

  test("what was expired stays stale when the clock goes back", async () => {
    const { platform, partition, fresh, set, read } = make();
    set("key", entryOf(1, { staleIfErrorMs: 1_000 }));
    set("tag", entryOf(1, { staleIfErrorMs: 1_000, tags: ["t"] }));
    partition.write({ nonce: fresh(), write: { kind: "expire", key: "key" } });
    partition.write({ nonce: fresh(), write: { kind: "expireTags", tags: ["t"] } });
    platform.jump(-HOUR);
    for (const key of ["key", "tag"])
      expect((await read(key)).entry).toMatchObject({ freshForMs: 0, staleIfErrorMs: 1_000 });
  });

  test("a lease does not outlive its time by the hour that the clock went back", async () => {
    const { platform, read, wish } = make();
    await read("k", wish());
    platform.jump(-HOUR);
    expect((await read("k", wish())).busy).toEqual({ leftMs: 1_000, backoff: false });
    await platform.advance(1_001);
    expect((await read("k", wish())).lease).toEqual({ version: 0 });
  });

  test("a held read gets the lease although the clock went back while it waited", async () => {
    const { platform, read, wish } = make();
    await read("k", wish());
    const held = read("k", { ...wish(), waitMs: 10_000 });
    platform.jump(-HOUR);
    expect((await platform.run(held, 5_000)).lease).toEqual({ version: 0 });
    expect(platform.timers).toBe(0);
  });

  test("no more reads are held than the limit allows: one more is answered at once", async () => {
    const { platform, partition, read, wish } = make({ maxWaiters: 2 });
    await read("k", wish());
    const held = [read("k", { ...wish(), waitMs: 500 }), read("k", { ...wish(), waitMs: 500 })];
    expect((await read("k", { ...wish(), waitMs: 500 })).busy).toBeDefined();
    partition.close();
    expect((await Promise.all(held)).map(({ busy }) => busy !== undefined)).toEqual([true, true]);
    expect(platform.timers).toBe(0);
    const again = [read("k", { ...wish(), waitMs: 500 }), read("k", { ...wish(), waitMs: 500 })];
    await platform.advance(0);
    expect(platform.timers).toBe(2);
    await platform.run(Promise.all(again));
  });

  test("onHeld is called once, when a read begins to wait, and never for one that does not", async () => {
    const { platform, partition, read, wish } = make();
    let calls = 0;
    const call = { onHeld: () => void calls++ };
    await partition.read({ key: "k", waitMs: 500, ...wish() }, call);
    await partition.read({ key: "k", waitMs: 0, ...wish() }, call);
    await partition.read({ key: "k", waitMs: 500, ...wish() }, { ...call, signal: AbortSignal.abort() });
    expect(calls).toBe(0);
    await platform.run(partition.read({ key: "k", waitMs: 500, ...wish() }, call));
    expect(calls).toBe(1);
    await read("k");
  });

  test("a read that was held leaves no listener on its signal", async () => {
    const { platform, partition, read, wish } = make();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      Reflect.apply(removeEventListener, signal, args);
    };
    await read("k", wish());
    const held = partition.read({ key: "k", waitMs: 500, ...wish() }, { signal });
    await platform.advance(0);
    expect(listeners).toBe(1);
    await platform.run(held);
    expect(listeners).toBe(0);
  });

  test("no lease blocks longer than ten minutes, whatever was asked for", async () => {
    const { platform, partition, read, wish } = make();
    await read("k", wish("t", Number.MAX_SAFE_INTEGER));
    expect((await read("k", wish())).busy?.leftMs).toBe(600_000);
    partition.renew({ key: "k", token: "t", leaseMs: Number.MAX_SAFE_INTEGER });
    await platform.advance(600_000);
    expect((await read("k", wish())).lease).toBeDefined();
  });

  test("a wait has an end even if a caller asks for ever and the lease is renewed for ever", async () => {
    const { platform, partition, read, wish } = make();
    await read("k", wish("leader"));
    const held = read("k", { ...wish(), waitMs: Number.MAX_SAFE_INTEGER });
    let done = false;
    void held.then(() => (done = true));
    for (let second = 0; second < 61; second++) {
      partition.renew({ key: "k", token: "leader", leaseMs: 2_000 });
      await platform.advance(1_000);
    }
    expect(done).toBe(true);
  });

  test("beyond the number of entries the least recently used go first; a use within the hour is not noted", async () => {
    const { platform, set, has } = make({ maxEntries: 3 });
    for (const key of ["a", "b", "c", "d"]) set(key, entryOf(1));
    expect([await has("a"), await has("b")]).toEqual([false, true]);
    set("e", entryOf(1));
    expect([await has("b"), await has("c")]).toEqual([false, true]);
    await platform.advance(HOUR);
    expect(await has("c")).toBe(true);
    set("f", entryOf(1));
    expect([await has("c"), await has("d"), await has("f")]).toEqual([true, false, true]);
  });

  test("an entry written again after an hour counts as used, within the hour it does not", async () => {
    const { platform, set, has } = make({ maxEntries: 2 });
    for (const key of ["a", "b", "a", "c"]) {
      set(key, entryOf(1));
      await platform.advance(10);
    }
    expect([await has("a"), await has("b")]).toEqual([false, true]);
    await platform.advance(HOUR);
    for (const key of ["b", "d"]) set(key, entryOf(1));
    expect([await has("b"), await has("c"), await has("d")]).toEqual([true, false, true]);
  });

  test("beyond the number of bytes, keys and tags included, entries go until the rest fits", async () => {
    const { partition, set, has } = make({ maxBytes: 10_000 });
    for (const key of ["a", "b", "c"]) set(key, entryOf(3_000 - OVERHEAD - 1));
    expect(partition.info()).toMatchObject({ entries: 3, bytes: 9_000 });
    set("dddd", entryOf(6_996 - OVERHEAD - 10, { tags: ["1234567", "890"] }));
    expect(partition.info()).toMatchObject({ entries: 2, bytes: 10_000 });
    expect([await has("b"), await has("c"), await has("dddd")]).toEqual([false, true, true]);
    set("dddd", entryOf(1));
    expect(partition.info()).toMatchObject({ entries: 2, bytes: 3_000 + OVERHEAD + 5 });
  });

  test("an entry that alone is too large is not stored: a commit is refused, a set removes what was there", async () => {
    const { partition, set, has, read, wish } = make({ maxBytes: 1_000 });
    set("other", entryOf(1));
    set("k", entryOf(1));
    expect(set("k", entryOf(2_000)).record).toMatchObject({ key: "k", expire: false });
    expect([await has("k"), await has("other")]).toEqual([false, true]);
    const { epoch, lease } = await read("k", wish("t"));
    const { version } = lease!;
    expect(partition.commit({ key: "k", token: "t", epoch, version, entry: entryOf(2_000) }).outcome).toBe("refused");
    expect([await has("k"), await has("other")]).toEqual([false, true]);
  });

  test("prune removes what is over, invalid or foreign in bounded steps, and says when the tour is done", async () => {
    const { platform, partition, fresh, set, has } = make();
    for (let index = 0; index < 10; index++) set(`old ${index}`, entryOf(1));
    const { epoch } = partition.info();
    partition.changesSince({ since: { epoch, seq: 99, tip: "x" } }); // a new epoch
    for (let index = 0; index < 5; index++) set(`over ${index}`, entryOf(1, { ttlMs: 10, staleIfErrorMs: 10 }));
    for (let index = 0; index < 5; index++) set(`gone ${index}`, entryOf(1, { tags: ["t"] }));
    partition.write({ nonce: fresh(), write: { kind: "tags", tags: ["t"] } });
    set("k", entryOf(1));
    await platform.advance(20);
    const left = [];
    while (partition.prune(4)) left.push(partition.info().entries);
    expect(left).toEqual([17, 13, 9, 5, 1]);
    expect(partition.info()).toMatchObject({ entries: 1, bytes: OVERHEAD + 2 });
    expect(await has("k")).toBe(true);
    expect(partition.prune(4)).toBe(false);
  });

  test("a position is told from the log only if the records are not too large for one answer", () => {
    const { partition, fresh } = make();
    const { epoch } = partition.info();
    for (let round = 0; round < 11; round++) {
      partition.write({ nonce: fresh(), write: { kind: "tags", tags: [`${round}`.padEnd(100_000, "x")] } });
    }
    const since = (seq: number) => partition.changesSince({ since: { epoch, seq, tip: seq ? `id-${seq}` : "" } });
    expect(since(0).records).toBeUndefined();
    expect(since(2).records?.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("leases are bounded: beyond ten thousand the oldest is dropped, and its load is not stored", async () => {
    const { partition, read, wish } = make();
    const { epoch } = await read("first", wish("t"));
    for (let index = 0; index < 10_000; index++) await read(`k${index}`, wish());
    expect(partition.info().leases).toBe(10_000);
    expect(partition.commit({ key: "first", token: "t", epoch, version: 0, entry: entryOf(1) }).outcome).toBe(
      "refused",
    );
  });

  test("a failing storage is a StoreError with its cause, wakes nobody for nothing, and works again afterwards", async () => {
    const storage = storages[kind]!();
    const { platform, partition, read, wish, set, has } = open(storage);
    await read("k", wish("leader"));
    const held = read("k", { ...wish(), waitMs: 10_000 });
    const { append } = storage;
    const cause = new Error("disk full");
    storage.append = () => {
      throw cause;
    };
    expect(() => set("other", entryOf(1))).toThrow(expect.objectContaining({ code: "ISOCACHE_STORE", cause }));
    storage.append = append;
    set("other", entryOf(1));
    expect([partition.info().seq, await has("other")]).toEqual([1, true]);
    const { head } = storage;
    storage.head = () => {
      throw cause;
    };
    const outcome = expect(held).rejects.toMatchObject({ code: "ISOCACHE_STORE", cause });
    await platform.advance(1_001);
    await outcome;
    expect(platform.timers).toBe(0);
    storage.head = head;
    expect((await read("k", wish())).lease).toEqual({ version: 1 });
  });
});
