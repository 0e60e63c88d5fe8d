// SQL storage by itself: rows written, rows that cannot be read, and steps that fail half-way.
import { expect, test } from "vitest";
import type { NewEntry } from "../../src/store/contract.ts";
import { createPartition } from "../../src/store/partition.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { nodeSqlite } from "./node-sqlite.ts";

const HOUR = 3_600_000;
const MIB = 1_048_576;

function entryOf(size: number, tags: readonly string[] = ["@", "t"]): NewEntry {
  return { ttlMs: 9 * HOUR, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags, bytes: new Uint8Array(size).fill(7) };
}

function open(sqlite = nodeSqlite(), last = 0) {
  const platform = virtualPlatform();
  const partition = createPartition({ storage: sqlStorage(sqlite), platform });
  const changes = (): number => Number(sqlite.raw.prepare("SELECT total_changes() AS n").get()?.["n"]);
  /** How many rows of tables a step wrote; those of indexes are not counted. */
  const rows = async (step: () => unknown): Promise<number> => {
    const before = changes();
    await step();
    return changes() - before;
  };
  const read = (key: string) => partition.read({ key, waitMs: 0 }, {});
  const set = (key: string, size: number, tags?: readonly string[]) =>
    partition.write({ nonce: `n${++last}`, write: { kind: "set", key, entry: entryOf(size, tags) } });
  const drop = (key: string) => partition.write({ nonce: `n${++last}`, write: { kind: "delete", key } });
  const tags = (...names: string[]) => partition.write({ nonce: `n${++last}`, write: { kind: "tags", tags: names } });
  const load = async (key: string, size: number) => {
    const token = `t${++last}`;
    const lease = { token, leaseMs: 1_000, scopes: ["@"] };
    const { epoch, lease: granted } = await partition.read({ key, waitMs: 0, lease }, {});
    const version = granted!.version;
    return rows(() => partition.commit({ key, token, epoch, version, entry: entryOf(size) }));
  };
  partition.info();
  return { sqlite, platform, partition, rows, read, set, drop, tags, load };
}

test("a commit writes one row and one for each chunk, an invalidation its record and what it removes or marks", async () => {
  const { rows, read, set, drop, tags, load, partition } = open();
  expect(await load("small", 2_048)).toBe(1);
  expect(await load("large", 2_049)).toBe(2);
  expect(await load("huge", 3 * MIB + 1)).toBe(5);
  for (const key of ["small", "large", "huge", "none"]) expect(await rows(() => read(key))).toBe(0);
  const lease = { token: "t", leaseMs: 1_000, scopes: ["@"] };
  expect(await rows(() => partition.read({ key: "none", waitMs: 0, lease }, {}))).toBe(0);
  expect(await rows(() => set("small", 10))).toBe(2);
  expect(await rows(() => set("large", 9_000))).toBe(3);
  expect(await rows(() => drop("small"))).toBe(2);
  expect(await rows(() => drop("large"))).toBe(3);
  expect(await rows(() => drop("none"))).toBe(1);
  expect(await rows(() => tags("a", "b", "c"))).toBe(4);
  for (let index = 0; index < 1_000; index++) drop("none");
  expect(await rows(() => drop("none"))).toBe(2);
});

test("a hit writes nothing, and one row once an hour", async () => {
  const { platform, rows, read, set } = open();
  set("k", 10);
  await platform.advance(HOUR - 1);
  expect(await rows(() => read("k"))).toBe(0);
  await platform.advance(1);
  expect(await rows(() => read("k"))).toBe(1);
  expect(await rows(() => read("k"))).toBe(0);
});

