// A bus between caches: what one invalidates is gone from the memory of the others before they ask the log.
import { expect, test } from "vitest";
import { memoryBus } from "../../src/bus/memory.ts";
import type { Bus } from "../../src/bus/contract.ts";
import type { BusOptions } from "../../src/bus/options.ts";
import { createCache, memoryStore, type CacheOptions } from "../../src/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";

/** Caches on one virtual platform that share a bus, and a store if one is given. */
function world(options: CacheOptions = {}, busOptions: BusOptions = {}, bus: Bus = memoryBus(busOptions)) {
  const platform = virtualPlatform();
  const make = (more: CacheOptions = {}) => createCache({ platform, bus, maxStaleness: "1h", ...options, ...more });
  return { platform, make };
}

const withStore = (store: Store = memoryStore()) => world({ store });

test("a delete by one instance is seen by the others at once, however long they may do without the log", async () => {
  const { platform, make } = withStore();
  const [a, b] = [make(), make()];
  await a.getOrSet("k", () => 1);
  await b.getOrSet("k", () => 1);
  await a.delete("k");
  await platform.advance(0);
  expect(await b.getOrSet("k", () => 2)).toBe(2);
  expect(b.stats().syncs).toBe(0);
  await Promise.all([a.close(), b.close()]);
  expect(platform.timers).toBe(0);
});

test("sets, expiries, tags, expired tags and clear reach the others as what they are", async () => {
  const { platform, make } = withStore();
  const [a, b] = [make({ staleWhileRevalidate: "1h" }), make({ staleWhileRevalidate: "1h" })];
  const states = async (): Promise<unknown[]> => {
    await platform.advance(0);
    const entries = await Promise.all(["set", "expired", "tagged", "stale"].map((key) => b.getEntry(key)));
    return entries.map((entry) => entry && [entry.value, entry.state]);
  };
  for (const key of ["set", "expired"]) await b.set(key, 1);
  for (const tag of ["tagged", "stale"]) await b.set(tag, 1, { tags: [tag] });
  await a.set("set", 2);
  await a.expire("expired");
  await a.invalidateTags(["tagged"]);
  await a.expireTags(["stale"]);
  expect(await states()).toEqual([[2, "fresh"], [1, "stale"], undefined, [1, "stale"]]);
  await a.clear();
  expect(await states()).toEqual([undefined, undefined, undefined, undefined]);
  await Promise.all([a.close(), b.close()]);
});

test("without a store invalidations travel, and loads of one do not expire the others", async () => {
  const { platform, make } = world();
  const [a, b] = [make(), make()];
  await a.getOrSet("k", () => "a");
  await b.getOrSet("k", () => "b");
  await platform.advance(0);
  expect([await a.get("k"), await b.get("k")]).toEqual(["a", "b"]);
  await a.set("k", "c");
  await platform.advance(0);
  expect([await a.get("k"), await b.get("k")]).toEqual(["c", undefined]);
  await b.getOrSet("t", () => 1, { tags: ["x"] });
  await a.invalidateTags(["x"]);
  await platform.advance(0);
  expect(await b.get("t")).toBe(undefined);
  await Promise.all([a.close(), b.close()]);
  expect(platform.timers).toBe(0);
});

test("what is loading while another instance invalidates it is not kept, with a store and without", async () => {
  for (const options of [{}, { store: memoryStore() }]) {
    const { platform, make } = world(options);
    const [a, b] = [make(), make()];
    await b.get("other");
    await platform.advance(100);
    let finish = (_: number): void => undefined;
    const loading = b.getOrSet("k", () => new Promise<number>((resolve) => (finish = resolve)));
    await platform.advance(10);
    await a.delete("k");
    await platform.advance(10);
    finish(1);
    expect(await loading).toBe(1);
    expect(await b.get("k")).toBe(undefined);
    await Promise.all([a.close(), b.close()]);
  }
});

test("caches of other names, and those on the same names with another secret, are not disturbed", async () => {
  const { platform, make } = world();
  const [a, b] = [make({ name: "one" }), make({ name: "two" })];
  await b.getOrSet("k", () => 1);
  await a.delete("k");
  await platform.advance(0);
  expect(await b.get("k")).toBe(1);
  await Promise.all([a.close(), b.close()]);
});
