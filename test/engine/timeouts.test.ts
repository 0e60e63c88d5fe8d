// How long a caller waits for a load: softTimeout gives it what is stale, hardTimeout an error; the load goes on.
import { describe, expect, test } from "vitest";
import type { CacheOptions } from "../../src/index.ts";
import { createWorld, watch } from "./world.ts";

/** A fleet of two with a loader that takes `ms`, and something stale in the store and in the memory of the first. */
async function createStale(options: CacheOptions, ms = 5_000) {
  const world = createWorld();
  const [a, b] = [world.instance(options), world.instance(options)];
  const load = world.loader("new", ms);
  await world.run(a.cache.set("k", "old", { ttl: "1s", staleIfError: "1h" }));
  await world.advance(2_000);
  return { world, a, b, load };
}

describe("softTimeout", () => {
  test("gives what is stale to a caller that waited so long; the load goes on and fills the cache", async () => {
    const { world, a, b, load } = await createStale({ softTimeout: "50ms" });
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(49);
    expect(call.state).toBe("pending");
    await world.advance(1);
    expect(call).toMatchObject({ state: "done", value: "old" });
    await world.advance(5_000);
    expect(await world.run(a.cache.get("k"))).toBe("new");
    expect(await world.run(b.cache.get("k"))).toBe("new");
    expect([load.calls, a.cache.stats().hits]).toEqual([1, { memory: 1, store: 1 }]);
  });

  test("counts for each caller from its own start", async () => {
    const { world, a, load } = await createStale({ softTimeout: "100ms" });
    const first = watch(a.cache.getOrSet("k", load));
    await world.advance(80);
    const second = watch(a.cache.getOrSet("k", load));
    await world.advance(20);
    expect([first.state, second.state]).toEqual(["done", "pending"]);
    await world.advance(80);
    expect([second.value, load.calls]).toEqual(["old", 1]);
  });

  test("0 gives it at once", async () => {
    const { world, a, load } = await createStale({ softTimeout: 0 });
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(0);
    expect(call.value).toBe("old");
  });

  test("without anything stale waits for the load", async () => {
    const world = createWorld();
    const { cache } = world.instance({ softTimeout: "50ms", staleIfError: "1h" });
    expect(await world.run(cache.getOrSet("k", world.loader("new", 5_000)))).toBe("new");
  });

  test("gives nothing whose windows are over", async () => {
    const { world, a, load } = await createStale({ softTimeout: "50ms" });
    await world.advance(3_600_000);
    expect(await world.run(a.cache.getOrSet("k", load))).toBe("new");
  });

  test("gives nothing whose window ends while it waits", async () => {
    const { world, a, load } = await createStale({ softTimeout: "50ms" });
    await world.advance(3_600_000 - 1_000 - 20);
    expect(await world.run(a.cache.getOrSet("k", load))).toBe("new");
  });

  test("gives nothing that was invalidated while the load ran", async () => {
    const { world, a, load } = await createStale({ softTimeout: "50ms" });
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(10);
    await world.run(a.cache.delete("k"));
    await world.advance(100);
    expect(call.state).toBe("pending");
    await world.advance(5_000);
    expect(call.value).toBe("new");
  });

  test("gives an instance without a copy what is stale in the store, as soon as it has it", async () => {
    const { world, b, load } = await createStale({ softTimeout: "50ms" });
    b.link.once("read", { kind: "delay", ms: 80 });
    const call = watch(b.cache.getOrSet("k", load));
    await world.advance(400);
    expect(call.value).toBe("old");
  });

  test("gives it also to who follows the load of another instance", async () => {
    const { world, a, b, load } = await createStale({ softTimeout: "50ms" });
    const leading = a.cache.getOrSet("k", load);
    await world.advance(10);
    const follower = watch(b.cache.getOrSet("k", load));
    await world.advance(150);
    expect(follower.value).toBe("old");
    await world.run(leading);
    await world.advance(5_000);
    expect([await world.run(b.cache.get("k")), load.calls]).toEqual(["new", 1]);
  });

  test("holds while the store is out of reach", async () => {
    const { world, a, load } = await createStale({ softTimeout: "50ms" });
    await world.advance(10_000);
    a.link.always("all", "hang");
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(2_500);
    expect(call.value).toBe("old");
  });

  test("holds without a store", async () => {
    const { world, a, load } = await createStale({ store: undefined, softTimeout: "50ms" });
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(50);
    expect(call.value).toBe("old");
    await world.advance(5_000);
    expect(await world.run(a.cache.get("k"))).toBe("new");
  });
});

