// Entries that were stored together do not end together, and none lives longer than it was meant to.
import { expect, test } from "vitest";
import { createWorld } from "./world.ts";

const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);

test.each(["loaded", "set"])(
  "each %s entry's ttl is shortened by a share of its own, of at most the fraction",
  async (how) => {
    const world = createWorld();
    const [a, b] = [world.instance({ ttl: "100s", jitter: 0.2 }), world.instance()];
    await world.run(
      Promise.all(keys.map((key) => (how === "set" ? a.cache.set(key, 1) : a.cache.getOrSet(key, () => 1)))),
    );
    const entries = await world.run(Promise.all(keys.map((key) => a.cache.getEntry(key))));
    const ttls = entries.map((entry) => entry?.ttl ?? 0);
    expect(Math.min(...ttls)).toBeGreaterThanOrEqual(80_000);
    expect(Math.min(...ttls)).toBeLessThan(82_000);
    expect(Math.max(...ttls)).toBeGreaterThan(98_000);
    expect(Math.max(...ttls)).toBeLessThanOrEqual(100_000);
    expect(new Set(ttls).size).toBeGreaterThan(150);
    expect(ttls.every(Number.isInteger)).toBe(true);
    // Other instances find the same.
    const found = await world.run(Promise.all(keys.map((key) => b.cache.getEntry(key))));
    expect(found.map((entry) => entry?.ttl)).toEqual(ttls);
  },
);

test("is drawn anew for each life", async () => {
  const world = createWorld();
  const { cache } = world.instance({ ttl: "100s", jitter: 1, staleIfError: "1h" });
  const ttls = new Set<number | undefined>();
  for (let i = 0; i < 5; i++) {
    await world.run(cache.getOrSet("k", ({ stale, notModified }) => (stale ? notModified() : "v")));
    ttls.add((await world.run(cache.getEntry("k")))?.ttl);
    await world.advance(100_000);
  }
  expect(ttls.size).toBe(5);
});

test("shortens negativeTtl too, leaves the stale windows as long as they are, and Infinity without an end", async () => {
  const world = createWorld();
  const { cache } = world.instance({ ttl: Infinity, negativeTtl: "10s", jitter: 0.5, staleIfError: "60s" });
  await world.run(cache.set("v", 1));
  await world.run(cache.set("none", null));
  expect((await world.run(cache.getEntry("v")))?.ttl).toBe(Infinity);
  const stored = await world.stored("none");
  expect(stored?.ttlMs).toBeGreaterThanOrEqual(5_000);
  expect(stored?.ttlMs).toBeLessThan(10_000);
  expect(stored?.staleIfErrorMs).toBe(60_000);
});

test("makes nothing storable that is not, and nothing not storable", async () => {
  const world = createWorld();
  const { cache } = world.instance({ jitter: 1 });
  await world.run(cache.set("k", 1, { ttl: 0 }));
  expect(await world.run(cache.has("k"))).toBe(false);
  await world.run(cache.set("shortest", 1, { ttl: 1 }));
  expect((await world.stored("shortest"))?.ttlMs).toBe(1);
});
