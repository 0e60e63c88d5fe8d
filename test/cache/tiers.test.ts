// Which tier has a value: memory: false, store: false, no store at all; and what get, getEntry and has tell of it.
import { describe, expect, test } from "vitest";
import { createWorld, errorOf } from "../engine/world.ts";

describe("memory: false", () => {
  test("for the cache: every read asks the store", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ memory: false });
    await world.run(cache.getOrSet("k", () => "v"));
    link.count();
    for (let index = 0; index < 3; index++) expect(await world.run(cache.get("k"))).toBe("v");
    expect(link.count()).toEqual({ read: 3 });
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });

  test("for the cache: calls at the same time still share a load, and invalidations hold at once", async () => {
    const world = createWorld();
    const [a, b] = [world.instance({ memory: false }), world.instance({ memory: false })];
    const load = world.loader("v", 50);
    await world.run(Promise.all([a, a, b, b].map(({ cache }) => cache.getOrSet("k", load))));
    expect(load.calls).toBe(1);
    await world.run(a.cache.delete("k"));
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("for one entry: it is in the store alone", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", { memory: false }));
    await world.run(cache.set("l", "v", { memory: false }));
    expect(cache.stats().entries).toBe(0);
    link.count();
    expect([await world.run(cache.get("k")), await world.run(cache.get("l"))]).toEqual(["v", "v"]);
    expect(link.count()).toEqual({ read: 2 });
  });

  test("for one read: what memory holds is passed over", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v"));
    link.count();
    expect(await world.run(cache.get("k", { memory: false }))).toBe("v");
    expect(link.count()).toEqual({ read: 1 });
  });
});

describe("store: false", () => {
  test("keeps a loaded value in this instance alone", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader("v");
    await world.run(a.cache.getOrSet("k", load, { store: false }));
    await world.run(a.cache.getOrSet("k", load, { store: false }));
    expect(load.calls).toBe(1);
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("costs a question to the log and no more, before anything else is known", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", { store: false }));
    expect(link.count()).toEqual({ changesSince: 1 });
    await world.run(cache.getOrSet("l", () => "v", { store: false }));
    expect(link.count()).toEqual({});
  });

  test("with set still invalidates the key in the store", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "old", { ttl: "1h" }));
    await world.run(b.cache.get("k"));
    await world.run(a.cache.set("k", "mine", { store: false }));
    expect(await world.run(a.cache.get("k"))).toBe("mine");
    expect(await world.stored("k")).toBeUndefined();
    await world.advance(5_001);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test.each(["delete", "invalidateTags", "clear"] as const)(
    "another instance's %s reaches it within the bound",
    async (what) => {
      const world = createWorld();
      const [a, b] = [world.instance(), world.instance()];
      await world.run(a.cache.getOrSet("k", () => "v", { store: false, ttl: "1h", tags: ["t"] }));
      const invalidate = {
        delete: () => b.cache.delete("k"),
        invalidateTags: () => b.cache.invalidateTags(["t"]),
        clear: () => b.cache.clear(),
      };
      await world.run(invalidate[what]());
      await world.advance(5_001);
      expect(await world.run(a.cache.get("k", { store: false }))).toBeUndefined();
    },
  );

  test("an invalidation during the load keeps the value out", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = cache.getOrSet("k", world.loader("old", 100), { store: false, tags: ["t"] });
    await world.advance(50);
    await world.run(cache.invalidateTags(["t"]));
    expect(await world.run(load)).toBe("old");
    expect(await world.run(cache.get("k", { store: false }))).toBeUndefined();
  });

  test("without memory shares a load and keeps nothing", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader("v", 50);
    const options = { memory: false, store: false } as const;
    await world.run(Promise.all([cache.getOrSet("k", load, options), cache.getOrSet("k", load, options)]));
    await world.run(cache.getOrSet("k", load, options));
    expect(load.calls).toBe(2);
  });
});