test("values that grow and shrink leave no chunk behind", async () => {
  const { sqlite, read, set, drop } = open();
  const chunks = () => Number(sqlite.raw.prepare("SELECT COUNT(*) AS n FROM iso1_chunks").get()?.["n"]);
  for (const [size, count] of [
    [3 * MIB + 1, 4],
    [MIB, 1],
    [2 * MIB, 2],
    [100, 0],
    [2_049, 1],
  ] as const) {
    set("k", size);
    expect([chunks(), (await read("k")).entry?.bytes?.length]).toEqual([count, size]);
  }
  drop("k");
  expect(chunks()).toBe(0);
});

test("a partition opened again on the same database goes on where it was; only leases are lost", async () => {
  const first = open();
  first.set("k", 10);
  first.tags("u");
  first.partition.prune(10);
  const lease = { token: "t", leaseMs: 1_000, scopes: ["@"] };
  const { epoch } = await first.partition.read({ key: "other", waitMs: 0, lease }, {});
  const again = open(first.sqlite);
  const info = again.partition.info();
  expect(info).toEqual({ ...first.partition.info(), leases: 0 });
  expect((await again.read("k")).entry?.bytes?.length).toBe(10);
  const write = { kind: "delete", key: "k" } as const;
  expect(again.partition.write({ nonce: "n1", write }).record?.seq).toBe(1);
  expect((await again.read("k")).entry?.version).toBe(1);
  expect(again.partition.commit({ key: "other", token: "t", epoch, version: 2, entry: entryOf(1) }).outcome).toBe(
    "refused",
  );
});

test("opened again, the totals are those of the last tour of pruning, until the next one has counted anew", () => {
  const first = open();
  for (let index = 0; index < 5; index++) first.set(`k${index}`, 10);
  while (first.partition.prune(2));
  const { bytes } = first.partition.info();
  for (let index = 5; index < 9; index++) first.set(`k${index}`, 10);
  first.tags("t");
  first.set("valid", 10);
  const again = open(first.sqlite, 100);
  expect(again.partition.info()).toMatchObject({ entries: 5, bytes });
  again.set("valid too", 10);
  again.drop("k0");
  const left = [];
  while (again.partition.prune(2)) left.push(again.partition.info().entries);
  expect(left).toEqual([3, 1, 0, 0, 0]);
  expect(again.partition.info()).toMatchObject({
    entries: 2,
    bytes: 2 * 200 + 2 * 10 + 2 * 2 + "validvalid too".length,
  });
  expect(open(first.sqlite).partition.info()).toMatchObject({ entries: 2 });
});

test("opened again, nothing is asked of all entries, however many there are", async () => {
  const sqlite = nodeSqlite();
  const { set, partition } = open(sqlite);
  for (let index = 0; index < 50; index++) set(`k${index}`, 10);
  while (partition.prune(10));
  const plans: string[] = [];
  const query: typeof sqlite.query = (statement, ...params) => {
    if (!statement.startsWith("CREATE")) {
      const plan = sqlite.raw.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(...params);
      plans.push(...plan.map(({ detail }) => String(detail)));
    }
    return sqlite.query(statement, ...params);
  };
  const again = open({ ...sqlite, query }, 100);
  again.set("k1", 10);
  again.drop("k2");
  await again.read("k3");
  expect(plans).toContainEqual(expect.stringMatching(/SEARCH iso1_entries/));
  expect(plans.filter((plan) => /SCAN iso1_(entries|chunks)/.test(plan))).toEqual([]);
});

test("an entry whose row cannot be read is a miss, is removed, and can be stored again", async () => {
  const damage = [
    "head = NULL",
    "head = x'00ff'",
    "head = '{'",
    "head = '[]'",
    "head = '7'",
    "head = json_set(head, '$.labels', 7)",
    "head = json_set(head, '$.labels.tags', json('[1]'))",
    "head = json_set(head, '$.labels.ttlMs', 'soon')",
    "head = json_set(head, '$.version', '9')",
    "head = json_set(head, '$.storedAt', json('{}'))",
    "head = json_set(head, '$.valueBytes', 1e15)",
    "head = json_set(head, '$.costBytes', 'x')",
    "bytes = NULL",
    "bytes = 'text'",
    "bytes = 1e15",
    "bytes = x'00'",
  ];
  for (const change of damage) {
    const { sqlite, partition, read, set } = open();
    set("k", 10);
    set("other", 10);
    sqlite.raw.exec(`UPDATE iso1_entries SET ${change} WHERE key = '"k"'`);
    expect([change, (await read("k")).entry]).toEqual([change, undefined]);
    partition.prune(10);
    set("k", 20);
    expect([change, (await read("k")).entry?.bytes?.length]).toEqual([change, 20]);
    expect(partition.info().entries).toBe(2);
  }
});

