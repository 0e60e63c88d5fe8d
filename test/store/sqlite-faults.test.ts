// What goes wrong with a SQLite file: locks, races, a full disk, a damaged file. Reads go on (P5), writes fail loud.
import { readFileSync, writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache, type CacheEvents, type CacheOptions } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sql.ts";
import type { SqliteDatabase } from "../../src/store/sql.ts";
import { entryOf, storeDriver } from "../../src/testing/store-driver.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { databaseFile, valueOf } from "./sqlite/files.ts";

const platform = virtualPlatform();

const driverOn = (handle: SqliteDatabase) =>
  storeDriver({ store: sqliteStore(handle), platform, advance: platform.advance, close: async () => undefined });

/** A cache on the handle, without memory unless said so, so that every read asks the store. */
function cacheOn(handle: SqliteDatabase, options: CacheOptions = {}) {
  const cache = createCache({ name: "shop", store: sqliteStore(handle), platform, memory: false, ...options });
  onTestFinished(() => cache.close());
  const errors: CacheEvents["error"][] = [];
  cache.on("error", (event) => errors.push(event));
  return { cache, errors };
}

/** A handle on which something happens, once it says true: right after a statement that matches. */
function interrupted(handle: DatabaseSync, pattern: RegExp, happen: () => boolean): SqliteDatabase {
  let done = false;
  return {
    prepare(sql) {
      const statement = handle.prepare(sql);
      return {
        all(...params) {
          const rows = statement.all(...params);
          if (!done && pattern.test(sql)) done = happen();
          return rows;
        },
      };
    },
  };
}

/** An operation does its work at once, and only answers later. */
const begun = (operation: Promise<unknown>): boolean => operation instanceof Promise;

describe("while another process writes", () => {
  test("a hit is not held up, and sees what was there before", async () => {
    const { open } = databaseFile();
    const driver = driverOn(open());
    await driver.set("k", entryOf([1]));
    const other = open();
    other.exec("BEGIN IMMEDIATE; DELETE FROM iso1_conformance_entries");
    expect((await driver.read("k")).entry?.bytes?.[0]).toBe(1);
    other.exec("COMMIT");
    expect((await driver.read("k")).entry).toBeUndefined();
  });

  test("nor is one whose use would be noted for the order of eviction", async () => {
    const { open } = databaseFile();
    const driver = driverOn(open());
    await driver.set("k", entryOf([1], { ttlMs: 86_400_000 }));
    await platform.advance(3_600_000);
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    expect((await driver.read("k")).entry?.bytes?.[0]).toBe(1);
    other.exec("COMMIT");
    const place = "SELECT place FROM iso1_conformance_entries";
    expect(valueOf(other, place)).toBe(1);
    await driver.read("k");
    expect(valueOf(other, place)).toBe(2);
  });

  test("a write waits by timers, and is done when the lock is free", async () => {
    const { open } = databaseFile();
    const driver = driverOn(open());
    await driver.info();
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    let done = false;
    const write = driver.write({ kind: "delete", key: "k" }).then(() => (done = true));
    await platform.advance(300);
    expect(done).toBe(false);
    other.exec("COMMIT");
    await platform.run(write);
    expect((await driver.info()).seq).toBe(1);
    expect(platform.timers).toBe(0);
  });

  test("a write that gets no lock within the time-out is a StoreError, and was not done", async () => {
    const { open } = databaseFile();
    const driver = driverOn(open());
    await driver.info();
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    const startedAt = platform.monotonic();
    await expect(platform.run(driver.write({ kind: "delete", key: "k" }))).rejects.toMatchObject({
      code: "ISOCACHE_STORE",
      message: expect.stringMatching(/^The database was locked for \d+ ms$/),
    });
    const waitedMs = platform.monotonic() - startedAt;
    expect(waitedMs).toBeGreaterThan(400);
    expect(waitedMs).toBeLessThanOrEqual(500);
    other.exec("COMMIT");
    expect((await driver.info()).seq).toBe(0);
  });

  test("a cache reads on, its invalidations reject, hold here at once, and reach the store when it is free", async () => {
    const { open } = databaseFile();
    const { cache, errors } = cacheOn(open());
    await cache.set("k", "old");
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    expect(await platform.run(cache.getOrSet("k", () => "loaded"))).toBe("old");
    expect(await platform.run(cache.getOrSet("new", () => "loaded"))).toBe("loaded");
    expect(errors[0]).toMatchObject({ operation: "read", error: { code: "ISOCACHE_STORE" } });
    await expect(platform.run(cache.delete("k"))).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    expect(await platform.run(cache.get("k"))).toBeUndefined();
    other.exec("COMMIT");
    await platform.advance(60_000);
    expect(await platform.run(cacheOn(other).cache.get("k"))).toBeUndefined();
  });
});

test("what was done is told as done, although what is over cannot be removed after it", async () => {
  const { open } = databaseFile();
  const other = open();
  let armed = false;
  const handle = interrupted(open(), /^COMMIT/, () => {
    if (armed) other.exec("BEGIN IMMEDIATE");
    return armed;
  });
  const driver = driverOn(handle);
  await driver.set("over", entryOf([1], { ttlMs: 10 }));
  const grant = await driver.lease("k");
  await platform.advance(20);
  armed = true;
  expect((await platform.run(driver.commit(grant, entryOf([2])))).outcome).toBe("stored");
  other.exec("COMMIT");
  expect((await driver.info()).entries).toBe(2);
});