describe("getEntry", () => {
  test("tells tier, state, age, ttl, tags and validators", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const options = { ttl: "10s", staleWhileRevalidate: "10s", tags: ["t"], etag: '"1"', lastModified: "now" } as const;
    await world.run(a.cache.set("k", "v", options));
    await world.advance(4_000);
    const entry = { value: "v", age: 4_000, ttl: 10_000, tags: ["t"], etag: '"1"', lastModified: "now" };
    expect(await world.run(a.cache.getEntry("k"))).toEqual({ ...entry, tier: "memory", state: "fresh" });
    expect(await world.run(b.cache.getEntry("k"))).toEqual({ ...entry, tier: "store", state: "fresh" });
    await world.advance(8_000);
    expect(await world.run(b.cache.getEntry("k"))).toEqual({ ...entry, age: 12_000, tier: "memory", state: "stale" });
  });

  test("has no validators where there are none, and is undefined for a miss", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", 1));
    expect(Object.keys((await world.run(cache.getEntry("k")))!)).not.toContain("etag");
    expect(await world.run(cache.getEntry("unknown"))).toBeUndefined();
  });
});

describe("a local cache, without a store", () => {
  test("loads once, expires, and revalidates in the background", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, ttl: "10s", staleWhileRevalidate: "10s" });
    let count = 0;
    const load = world.loader(() => ++count, 10);
    expect(await world.run(Promise.all([cache.getOrSet("k", load), cache.getOrSet("k", load)]))).toEqual([1, 1]);
    await world.advance(10_001);
    expect(await cache.getOrSet("k", load)).toBe(1);
    await world.advance(20);
    expect(await cache.getOrSet("k", load)).toBe(2);
    await world.advance(21_000);
    expect(await world.run(cache.get("k"))).toBeUndefined();
  });

  test("serves stale on errors, with back-off", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, ttl: "1s", staleIfError: "1h", failureBackoff: "10s" });
    await cache.set("k", "old");
    await world.advance(2_000);
    const failing = world.loader((context) => context.fail("down"));
    for (let index = 0; index < 3; index++) expect(await world.run(cache.getOrSet("k", failing))).toBe("old");
    expect(failing.calls).toBe(1);
    await world.advance(10_001);
    expect(await world.run(cache.getOrSet("k", () => "new"))).toBe("new");
  });

  test.each([
    ["delete", undefined],
    ["set", "set"],
    ["invalidateTags", undefined],
    ["clear", undefined],
  ] as const)("%s during a load keeps the loaded value out", async (what, left) => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined });
    const load = cache.getOrSet("k", world.loader("old", 100), { tags: ["t"] });
    await world.advance(50);
    const invalidate = {
      delete: () => cache.delete("k"),
      set: () => cache.set("k", "set"),
      invalidateTags: () => cache.invalidateTags(["t"]),
      clear: () => cache.clear(),
    };
    await invalidate[what]();
    expect(await world.run(load)).toBe("old");
    expect(await cache.get("k")).toBe(left);
  });

  test("expire leaves what its windows allow; expireTags, too", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, ttl: "1h", staleWhileRevalidate: "10s" });
    await cache.set("a", 1);
    await cache.set("b", 2, { tags: ["t"] });
    await cache.expire("a");
    await cache.expireTags(["t"]);
    for (const key of ["a", "b"]) expect(await cache.getEntry(key)).toMatchObject({ state: "stale" });
    await world.advance(10_001);
    for (const key of ["a", "b"]) expect(await cache.get(key)).toBeUndefined();
  });
});

test("who does without the store does not ask it, though strong reads are the default", async () => {
  const world = createWorld();
  const { cache, link } = world.instance({ consistency: "strong" });
  const load = world.loader("v");
  for (let call = 0; call < 3; call++) await world.run(cache.getOrSet("k", load, { store: false }));
  expect(await world.run(cache.get("k", { store: false }))).toBe("v");
  expect([load.calls, link.count().read]).toEqual([1, undefined]);
  const local = cache.namespace("local", { store: false });
  expect(await errorOf(local.get("k", { consistency: "strong" } as never))).toMatchObject({ code: "ISOCACHE_OPTION" });
});
