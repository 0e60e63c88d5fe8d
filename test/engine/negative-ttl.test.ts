// "There is none", cached: null and undefined with a life of their own.
import { describe, expect, test } from "vitest";
import type { EntryOptions } from "../../src/index.ts";
import { createWorld, errorOf } from "./world.ts";

/** Two instances, and a loader that gives null or undefined. */
function createNegative(value: null | undefined, options: EntryOptions) {
  const world = createWorld();
  const [a, b] = [world.instance(), world.instance()];
  const load = world.loader<null | undefined>(value);
  const get = ({ cache } = a) => world.run(cache.getOrSet("k", load, options));
  return { world, a, b, load, get };
}

describe.each([null, undefined])("a loaded %s", (value) => {
  test("lives for negativeTtl, here and on other instances", async () => {
    const { world, b, load, get } = createNegative(value, { ttl: "1h", negativeTtl: "10s" });
    expect([await get(), await get(), await get(b)]).toEqual([value, value, value]);
    await world.advance(9_999);
    await get();
    expect(load.calls).toBe(1);
    await world.advance(2);
    await get(b);
    expect(load.calls).toBe(2);
  });

  test("is found by has and getEntry", async () => {
    const { world, a, b, get } = createNegative(value, { negativeTtl: "10s" });
    await get();
    for (const { cache } of [a, b]) {
      expect(await world.run(cache.has("k"))).toBe(true);
      expect(await world.run(cache.getEntry("k"))).toMatchObject({ value, state: "fresh", ttl: 10_000 });
      expect(await world.run(cache.get("k"))).toBe(value);
    }
  });

  test("is not stored with negativeTtl 0", async () => {
    const { world, load, get } = createNegative(value, { negativeTtl: 0 });
    expect([await get(), await get(), load.calls]).toEqual([value, value, 2]);
    expect(await world.stored("k")).toBeUndefined();
  });

  test("may be longer than ttl, even if that is 0", async () => {
    const { load, get } = createNegative(value, { ttl: 0, negativeTtl: "1m" });
    expect([await get(), await get(), load.calls]).toEqual([value, value, 1]);
  });

  test("is set for negativeTtl", async () => {
    const { world, b, a } = createNegative(value, {});
    await world.run(a.cache.set("k", value, { ttl: "1h", negativeTtl: "10s" }));
    expect(await world.run(b.cache.getEntry("k"))).toMatchObject({ value, ttl: 10_000 });
  });

  test("keeps negativeTtl when it was not modified, and has stale windows after it", async () => {
    const { world, a, get } = createNegative(value, { negativeTtl: "10s", staleIfError: "1h" });
    await get();
    await world.advance(11_000);
    const again = { negativeTtl: "20s", staleIfError: "1h" } as const;
    expect(await world.run(a.cache.getOrSet("k", (context) => context.notModified(), again))).toBe(value);
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ value, ttl: 20_000 });
    await world.advance(21_000);
    expect(await world.run(a.cache.getOrSet("k", (context) => context.fail("down"), again))).toBe(value);
  });
});

test("without negativeTtl null lives as any value, and undefined is not stored", async () => {
  const none = createNegative(null, { ttl: "1h" });
  await none.get();
  expect(await none.world.run(none.a.cache.getEntry("k"))).toMatchObject({ value: null, ttl: 3_600_000 });
  const nothing = createNegative(undefined, { ttl: "1h" });
  await nothing.get();
  expect(await nothing.world.run(nothing.a.cache.has("k"))).toBe(false);
  const error = await nothing.world.run(errorOf(nothing.a.cache.set("k", undefined)));
  expect(error).toMatchObject({
    code: "ISOCACHE_CODEC",
    message: 'set "k": undefined is stored only with negativeTtl',
  });
});

test("other values live for ttl, and a loader may decide for this one", async () => {
  const world = createWorld();
  const { cache } = world.instance({ negativeTtl: "1s", ttl: "1h" });
  await world.run(cache.getOrSet("zero", () => 0));
  await world.run(cache.getOrSet("empty", () => ""));
  await world.run(
    cache.getOrSet("null", (context) => {
      context.set({ negativeTtl: "5s" });
      return null;
    }),
  );
  const ttls = await Promise.all(["zero", "empty", "null"].map((key) => cache.getEntry(key)));
  expect(ttls.map((entry) => entry?.ttl)).toEqual([3_600_000, 3_600_000, 5_000]);
});

test("skip stores nothing, whatever negativeTtl is", async () => {
  const world = createWorld();
  const { cache } = world.instance({ negativeTtl: "1h" });
  expect(await world.run(cache.getOrSet("k", (context) => context.skip()))).toBeUndefined();
  expect(await world.run(cache.has("k"))).toBe(false);
});

test("without a store undefined is a hit in memory", async () => {
  const world = createWorld();
  const { cache } = world.instance({ store: undefined, negativeTtl: "1h" });
  const load = world.loader(undefined);
  for (let i = 0; i < 3; i++) expect(await world.run(cache.getOrSet("k", load))).toBeUndefined();
  expect([load.calls, await cache.has("k")]).toEqual([1, true]);
});
