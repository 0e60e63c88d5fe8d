// pull: the value, once; the store has acknowledged that it is gone, or the caller hears of it.
import { expect, test } from "vitest";
import { createWorld, errorOf, watch } from "../engine/world.ts";

test("pull returns the value and leaves nothing, on any instance", async () => {
  const world = createWorld();
  const [a, b] = [world.instance(), world.instance()];
  await world.run(a.cache.set("k", { n: 1 }));
  expect(await world.run(b.cache.pull<{ n: number }>("k"))).toEqual({ n: 1 });
  expect(await world.run(b.cache.pull("k"))).toBeUndefined();
  expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBeUndefined();
});

test.each([{ store: undefined }, { memory: false as const }, {}])("pull works with %o", async (options) => {
  const world = createWorld();
  const { cache } = world.instance(options);
  const { pull } = cache.namespace("n");
  await world.run(cache.namespace("n").set("k", null));
  expect([await world.run(pull("k")), await world.run(pull("k"))]).toEqual([null, undefined]);
});

test("pull returns what is only in this instance's memory", async () => {
  const world = createWorld();
  const mine = world.instance().cache.namespace("n", { store: false });
  await world.run(mine.set("k", 1));
  expect([await world.run(mine.pull("k")), await world.run(mine.has("k"))]).toEqual([1, false]);
});

test("pull never returns a value that another instance has replaced or deleted", async () => {
  const world = createWorld();
  const [a, b] = [world.instance({ maxStaleness: "1h" }), world.instance()];
  await world.run(a.cache.set("k", "old"));
  await world.run(b.cache.set("k", "new"));
  expect(await world.run(a.cache.pull("k"))).toBe("new");
});

test("pull costs two round trips, whether there is a value or not", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  await world.run(cache.set("k", 1));
  for (let before = cache.stats().roundTrips; before < 5; before += 2) {
    await world.run(cache.pull("k"));
    expect(cache.stats().roundTrips).toBe(before + 2);
  }
});

test("a load under way does not bring back what was pulled", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const slow = watch(cache.getOrSet("k", world.loader("old", 50)));
  await world.advance(10);
  expect(await world.run(cache.pull("k"))).toBeUndefined();
  await world.advance(100);
  expect(slow.value).toBe("old");
  expect(await world.run(cache.has("k"))).toBe(false);
});

test("pull rejects when the store does not acknowledge, and this instance honours it all the same", async () => {
  const world = createWorld();
  const { cache, link } = world.instance();
  await world.run(cache.set("k", 1));
  link.always("all", "fail");
  expect(await world.run(errorOf(cache.pull("k")))).toMatchObject({ code: "ISOCACHE_STORE" });
  expect(await world.run(cache.get("k"))).toBeUndefined();
});

test("pull of what is no key is a KeyError", async () => {
  const { cache } = createWorld().instance();
  expect(await errorOf(cache.pull(""))).toMatchObject({ code: "ISOCACHE_KEY" });
});
