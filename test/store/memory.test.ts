// memoryStore: its options, its partitions, and that what is over goes away without anybody asking for it.
import { expect, test } from "vitest";
import type { Moved } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";

const here = <T>(reply: T | Moved): T => reply as T; // this store never moves

function connect(store = memoryStore()) {
  const platform = virtualPlatform();
  const connection = store.connect({ name: "shop", platform });
  let last = 0;
  const set = (key: string, ttlMs = 60_000, partition = 0) => {
    const entry = { ttlMs, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags: ["@"], bytes: new Uint8Array(10) };
    return connection.write(partition, { nonce: `n${++last}`, write: { kind: "set", key, entry } }, {});
  };
  const entries = async (partition = 0) => here(await connection.info(partition, {})).entries;
  return { platform, connection, set, entries };
}

test("a wrong option is an OptionError that names it, its value and what it takes", () => {
  for (const options of [{ partitions: 0 }, { partitions: 1.5 }, { maxBytes: -1 }, { maxEntries: Number.NaN }]) {
    const [name, value] = Object.entries(options)[0]!;
    expect(() => memoryStore(options)).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
    expect(() => memoryStore(options)).toThrow(`${name} is ${value}`);
  }
});

test("partitions share nothing, and there is none beyond their number", async () => {
  const { connection, set, entries } = connect(memoryStore({ partitions: 3 }));
  await set("k", 60_000, 2);
  expect([connection.partitions, await entries(0), await entries(2)]).toEqual([3, 0, 1]);
  await expect(connection.info(3, {})).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
});

test("the limits hold for all partitions together", async () => {
  const { set, entries } = connect(memoryStore({ partitions: 2, maxEntries: 10 }));
  for (let index = 0; index < 20; index++) await set(`k${index}`, 60_000, index % 2);
  expect([await entries(0), await entries(1)]).toEqual([5, 5]);
});

test("what is over goes away as other things are stored", async () => {
  const { platform, set, entries } = connect();
  for (let index = 0; index < 20; index++) await set(`old ${index}`, 10);
  await platform.advance(20);
  for (let index = 0; index < 10; index++) await set("k");
  expect(await entries()).toBe(1);
});

test("closing the last connection answers its held reads and leaves no timer", async () => {
  const { platform, connection } = connect();
  const read = (token: string) =>
    connection.read(0, { key: "k", waitMs: 9_000, lease: { token, leaseMs: 9_000, scopes: ["@"] } }, {});
  await read("a");
  const held = read("b");
  await connection.close();
  expect(here(await held).busy).toBeDefined();
  expect(platform.timers).toBe(0);
});
