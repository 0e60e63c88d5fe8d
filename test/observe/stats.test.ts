// Statistics: each count is of what it says, in this instance, since the cache was created.
import { expect, test } from "vitest";
import { createWorld, errorOf } from "../engine/world.ts";

test("hits by tier, misses, loads and round trips", async () => {
  const world = createWorld();
  const [a, b] = [world.instance(), world.instance()];
  expect(a.cache.stats()).toEqual({
    hits: { memory: 0, store: 0 },
    misses: 0,
    loads: 0,
    syncs: 0,
    roundTrips: 0,
    errors: 0,
    bytes: 0,
    entries: 0,
  });
  await world.run(a.cache.getOrSet("k", () => "v")); // a miss, loaded: 2 trips
  await world.run(a.cache.getOrSet("k", () => "v")); // memory
  await world.run(a.cache.get("k")); // memory
  await world.run(a.cache.get("unknown")); // a miss: 1 trip
  await world.run(b.cache.get("k")); // the store: 1 trip
  await world.run(b.cache.has("k")); // memory
  expect(a.cache.stats()).toMatchObject({
    hits: { memory: 2, store: 0 },
    misses: 2,
    loads: 1,
    roundTrips: 3,
    entries: 1,
  });
  expect(b.cache.stats()).toMatchObject({
    hits: { memory: 1, store: 1 },
    misses: 0,
    loads: 0,
    roundTrips: 1,
    entries: 1,
  });
  expect(a.cache.stats().roundTrips).toBe(a.link.sent.length);
});

test("callers who share a load count as misses each, the load once", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const load = world.loader("v", 10);
  await world.run(Promise.all([1, 2, 3].map(() => cache.getOrSet("k", load))));
  expect(cache.stats()).toMatchObject({ misses: 3, loads: 1 });
});

test("syncs", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  await world.run(cache.set("k", "v"));
  for (let index = 0; index < 3; index++) {
    await world.advance(5_001);
    await world.run(cache.get("k"));
  }
  expect(cache.stats().syncs).toBe(3);
});

test("errors are as many as error events", async () => {
  const world = createWorld();
  const { cache, link, errors } = world.instance();
  link.always("all", "fail");
  await world.run(cache.getOrSet("k", () => "v"));
  await world.run(errorOf(cache.delete("k")));
  await world.advance(5_000);
  expect(errors.length).toBeGreaterThan(0);
  expect(cache.stats().errors).toBe(errors.length);
});

test("bytes and entries are what memory holds, and zero once it is empty", async () => {
  const world = createWorld();
  const { cache } = world.instance({ store: undefined });
  await cache.set("a", "x".repeat(1_000));
  const { bytes, entries } = cache.stats();
  expect(entries).toBe(1);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(3_000);
  await cache.delete("a");
  expect(cache.stats()).toMatchObject({ bytes: 0, entries: 0 });
});

test("what is returned does not change afterwards", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const before = cache.stats();
  await world.run(cache.getOrSet("k", () => "v"));
  expect(before.loads).toBe(0);
});
