// Freshness windows: fresh for ttl, then stale while it is revalidated or while the loader fails, then gone (RFC 5861).
import { describe, expect, test } from "vitest";
import type { CacheOptions } from "../../src/index.ts";
import { createWorld, errorOf } from "./world.ts";

/** A counting loader: gives 1, 2, 3, ..., each after 100 ms. */
const createCounting = (options: CacheOptions) => {
  const world = createWorld();
  const a = world.instance(options);
  const b = world.instance(options);
  let count = 0;
  let broken = false;
  const load = world.loader(() => {
    count++;
    if (broken) throw new Error(`origin down at ${count}`);
    return count;
  }, 100);
  const get = ({ cache } = a) => world.run(cache.getOrSet("k", load));
  return { world, a, b, load, get, setBroken: (value: boolean) => void (broken = value) };
};

describe("ttl", () => {
  test("a value is fresh until it ends, and loaded again after it", async () => {
    const { world, get } = createCounting({ ttl: "10s" });
    expect(await get()).toBe(1);
    await world.advance(9_999);
    expect(await get()).toBe(1);
    await world.advance(2);
    expect(await get()).toBe(2);
  });

  test("0 stores nothing: each call loads", async () => {
    const { world, get, a } = createCounting({ ttl: 0 });
    expect([await get(), await get()]).toEqual([1, 2]);
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("0 still shares a load between those who wait for it", async () => {
    const { world, a, load } = createCounting({ ttl: 0 });
    expect(await world.run(Promise.all([a.cache.getOrSet("k", load), a.cache.getOrSet("k", load)]))).toEqual([1, 1]);
  });

  test("0 with set removes what is there, here and in the store", async () => {
    const { world, a, b, get } = createCounting({ ttl: "1h" });
    await get();
    await get(b);
    await world.run(a.cache.set("k", "new", { ttl: 0 }));
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    await world.advance(5_001);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("Infinity does not end, and is told as Infinity", async () => {
    const { world, get, a, b } = createCounting({ ttl: Infinity });
    await get();
    await world.advance(400 * 86_400_000);
    expect([await get(), await get(b)]).toEqual([1, 1]);
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ state: "fresh", ttl: Infinity });
  });

  test("counts on from the store's age in an instance that finds it there", async () => {
    const { world, get, b } = createCounting({ ttl: "10s" });
    await get();
    await world.advance(9_000);
    expect(await get(b)).toBe(1);
    await world.advance(1_001);
    expect(await get(b)).toBe(2);
  });
});

describe("staleWhileRevalidate", () => {
  const options = { ttl: "10s", staleWhileRevalidate: "20s" } as const;

  test("serves the stale value at once, and reloads it once in the background", async () => {
    const { world, a, load, get } = createCounting(options);
    await get();
    await world.advance(10_000);
    const before = world.platform.monotonic();
    const served = await Promise.all(Array.from({ length: 20 }, () => a.cache.getOrSet("k", load)));
    expect([...new Set(served), world.platform.monotonic() - before]).toEqual([1, 0]);
    await world.advance(101);
    expect(await get()).toBe(2);
    expect(load.calls).toBe(2);
  });

  test("an instance that finds the stale value in the store serves it at once, too", async () => {
    const { world, b, load, get } = createCounting(options);
    await get();
    await world.advance(10_000);
    const before = world.platform.monotonic();
    expect(await get(b)).toBe(1);
    expect(world.platform.monotonic()).toBe(before);
    await world.advance(101);
    expect([await get(b), load.calls]).toEqual([2, 2]);
  });

  test("over several instances one reloads, the others serve the stale value meanwhile", async () => {
    const { world, a, b, load, get } = createCounting(options);
    await get();
    await get(b);
    await world.advance(10_000);
    expect(await Promise.all([a, b].map(({ cache }) => cache.getOrSet("k", load)))).toEqual([1, 1]);
    await world.advance(200);
    expect(load.calls).toBe(2);
    expect([await get(a), await get(b)]).toEqual([2, 1]); // the other learns of it by asking in the background
    await world.advance(0);
    expect([await get(b), load.calls]).toEqual([2, 2]);
  });

  test("get serves the stale value, marks it, and reloads nothing", async () => {
    const { world, a, load, get } = createCounting(options);
    await get();
    await world.advance(10_000);
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ value: 1, state: "stale" });
    await world.advance(1_000);
    expect(load.calls).toBe(1);
  });

  test("is over when its window is: the next caller waits for the load", async () => {
    const { world, get } = createCounting(options);
    await get();
    await world.advance(30_001);
    expect(await get()).toBe(2);
  });

  test("a reload that fails in the background is told by an event, and nobody else notices", async () => {
    const { world, a, get, setBroken } = createCounting(options);
    await get();
    await world.advance(10_000);
    setBroken(true);
    expect(await get()).toBe(1);
    await world.advance(200);
    expect(a.errors).toMatchObject([{ operation: "load", key: "k", error: { code: "ISOCACHE_LOADER" } }]);
    expect(await get()).toBe(1);
  });
});

