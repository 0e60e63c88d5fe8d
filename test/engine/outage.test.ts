// A store that is broken, slow or silent: reads are answered all the same (P5), and what is stale is never fresh (P2).
import { describe, expect, test } from "vitest";
import { createWorld } from "./world.ts";

const TIMEOUT = 1_000;

describe("while the store refuses", () => {
  test("reads are answered by the loader, shared by concurrent callers, and kept nowhere", async () => {
    const world = createWorld();
    const { cache, link, errors } = world.instance();
    link.always("all", "fail");
    let calls = 0;
    const load = world.loader(() => ++calls, 10);
    expect(await world.run(Promise.all([cache.getOrSet("k", load), cache.getOrSet("k", load)]))).toEqual([1, 1]);
    expect(await world.run(cache.getOrSet("k", load))).toBe(2);
    link.heal();
    expect(await world.stored("k")).toBeUndefined();
    expect(errors[0]).toMatchObject({ operation: "read", key: "k", error: { code: "ISOCACHE_STORE" } });
    expect(await world.run(cache.getOrSet("k", load))).toBe(3);
    expect(await world.stored("k")).toBeDefined();
  });

  test("get, getEntry and has find nothing, and do not reject", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.always("all", "fail");
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(await world.run(cache.getEntry("k"))).toBeUndefined();
    expect(await world.run(cache.has("k"))).toBe(false);
  });

  test("a failing loader's error is the caller's, not the store's", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.always("all", "fail");
    await expect(world.run(cache.getOrSet("k", () => Promise.reject(new Error("origin"))))).rejects.toMatchObject({
      code: "ISOCACHE_LOADER",
    });
  });

  test.each(["fail", "hang", "lose"] as const)(
    "a commit that ends in %s still gives the value to its caller",
    async (how) => {
      const world = createWorld();
      const { cache, link, errors } = world.instance();
      link.once("commit", how);
      expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
      expect(errors).toMatchObject([{ operation: "commit", key: "k" }]);
      link.count();
      await world.run(cache.get("k"));
      expect(link.count()).toEqual({ read: 1 }); // memory kept nothing of it
    },
  );
});

describe("while the store is silent", () => {
  test("a read costs the time-out, then the loader answers", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.always("all", "hang");
    const startedAt = world.platform.monotonic();
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(world.platform.monotonic() - startedAt).toBe(TIMEOUT);
  });

  test("storeTimeout says how long that is", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ storeTimeout: 250 });
    link.always("all", "hang");
    const startedAt = world.platform.monotonic();
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(world.platform.monotonic() - startedAt).toBe(250);
  });

  test("an answer that comes after the time-out is ignored", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(world.instance().cache.set("k", "stored"));
    const gate = link.hold("read", "way back");
    expect(await world.run(cache.getOrSet("k", () => "loaded"))).toBe("loaded");
    gate.open();
    link.count();
    await world.advance(10);
    expect(await world.run(cache.get("k"))).toBe("stored");
    expect(link.count()).toEqual({ read: 1 });
  });

  test("a store that goes silent while it holds a follower's read does not hold the follower for ever", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    void a.cache.getOrSet("k", world.loader("a", 8_000)).catch(() => undefined);
    await world.advance(10);
    b.link.hold("read", "way back"); // the store says that it holds it, and nothing after that
    const startedAt = world.platform.monotonic();
    expect(await world.run(b.cache.getOrSet("k", () => "b"))).toBe("b");
    expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(10_000 + TIMEOUT);
  });
});

describe("what memory holds while the store is out of reach", () => {
  test("is fresh as long as the bound allows", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v", { ttl: "1h" }));
    link.always("all", "fail");
    await world.advance(5_000);
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "fresh", tier: "memory" });
  });

  test("counts as stale after it: without a stale window it is not served", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v", { ttl: "1h" }));
    link.always("all", "fail");
    await world.advance(5_001);
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(await world.run(cache.getOrSet("k", () => "loaded"))).toBe("loaded");
  });

  test.each(["staleWhileRevalidate", "staleIfError"] as const)(
    "within %s it is served, marked as stale",
    async (window) => {
      const world = createWorld();
      const { cache, link } = world.instance();
      await world.run(cache.set("k", "v", { ttl: "10m", [window]: "10m" }));
      link.always("all", "fail");
      await world.advance(60_000);
      expect(await world.run(cache.getEntry("k"))).toMatchObject({ value: "v", state: "stale", tier: "memory" });
      await world.advance(1_200_000);
      expect(await world.run(cache.get("k"))).toBeUndefined();
    },
  );

  test("costs one time-out per storeTimeout for all hits together, not one each", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1h", staleWhileRevalidate: "1h" });
    for (const key of ["a", "b", "c"]) await world.run(cache.set(key, key));
    link.always("all", "hang");
    await world.advance(6_000);
    link.count();
    const startedAt = world.platform.monotonic();
    for (const key of ["a", "b", "c"]) expect(await world.run(cache.get(key))).toBe(key);
    expect(world.platform.monotonic() - startedAt).toBe(TIMEOUT);
    expect(link.count()).toEqual({ changesSince: 1 });
  });

  test("is fresh again, without a load, once the store answers that nothing happened", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v", { ttl: "1h", staleWhileRevalidate: "1h" }));
    link.always("all", "fail");
    await world.advance(6_000);
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "stale" });
    link.heal();
    await world.advance(1_001);
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "fresh", tier: "memory" });
  });

  test("is gone, once the store answers that it was deleted meanwhile", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "v", { ttl: "1h", staleWhileRevalidate: "1h" }));
    a.link.always("all", "fail");
    await world.run(b.cache.delete("k"));
    await world.advance(6_000);
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ state: "stale" });
    a.link.heal();
    await world.advance(1_001);
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });
});
