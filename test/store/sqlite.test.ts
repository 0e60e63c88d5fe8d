// sqliteStore: what several handles on one file see of each other, what it does to the file, and its options.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { sqliteStore } from "../../src/store/sql.ts";
import type { SqliteDatabase, SqliteStoreOptions } from "../../src/store/sql.ts";
import { entryOf, storeDriver } from "../../src/testing/store-driver.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { databaseFile, valueOf } from "./sqlite/files.ts";

/** Drivers of stores on handles of their own, under one clock. */
function fleet(count: number, options?: SqliteStoreOptions, name?: string) {
  const file = databaseFile();
  const platform = virtualPlatform();
  const drivers = Array.from({ length: count }, () => {
    const store = sqliteStore(file.open(), options);
    return storeDriver({ store, platform, advance: platform.advance, close: async () => undefined }, name);
  });
  return { ...file, platform, drivers };
}

const pair = (options?: SqliteStoreOptions) => {
  const { drivers, ...rest } = fleet(2, options);
  return { ...rest, here: drivers[0]!, there: drivers[1]! }; // two, as asked
};

test("the handles of node:sqlite fit the type as they are", () => {
  const handle: SqliteDatabase = new DatabaseSync(":memory:");
  expect(sqliteStore(handle).kind).toBe("sqlite");
});

describe("two handles on one file", () => {
  test("see each other's entries, positions and totals", async () => {
    const { here, there } = pair();
    await here.load("k", entryOf([1], { tags: ["t"] }));
    expect((await there.read("k")).entry?.bytes?.[0]).toBe(1);
    await there.write({ kind: "tags", tags: ["t"] });
    expect((await here.read("k")).entry).toBeUndefined();
    await here.set("a", entryOf([1, 2]));
    await there.set("b", entryOf([1, 2, 3]));
    await there.write({ kind: "delete", key: "k" });
    expect(await here.info()).toEqual(await there.info());
    expect(await here.info()).toMatchObject({ entries: 2, seq: 4, bytes: 2 * (200 + "@root".length + 1) + 5 });
  });

  test("have one lease between them, which an invalidation by either revokes", async () => {
    const { here, there } = pair();
    const grant = await here.lease("k");
    expect((await there.want("k")).busy?.leftMs).toBe(30_000);
    await there.write({ kind: "delete", key: "k" });
    expect((await here.commit(grant, entryOf([1]))).outcome).toBe("refused");
    expect((await there.load("k", entryOf([2]))).outcome).toBe("stored");
    expect((await here.read("k")).entry?.bytes?.[0]).toBe(2);
  });

  test("a held read gets what the other one commits within 100 ms, and nobody is held up by it", async () => {
    const { here, there, platform } = pair();
    const grant = await here.lease("k");
    const held = await there.hold("k");
    await platform.advance(5_000);
    expect(held.isDone()).toBe(false);
    await here.commit(grant, entryOf([1]));
    await platform.advance(100);
    expect(held.isDone()).toBe(true);
    expect((await held.reply).entry?.bytes?.[0]).toBe(1);
    expect(platform.timers).toBe(0);
  });

  test("a held read says so once, and is over when its time is", async () => {
    const { here, there, platform } = pair();
    await here.lease("k");
    let held = 0;
    const lease = { token: "t", leaseMs: 1_000, scopes: ["@root"] };
    const reply = there.connection.read(0, { key: "k", lease, waitMs: 1_234 }, { onHeld: () => held++ });
    const startedAt = platform.monotonic();
    expect(await platform.run(reply)).toMatchObject({ busy: { leftMs: 30_000 - 1_234 } });
    expect([held, platform.monotonic() - startedAt]).toEqual([1, 1_234]);
  });

  test("a held read whose caller let go does not take the lease that the other one gave back", async () => {
    const { here, there, platform } = pair();
    const grant = await here.lease("k");
    const controller = new AbortController();
    const held = await there.hold("k", 20_000, controller.signal);
    await here.release(grant);
    controller.abort();
    expect((await held.reply).lease).toBeUndefined();
    await here.lease("k");
    expect(platform.timers).toBe(0);
  });

  test("closing ends what one of them holds", async () => {
    const { here, there, platform } = pair();
    await here.lease("k");
    const held = await there.hold("k");
    await there.connection.close();
    expect((await held.reply).busy).toBeDefined();
    expect(platform.timers).toBe(0);
  });

  test("know a write that was done already by the other one", async () => {
    const { here, there } = pair();
    await there.write({ kind: "delete", key: "other" });
    const first = await here.write({ kind: "delete", key: "k" }, "nonce");
    const again = await there.write({ kind: "delete", key: "k" }, "nonce");
    expect([again.record?.seq, again.seq]).toEqual([first.record?.seq, 2]);
  });

  test("begin a new epoch together, and leases of the old one are gone", async () => {
    const { here, there } = pair();
    const grant = await here.lease("k");
    const { epoch, seq } = await here.info();
    await there.changesSince({ epoch, seq: seq + 1, tip: "from a lost future" });
    expect((await here.info()).epoch).not.toBe(epoch);
    expect(await here.info()).toMatchObject({ leases: 0 });
    expect((await here.commit(grant, entryOf([1]))).outcome).toBe("refused");
  });
});