describe("staleIfError", () => {
  const options = { ttl: "10s", staleIfError: "1h" } as const;

  test("a failed load serves the stale value, as long as the window is open", async () => {
    const { world, get, setBroken } = createCounting(options);
    await get();
    setBroken(true);
    await world.advance(3_000_000);
    expect(await get()).toBe(1);
    await world.advance(700_000);
    await expect(get()).rejects.toMatchObject({ code: "ISOCACHE_LOADER" });
  });

  test("does not keep the caller from waiting for a load that works", async () => {
    const { world, get } = createCounting(options);
    await get();
    await world.advance(11_000);
    expect(await get()).toBe(2);
  });

  test("context.fail counts as a failure", async () => {
    const { world, a, get } = createCounting(options);
    await get();
    await world.advance(11_000);
    expect(await world.run(a.cache.getOrSet("k", (context) => context.fail("503")))).toBe(1);
  });

  test("get without a loader does not serve what may be served on errors alone", async () => {
    const { world, a, get } = createCounting(options);
    await get();
    await world.advance(11_000);
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });
});

describe("failureBackoff", () => {
  const options = { ttl: "10s", staleIfError: "1h", failureBackoff: "30s" } as const;

  test("after a failed load nobody tries again for so long, on no instance", async () => {
    const { world, a, b, load, get, setBroken } = createCounting(options);
    await get();
    await get(b);
    const late = world.instance(options); // it has nothing in memory
    await world.advance(10_001);
    setBroken(true);
    expect(await get(a)).toBe(1);
    for (const instance of [a, b, late]) expect(await get(instance)).toBe(1);
    await world.advance(29_000);
    for (const instance of [a, b, late]) expect(await get(instance)).toBe(1);
    expect(load.calls).toBe(2);
    setBroken(false);
    await world.advance(1_001);
    expect(await get(b)).toBe(3);
  });

  test("does not hold back whoever has nothing stale to serve", async () => {
    const { b, load, setBroken, get } = createCounting({ ttl: "10s", failureBackoff: "30s" });
    setBroken(true);
    const error = await errorOf(get());
    expect(error.code).toBe("ISOCACHE_LOADER");
    setBroken(false);
    expect(await get(b)).toBe(2);
    expect(load.calls).toBe(2);
  });
});

describe("expire", () => {
  const options = { ttl: "1h", staleWhileRevalidate: "20s", staleIfError: "40s" } as const;

  test.each([
    ["expire", (cache: { expire(key: string): Promise<void> }) => cache.expire("k")],
    ["expireTags", (cache: { expireTags(tags: string[]): Promise<void> }) => cache.expireTags(["t"])],
  ] as const)("%s makes the value stale now: its windows run from that instant", async (_, expire) => {
    const { world, a, b, load, get } = createCounting({ ...options, tags: ["t"] });
    await get();
    await get(b);
    await world.run(expire(a.cache));
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ value: 1, state: "stale" });
    await world.advance(19_000);
    const afresh = world.instance(options);
    for (const { cache } of [a, b, afresh])
      expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "stale" });
    await world.advance(1_001);
    for (const { cache } of [a, b, afresh]) expect(await world.run(cache.getEntry("k"))).toBeUndefined();
    expect(load.calls).toBe(1);
  });

  test("a second expiry does not move the windows", async () => {
    const { world, a } = createCounting(options);
    await world.run(a.cache.set("k", 1));
    await world.run(a.cache.expire("k"));
    await world.advance(15_000);
    await world.run(a.cache.expire("k"));
    await world.advance(5_001);
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBeUndefined();
  });

  test("leaves something for when the loader fails; delete does not", async () => {
    const { world, a, get, setBroken } = createCounting({ ttl: "1h", staleIfError: "40s" });
    await get();
    setBroken(true);
    await world.run(a.cache.expire("k"));
    expect(await get()).toBe(1);
    await world.run(a.cache.delete("k"));
    await expect(get()).rejects.toMatchObject({ code: "ISOCACHE_LOADER" });
  });

  test.each([{ consistency: "strong" }, { memory: false }] as const)(
    "leaves it to whoever does not look into memory, too: %o",
    async (how) => {
      const { world, a, load, get, setBroken } = createCounting({ ttl: "1h", staleIfError: "40s", ...how });
      await get();
      setBroken(true);
      await world.run(a.cache.expire("k"));
      a.link.count();
      expect(await get()).toBe(1);
      expect(load.calls).toBe(2);
      expect(a.link.count()).toEqual({ read: 1, release: 1 });
      expect(await world.run(a.cache.get("k", how))).toBeUndefined();
      expect(a.link.count()).toEqual({ read: 1 });
    },
  );

  test("expireTags during a load: the value is stored, but stale as of the expiry", async () => {
    const { world, a, b, load } = createCounting({ ...options, tags: ["t"] });
    const loading = a.cache.getOrSet("k", load);
    await world.advance(50);
    await world.run(b.cache.expireTags(["t"]));
    expect(await world.run(loading)).toBe(1);
    for (const { cache } of [a, b]) expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "stale" });
  });
});

describe("memoryTtl", () => {
  test("ends the life in memory alone: the store is asked again, and not the loader", async () => {
    const { world, a, load, get } = createCounting({ ttl: "1h", memoryTtl: "2s" });
    await get();
    a.link.count();
    await world.advance(1_900);
    await get();
    expect(a.link.count()).toEqual({});
    await world.advance(200);
    expect(await get()).toBe(1);
    expect(a.link.count()).toEqual({ read: 1 });
    expect(load.calls).toBe(1);
  });
});