describe("hardTimeout", () => {
  test("rejects with a TimeoutError; the load goes on as the one flight, and fills the cache", async () => {
    const world = createWorld();
    const { cache } = world.instance({ hardTimeout: "100ms" });
    const load = world.loader("v", 1_000);
    const first = watch(cache.getOrSet("k", load));
    await world.advance(60);
    const second = watch(cache.getOrSet("k", load));
    await world.advance(40);
    expect(first.error).toMatchObject({ code: "ISOCACHE_TIMEOUT", message: '"k": no value within 100 ms' });
    expect(second.state).toBe("pending");
    await world.advance(60);
    expect(second.state).toBe("failed");
    await world.advance(800);
    const third = watch(cache.getOrSet("k", load));
    await world.advance(100);
    expect([third.value, await world.run(cache.get("k")), load.calls]).toEqual(["v", "v", 1]);
  });

  test("may be undone for a call by Infinity", async () => {
    const world = createWorld();
    const { cache } = world.instance({ hardTimeout: "100ms" });
    expect(await world.run(cache.getOrSet("k", world.loader("v", 1_000), { hardTimeout: Infinity }))).toBe("v");
  });

  test("gives what is stale, like any failure, if there is something", async () => {
    const { world, a, load } = await createStale({ hardTimeout: "100ms" });
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(100);
    expect(call.value).toBe("old");
  });

  test("after softTimeout, for who has nothing stale", async () => {
    const world = createWorld();
    const { cache } = world.instance({ softTimeout: "50ms", hardTimeout: "100ms" });
    const call = watch(cache.getOrSet("k", world.loader("v", 1_000)));
    await world.advance(99);
    expect(call.state).toBe("pending");
    await world.advance(1);
    expect(call.error).toMatchObject({ code: "ISOCACHE_TIMEOUT" });
  });

  test("a load that fails after that is told by an event", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance({ hardTimeout: "100ms" });
    const call = watch(
      cache.getOrSet(
        "k",
        world.loader((): string => Promise.reject(new Error("late")) as never, 500),
      ),
    );
    await world.advance(1_000);
    expect(call.error).toMatchObject({ code: "ISOCACHE_TIMEOUT" });
    expect(errors).toMatchObject([{ operation: "load", error: { code: "ISOCACHE_LOADER" } }]);
  });

  test("bounds for how long the lease is renewed", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ hardTimeout: "12s", lease: "10s" });
    const call = watch(cache.getOrSet("k", world.loader("v", 50_000)));
    await world.advance(49_000);
    expect(call.state).toBe("failed");
    expect(link.count()).toMatchObject({ renew: 2 });
  });

  test("close() ends those who wait, and leaves no timer", async () => {
    const world = createWorld();
    const { cache } = world.instance({ softTimeout: "1s", hardTimeout: "1m" });
    const call = watch(cache.getOrSet("k", world.loader("v", 30_000)));
    await world.advance(10);
    await cache.close();
    await world.advance(0);
    expect(call.error).toMatchObject({ code: "ISOCACHE_STORE" });
  });
});

describe("with other options", () => {
  test("who asks during an eager refresh is served what is fresh, long before any time-out", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ttl: "10s", eagerRefresh: 0.5, softTimeout: "50ms", hardTimeout: "100ms" });
    const load = world.loader("v", 1_000);
    await world.run(cache.getOrSet("k", load, { hardTimeout: Infinity }));
    await world.advance(6_000);
    const calls = [1, 2].map(() => watch(cache.getOrSet("k", load)));
    await world.advance(0);
    expect(calls.map(({ value }) => value)).toEqual(["v", "v"]);
    await world.advance(1_000);
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ age: 0, state: "fresh" });
  });

  test("within staleWhileRevalidate nobody waits for them", async () => {
    const { world, a, load } = await createStale({ softTimeout: "50ms", hardTimeout: "100ms" });
    await world.run(a.cache.set("k", "old", { ttl: "1s", staleWhileRevalidate: "1h" }));
    await world.advance(2_000);
    const call = watch(a.cache.getOrSet("k", load));
    await world.advance(0);
    expect(call.value).toBe("old");
    await world.advance(5_000);
    expect(await world.run(a.cache.get("k"))).toBe("new");
  });

  test("a strong read is not given a copy that the store has not confirmed", async () => {
    const { world, a, b, load } = await createStale({ softTimeout: "50ms" });
    await world.run(b.cache.delete("k"));
    const call = watch(a.cache.getOrSet("k", load, { consistency: "strong" }));
    await world.advance(1_000);
    expect(call.state).toBe("pending");
    await world.advance(5_000);
    expect(call.value).toBe("new");
  });

  test("a stored null is stale as any value", async () => {
    const world = createWorld();
    const { cache } = world.instance({ negativeTtl: "1s", staleIfError: "1h", softTimeout: "50ms" });
    await world.run(cache.getOrSet("k", () => null));
    await world.advance(2_000);
    const call = watch(cache.getOrSet("k", world.loader("there is one now", 1_000)));
    await world.advance(50);
    expect(call).toMatchObject({ state: "done", value: null });
  });
});