test("names share nothing, whatever their letters", async () => {
  const file = databaseFile();
  const platform = virtualPlatform();
  const store = sqliteStore(file.open());
  const names = ["a", "A", "a_a", "a$1$", "a b", `"; DROP TABLE x`, "\u{1f600}", "meta", "_", ""];
  const drivers = names.map((name) =>
    storeDriver({ store, platform, advance: platform.advance, close: async () => undefined }, name),
  );
  for (const [index, driver] of drivers.entries()) await driver.set("k", entryOf([index]));
  for (const [index, driver] of drivers.entries()) {
    expect((await driver.read("k")).entry?.bytes?.[0]).toBe(index);
    expect((await driver.info()).seq).toBe(1);
  }
});

test("the file is in WAL mode from the first use on, and not before", async () => {
  const { drivers, open } = fleet(1);
  const other = open();
  expect(valueOf(other, "PRAGMA journal_mode")).toBe("delete");
  await drivers[0]!.info();
  expect(valueOf(open(), "PRAGMA journal_mode")).toBe("wal");
});

test.each([
  [undefined, 1],
  ["normal", 1],
  ["full", 2],
] as const)("synchronous %s is what the handle gets", async (synchronous, expected) => {
  const handle = databaseFile().open();
  const platform = virtualPlatform();
  const connection = sqliteStore(handle, synchronous && { synchronous }).connect({ name: "a", platform });
  await connection.info(0, {});
  expect(valueOf(handle, "PRAGMA synchronous")).toBe(expected);
});

test("a handle that reads integers as BigInt works as any other", async () => {
  const store = sqliteStore(new DatabaseSync(":memory:", { readBigInts: true }));
  const platform = virtualPlatform();
  const driver = storeDriver({ store, platform, advance: platform.advance, close: async () => undefined });
  await driver.load("k", entryOf([1], { tags: ["t"] }));
  expect((await driver.read("k")).entry?.bytes?.[0]).toBe(1);
  expect(await driver.info()).toMatchObject({ entries: 1, seq: 0 });
});

test("closing leaves the handle open and its tables as they are", async () => {
  const { drivers, open } = fleet(1);
  await drivers[0]!.set("k", entryOf([1]));
  await drivers[0]!.connection.close();
  expect(valueOf(open(), "SELECT entries FROM iso1_conformance_totals")).toBe(1);
});

test("a nonce is found by an index, however long the log is", async () => {
  const { drivers, open } = fleet(1);
  await drivers[0]!.info();
  const plan = open().prepare("EXPLAIN QUERY PLAN SELECT seq FROM iso1_conformance_log WHERE record ->> '$.nonce' = ?");
  expect(JSON.stringify(plan.all("n"))).toContain("USING COVERING INDEX iso1_conformance_nonces");
});

test("leases whose processes are gone do not pile up", async () => {
  const { drivers, platform } = fleet(1);
  const [driver] = drivers;
  for (let index = 0; index < 10_050; index++) await driver!.lease(`k${index}`, 1);
  expect((await driver!.info()).leases).toBe(10_000);
  await platform.advance(10);
  expect((await driver!.load("k0", entryOf([1]))).outcome).toBe("stored");
});

describe("under steady use of more than fits", () => {
  const entry = (index: number) => entryOf(Array.from({ length: 500 + ((index * 7919) % 9_000) }, () => 7));

  test("the file stays as large as it was after the first round, and the totals right", async () => {
    const { drivers, bytes, open } = fleet(2, { maxBytes: 1_000_000 });
    const sizes: number[] = [];
    for (let index = 0; index < 6_000; index++) {
      await drivers[index % 2]!.set(`k${index}`, entry(index));
      if (index % 1_000 === 999) sizes.push(bytes());
    }
    expect(Math.max(...sizes.slice(1)) / sizes[1]!).toBeLessThan(1.1);
    const info = await drivers[0]!.info();
    expect(info.bytes).toBeLessThanOrEqual(1_000_000);
    expect(info.bytes).toBeGreaterThan(900_000);
    const sum = open().prepare(
      "SELECT COUNT(*) AS entries, SUM(head ->> '$.costBytes') AS bytes FROM iso1_conformance_entries",
    );
    expect(sum.get()).toEqual({ entries: info.entries, bytes: info.bytes });
  });

  test("what is over goes little by little, without ever being asked for", async () => {
    const { drivers, platform } = fleet(1);
    const [driver] = drivers;
    for (let index = 0; index < 100; index++) await driver!.set(`old${index}`, entryOf([1], { ttlMs: 1_000 }));
    await platform.advance(2_000);
    for (let index = 0; index < 60; index++) await driver!.set("new", entryOf([1]));
    expect((await driver!.info()).entries).toBe(1);
  });
});

describe("sqliteStore refuses", () => {
  const handle = new DatabaseSync(":memory:");
  test.each<[string, unknown]>([
    ["maxBytes", { maxBytes: 0 }],
    ["maxEntries", { maxEntries: 1.5 }],
    ["busyTimeout", { busyTimeout: -1 }],
    ["synchronous", { synchronous: "off" }],
  ])("a wrong %s", (name, options) => {
    expect(() => sqliteStore(handle, options as SqliteStoreOptions)).toThrow(OptionError);
    expect(() => sqliteStore(handle, options as SqliteStoreOptions)).toThrow(name);
  });

  test("what is no database", () => {
    expect(() => sqliteStore("cache.db" as unknown as SqliteDatabase)).toThrow(OptionError);
  });
});