test("a value whose chunks are damaged is a miss", async () => {
  for (const change of [
    "DELETE FROM iso1_chunks WHERE part > 0",
    "UPDATE iso1_chunks SET bytes = NULL",
    "UPDATE iso1_chunks SET bytes = 5",
  ]) {
    const { sqlite, read, set } = open();
    set("k", 2 * MIB);
    sqlite.raw.exec(change);
    expect((await read("k")).entry).toBeUndefined();
  }
});

test("a tag mark that cannot be read keeps everything out that carries the tag", async () => {
  const { sqlite, read, set, tags } = open();
  tags("t");
  set("k", 10);
  sqlite.raw.exec("UPDATE iso1_tags SET seq = 'x'");
  expect((await read("k")).entry).toBeUndefined();
  tags("t");
  set("k", 10);
  expect((await read("k")).entry).toBeDefined();
});

test("a log record that cannot be read ends catching up; metadata that cannot be read ends the epoch", async () => {
  const { sqlite, partition, read, set, drop } = open();
  set("k", 10);
  for (let index = 0; index < 3; index++) drop("other");
  const { epoch } = partition.info();
  const since = (seq: number) => partition.changesSince({ since: { epoch, seq, tip: seq === 0 ? "" : `n${seq}` } });
  sqlite.raw.exec("UPDATE iso1_log SET record = '{}' WHERE seq = 2");
  expect([since(0).records, since(2).records, since(3).records?.length]).toEqual([undefined, undefined, 1]);
  for (const change of [
    "iso1_log SET record = '?' WHERE seq = 4",
    "iso1_meta SET epochs = x'07'",
    "iso1_meta SET floor = 'x'",
  ]) {
    const before = partition.info().epoch;
    if (partition.info().seq === 0) for (let index = 0; index < 4; index++) set("k", 10);
    sqlite.raw.exec(`UPDATE ${change}`);
    const after = await read("k");
    expect([after.epoch === before, after.seq, after.entry]).toEqual([false, 0, undefined]);
  }
});

test("a write that failed half-way left nothing, and its retry is done", async () => {
  const { sqlite, partition, read, set } = open();
  set("k", 10);
  sqlite.raw.exec("CREATE TRIGGER fail BEFORE INSERT ON iso1_log BEGIN SELECT RAISE(FAIL, 'full'); END");
  const request = { nonce: "x", write: { kind: "delete", key: "k" } } as const;
  expect(() => partition.write(request)).toThrow(expect.objectContaining({ code: "ISOCACHE_STORE" }));
  expect([partition.info().entries, (await read("k")).entry?.version]).toEqual([1, 1]);
  sqlite.raw.exec("DROP TRIGGER fail");
  expect(partition.write(request).record?.seq).toBe(2);
  expect((await read("k")).entry).toBeUndefined();
  expect(partition.info()).toMatchObject({ entries: 0, bytes: 0 });
});

test("no more than a hundred values are bound, whatever is asked", () => {
  const sqlite = nodeSqlite();
  let most = 0;
  const query: typeof sqlite.query = (statement, ...params) => {
    most = Math.max(most, params.length);
    return sqlite.query(statement, ...params);
  };
  const { set, tags } = open({ ...sqlite, query });
  const names = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
  set("k", 10, names);
  tags(...names);
  expect(most).toBeLessThanOrEqual(4);
});
