// Clocks that jump, run wrong or stand still: never a value past its bound, and no wait without end.
import { describe, expect, test } from "vitest";
import { createWorld, type World } from "./world.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";

const HOUR = 3_600_000;
const BOUND = 5_000;

const createHolders = async (world: World) => {
  const [a, b] = [world.instance(), world.instance()];
  await world.run(a.cache.set("k", "old", { ttl: "1d" }));
  await world.run(b.cache.get("k"));
  b.link.count();
  return [a, b] as const;
};

describe("a wall clock that jumps", () => {
  test.each([-HOUR, HOUR, -24 * HOUR])("by %i ms does not let an invalidation go unseen", async (ms) => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.delete("k"));
    world.platform.jump(ms);
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("back and forth all the time does not either", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.delete("k"));
    for (let step = 0; step < 10; step++) {
      world.platform.jump(step % 2 === 0 ? -HOUR : HOUR);
      await world.run(b.cache.get("k"));
      await world.advance(BOUND / 10 + 1);
    }
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("backwards does not prolong a ttl in memory", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.getOrSet("k", () => 1, { ttl: "10s" }));
    await world.advance(4_000);
    world.platform.jump(-HOUR);
    await world.advance(5_999);
    expect(await world.run(cache.get("k"))).toBe(1);
    await world.advance(2);
    expect((await world.run(cache.getEntry("k")))?.tier).not.toBe("memory");
  });

  test("forwards makes copies look older, which costs a question and no wrong answer", async () => {
    const world = createWorld();
    const [, b] = await createHolders(world);
    world.platform.jump(HOUR);
    expect(await world.run(b.cache.get("k"))).toBe("old");
    expect(b.link.count()).toEqual({ changesSince: 1 });
  });

  test("during a load does not lose the value, nor the lease", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader("v", 3_000);
    const leading = a.cache.getOrSet("k", load);
    await world.advance(1_000);
    world.platform.jump(-HOUR);
    const following = b.cache.getOrSet("k", load);
    expect(await world.run(Promise.all([leading, following]))).toEqual(["v", "v"]);
    expect(load.calls).toBe(1);
  });
});

describe("a monotonic clock that stood still", () => {
  test("while the process was suspended: the wall clock tells what memory must ask about", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.delete("k"));
    world.platform.freeze();
    await world.advance(BOUND + 1);
    world.platform.thaw();
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("ends a ttl in its time", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.getOrSet("k", () => 1, { ttl: "3s" }));
    world.platform.freeze();
    await world.advance(3_001);
    expect(await world.run(cache.get("k"))).toBeUndefined();
  });
});

describe("instances whose clocks are hours apart", () => {
  test("see each other's invalidations, ages and leases all the same", async () => {
    const world = createWorld();
    const a = world.instance();
    const fast = { ...world.platform, now: () => world.platform.now() + 5 * HOUR };
    const b = world.instance({ platform: { ...fast, monotonic: () => world.platform.monotonic() + 9 * HOUR } });
    await world.run(a.cache.set("k", "v", { ttl: "10s" }));
    await world.advance(4_000);
    expect(await world.run(b.cache.getEntry("k"))).toMatchObject({ value: "v", age: 4_000, state: "fresh" });
    await world.run(b.cache.delete("k"));
    await world.advance(BOUND + 1);
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    const load = world.loader("once", 500);
    expect(await world.run(Promise.all([a.cache.getOrSet("n", load), b.cache.getOrSet("n", load)]))).toEqual([
      "once",
      "once",
    ]);
    expect(load.calls).toBe(1);
  });
});

describe("a clock that starts at 0, as on Workers", () => {
  test("makes nothing undefined, expired or eternal", async () => {
    const zero = virtualPlatform({ startAt: 0 });
    const world = createWorld();
    const { cache } = world.instance({ platform: zero, ttl: "10s", staleWhileRevalidate: "5s" });
    const run = <T>(promise: Promise<T>): Promise<T> => zero.run(promise);
    await run(cache.set("k", "v"));
    expect(await run(cache.getEntry("k"))).toMatchObject({ state: "fresh", age: 0 });
    await zero.advance(10_000);
    await world.advance(10_000); // the store's clock is the world's
    expect(await run(cache.getEntry("k"))).toMatchObject({ state: "stale" });
    await zero.advance(5_000);
    await world.advance(5_000);
    expect(await run(cache.getEntry("k"))).toBeUndefined();
  });
});