test("a write between what a step reads and what it writes makes it begin anew: no seq is given twice", async () => {
  const { open } = databaseFile();
  const there = driverOn(open());
  await there.info();
  const here = driverOn(
    interrupted(open(), /SELECT epoch/, () => begun(there.write({ kind: "delete", key: "a" }, "n1"))),
  );
  await here.write({ kind: "delete", key: "b" }, "n2");
  const { records, seq } = await here.changesSince({ ...(await here.info()), seq: 0, tip: "" });
  expect([seq, records?.map(({ nonce }) => nonce)]).toEqual([2, ["n1", "n2"]]);
});

test("an invalidation between what a commit reads and what it stores keeps the old value out", async () => {
  const { open } = databaseFile();
  const there = driverOn(open());
  let race = (): boolean => false;
  const here = driverOn(interrupted(open(), /SELECT lease/, () => race()));
  const grant = await there.lease("k");
  race = () => begun(there.write({ kind: "delete", key: "k" }));
  expect((await here.commit(grant, entryOf([1]))).outcome).toBe("refused");
  expect((await here.read("k")).entry).toBeUndefined();
});

test("of two that find the file empty at once, both get the same epoch", async () => {
  const { open } = databaseFile();
  const there = driverOn(open());
  const here = driverOn(interrupted(open(), /SELECT epoch/, () => begun(there.info())));
  expect((await here.info()).epoch).toBe((await there.info()).epoch);
});

test("a transaction that the user has open makes a StoreError, and is the user's still", async () => {
  const handle = databaseFile().open();
  const driver = driverOn(handle);
  await driver.info();
  handle.exec("CREATE TABLE mine(x); BEGIN; INSERT INTO mine VALUES (1)");
  await expect(driver.write({ kind: "delete", key: "k" })).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  handle.exec("COMMIT");
  expect(valueOf(handle, "SELECT x FROM mine")).toBe(1);
  expect((await driver.write({ kind: "delete", key: "k" })).seq).toBe(1);
});

test("a handle that was closed makes StoreErrors, and reads go on", async () => {
  const handle = databaseFile().open();
  const { cache, errors } = cacheOn(handle);
  await cache.set("k", 1);
  handle.close();
  expect(await platform.run(cache.getOrSet("k", () => 2))).toBe(2);
  await expect(platform.run(cache.delete("k"))).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  expect(errors[0]?.error).toMatchObject({ code: "ISOCACHE_STORE" });
});

test("a full disk: values are loaded and not stored, hits go on, invalidations reject, and all is well again after", async () => {
  const handle = databaseFile().open();
  const { cache, errors } = cacheOn(handle);
  await cache.set("k", "x".repeat(10_000));
  handle.exec(`PRAGMA max_page_count = ${Number(valueOf(handle, "PRAGMA page_count"))}`);
  const big = "y".repeat(100_000);
  expect(await platform.run(cache.getOrSet("big", () => big))).toBe(big);
  expect(errors.map(({ operation }) => operation)).toContain("commit");
  await expect(platform.run(cache.set("big", big))).rejects.toMatchObject({
    code: "ISOCACHE_STORE",
    cause: { message: expect.stringContaining("full") },
  });
  expect(await platform.run(cache.get("k"))).toBe("x".repeat(10_000));
  handle.exec("PRAGMA max_page_count = 1000000");
  await platform.advance(60_000);
  await platform.run(cache.set("big", big));
  expect(await platform.run(cache.get("big"))).toBe(big);
  expect(valueOf(handle, "PRAGMA integrity_check")).toBe("ok");
});

test("a file that is no database makes StoreErrors, and reads go on", async () => {
  const { path, open } = databaseFile();
  writeFileSync(path, "no database, but text ".repeat(500));
  const { cache, errors } = cacheOn(open());
  expect(await platform.run(cache.getOrSet("k", () => 1))).toBe(1);
  expect(errors[0]).toMatchObject({ operation: "read", error: { code: "ISOCACHE_STORE" } });
  expect(errors[0]?.error).toMatchObject({ cause: { message: "file is not a database" } });
  await expect(platform.run(cache.invalidateTags(["t"]))).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  expect(readFileSync(path, "utf8")).toContain("no database");
});

test("a file damaged in the middle makes StoreErrors where it is damaged, and reads go on", async () => {
  const { path, open } = databaseFile();
  const first = open();
  const driver = cacheOn(first).cache;
  for (let index = 0; index < 200; index++) await driver.set(`k${index}`, "x".repeat(1_000));
  first.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  first.close();
  const bytes = readFileSync(path);
  const pageBytes = 4_096;
  bytes.fill(0xa5, 12 * pageBytes, bytes.length - 2 * pageBytes);
  writeFileSync(path, bytes);
  const { cache, errors } = cacheOn(open());
  for (let index = 0; index < 200; index++) {
    expect(await platform.run(cache.getOrSet(`k${index}`, () => "x".repeat(1_000)))).toBe("x".repeat(1_000));
  }
  expect(errors.map(({ error }) => String(Object(error).cause))).toContainEqual(expect.stringContaining("malformed"));
  await expect(platform.run(cache.delete("k150"))).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
});
