// What is in demand is reloaded before it ends, once, while everybody is served what is fresh.
import { describe, expect, test } from "vitest";
import type { CacheOptions } from "../../src/index.ts";
import { createWorld, watch } from "./world.ts";

/** Two instances that cache 1, 2, 3, ..., each loaded in 100 ms, for 100 s, and reload it after 80 s. */
function createEager(options: CacheOptions = {}) {
  const world = createWorld();
  const all = { ttl: "100s", eagerRefresh: 0.8, ...options } as const;
  const [a, b] = [world.instance(all), world.instance(all)];
  let broken = false;
  const load = world.loader((): number => {
    if (broken) throw new Error("down");
    return load.calls;
  }, 100);
  /** What a caller gets without time passing, or "pending". */
  const now = async ({ cache } = a) => {
    const call = watch(cache.getOrSet("k", load));
    await world.advance(0);
    return call.value ?? call.state;
  };
  const first = () => world.run(a.cache.getOrSet("k", load));
  return { world, a, b, load, now, first, setBroken: (value: boolean) => void (broken = value) };
}

describe.each([
  ["in memory", {}],
  ["without a store", { store: undefined }],
  ["in the store alone", { memory: false }],
] as const)("a hit %s", (_, options) => {
  test("after the fraction of ttl is answered at once, and reloads in the background", async () => {
    const { world, load, now, first } = createEager(options);
    await first();
    await world.advance(79_800);
    expect([await now(), load.calls]).toEqual([1, 1]);
    await world.advance(300);
    expect([await now(), await now(), load.calls]).toEqual([1, 1, 2]);
    await world.advance(100);
    expect([await now(), load.calls]).toEqual([2, 2]);
    await world.advance(70_000);
    expect([await now(), load.calls]).toEqual([2, 2]);
  });

  test("after a failed reload goes on with what is fresh, and tries again after failureBackoff", async () => {
    const { world, a, load, now, first, setBroken } = createEager(options);
    await first();
    await world.advance(80_000);
    setBroken(true);
    await now();
    await world.advance(200);
    expect([await now(), await now(), load.calls]).toEqual([1, 1, 2]);
    await world.advance(4_500);
    expect([await now(), load.calls]).toEqual([1, 2]);
    await world.advance(500);
    setBroken(false);
    await now();
    await world.advance(150);
    expect([await now(), load.calls]).toEqual([3, 3]);
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ value: 3, state: "fresh" });
  });
});

test("after a failed reload, what ends without a stale window is loaded at once", async () => {
  const { world, a, b, load, first, now, setBroken } = createEager();
  await first();
  await now(b);
  await world.advance(99_000);
  setBroken(true);
  await now(a);
  await world.advance(200);
  await now(b);
  setBroken(false);
  await world.advance(900);
  expect(await world.run(b.cache.getOrSet("k", load))).toBe(3);
  expect(await world.run(a.cache.getOrSet("k", load))).toBe(3);
});

test("one instance reloads, others are served what is fresh, and do not ask the store at each hit", async () => {
  const { world, a, b, load, now, first } = createEager();
  await first();
  await now(b);
  await world.advance(80_000);
  expect(await now(a)).toBe(1);
  expect(await now(b)).toBe(1);
  b.link.count();
  expect([await now(b), await now(b), load.calls]).toEqual([1, 1, 2]);
  expect(b.link.count()).toEqual({});
  await world.advance(1_100);
  await now(b);
  await world.advance(0);
  expect([await now(b), load.calls]).toEqual([2, 2]);
});

test("a reader that asks the store itself does not wait for the reload", async () => {
  const { world, a, now, first, load } = createEager();
  await first();
  await world.advance(80_000);
  await now();
  const call = watch(a.cache.getOrSet("k", load, { memory: false }));
  await world.advance(0);
  expect(call.value).toBe(1);
});

test("get has no loader and reloads nothing; eagerRefresh: 1 undoes a default", async () => {
  const { world, a, load, first } = createEager();
  await first();
  await world.advance(90_000);
  await world.run(a.cache.get("k"));
  await world.run(a.cache.getOrSet("k", load, { eagerRefresh: 1 }));
  await world.advance(1_000);
  expect(load.calls).toBe(1);
});

test("an invalidation during the reload keeps what it brings out", async () => {
  const { world, a, b, load, now, first } = createEager();
  await first();
  await world.advance(80_000);
  await now();
  await world.run(b.cache.delete("k"));
  await world.advance(200);
  expect(await world.run(b.cache.get("k"))).toBeUndefined();
  await world.advance(5_001);
  expect(await world.run(a.cache.getOrSet("k", load))).toBe(3);
});

test("the fraction is one of the jittered ttl, and of negativeTtl", async () => {
  const { world, a } = createEager({ negativeTtl: "10s", jitter: 0.5 });
  const none = world.loader(null);
  await world.run(a.cache.getOrSet("none", none));
  const ttl = (await world.run(a.cache.getEntry("none")))?.ttl ?? 0;
  await world.advance(Math.floor(0.8 * ttl) - 10);
  await world.run(a.cache.getOrSet("none", none));
  await world.advance(20);
  expect(none.calls).toBe(1);
  await world.run(a.cache.getOrSet("none", none));
  await world.advance(10);
  expect(none.calls).toBe(2);
});

test("whoever comes after memoryTtl is over is not given from memory what is being reloaded", async () => {
  const world = createWorld();
  const { cache, link } = world.instance({ memoryTtl: "300ms" });
  await world.run(cache.getOrSet("k", () => "old"));
  await world.advance(200);
  link.once("read", "hang");
  expect(await world.run(cache.getOrSet("k", () => "new", { eagerRefresh: 0 }))).toBe("old");
  await world.advance(150);
  const late = watch(cache.getOrSet("k", () => "new"));
  await world.advance(10);
  expect(late.state).toBe("pending");
  await world.advance(5_000);
  expect(late.value).toBeDefined();
});
