// One load per key: in the isolate, across instances, and its failure shared as its value is (P3).
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { createWorld, deferred, errorOf, watch } from "./world.ts";

describe("in one instance", () => {
  test("concurrent calls for one key share one load", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader("v", 50);
    const values = await world.run(Promise.all(Array.from({ length: 100 }, () => cache.getOrSet("k", load))));
    expect(values).toEqual(Array.from({ length: 100 }, () => "v"));
    expect(load.calls).toBe(1);
  });

  test("different keys are loaded at the same time", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader(({ key }) => key, 50);
    const startedAt = world.platform.monotonic();
    expect(await world.run(Promise.all([cache.getOrSet("a", load), cache.getOrSet("b", load)]))).toEqual(["a", "b"]);
    expect(world.platform.monotonic() - startedAt).toBe(50);
  });

  test("a failed load fails all who waited for it, with the loader's error as cause, and nothing is kept of it", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const cause = new Error("origin down");
    let calls = 0;
    const failing = async (): Promise<string> => {
      calls++;
      await Promise.resolve();
      throw cause;
    };
    const errors = await world.run(Promise.all([1, 2, 3].map(() => errorOf(cache.getOrSet("k", failing)))));
    expect(calls).toBe(1);
    expect(errors.map(({ code, cause }) => [code, cause])).toEqual(errors.map(() => ["ISOCACHE_LOADER", cause]));
    expect(await world.run(cache.getOrSet("k", world.loader("v")))).toBe("v");
  });

  test("a loader that throws before it returns a promise fails as one that rejects", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await world.run(
      errorOf(
        cache.getOrSet("k", () => {
          throw new Error("at once");
        }),
      ),
    );
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", message: expect.stringContaining("at once") });
  });

  test("a loader that throws what is no error is a LoaderError with that as cause", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    for (const thrown of [undefined, null, "text", 0] as unknown[]) {
      const error = await world.run(
        errorOf(cache.getOrSet("k", () => Promise.reject(thrown as Error))), // loaders may reject with anything
      );
      expect(error).toMatchObject({ code: "ISOCACHE_LOADER", cause: thrown });
    }
  });

  test("a loader may read and load other keys of the same cache", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const inner = world.loader("inner", 10);
    const value = await world.run(
      cache.getOrSet("outer", async () => `outer of ${await cache.getOrSet("inner", inner)}`),
    );
    expect(value).toBe("outer of inner");
  });
});

describe("across instances", () => {
  test("followers on other instances get the leader's value without loading", async () => {
    const world = createWorld();
    const instances = [1, 2, 3, 4].map(() => world.instance());
    const load = world.loader("v", 50);
    const calls = instances.flatMap(({ cache }) => Array.from({ length: 25 }, () => cache.getOrSet("k", load)));
    expect(new Set(await world.run(Promise.all(calls)))).toEqual(new Set(["v"]));
    expect(load.calls).toBe(1);
  });

  test("over a store that cannot hold a read, followers ask again in steps, and nobody else loads", async () => {
    const world = createWorld();
    const a = world.instance();
    const b = world.instance({}, { heldReadsPerRequest: 0 });
    const load = world.loader("v", 2_000);
    const leading = a.cache.getOrSet("k", load);
    await world.advance(1);
    const following = b.cache.getOrSet("k", load);
    expect(await world.run(Promise.all([leading, following]))).toEqual(["v", "v"]);
    expect(load.calls).toBe(1);
    expect(b.link.count().read).toBeLessThanOrEqual(12);
  });

  test("a failed load leaves the right to load to a follower at once", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const fail = deferred<string>();
    const leading = watch(a.cache.getOrSet("k", () => fail.promise));
    await world.advance(1);
    const following = watch(b.cache.getOrSet("k", world.loader("second")));
    await world.advance(100);
    expect(following.state).toBe("pending");
    fail.reject(new Error("origin down"));
    await world.advance(0);
    expect(leading).toMatchObject({ state: "failed", error: { code: "ISOCACHE_LOADER" } });
    expect(following).toMatchObject({ state: "done", value: "second" });
  });

  test("a loader that skips gives its callers undefined, stores nothing, and frees the key", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    expect(await world.run(a.cache.getOrSet("k", (context) => context.skip()))).toBeUndefined();
    expect(await world.stored("k")).toBeUndefined();
    const startedAt = world.platform.monotonic();
    expect(await world.run(b.cache.getOrSet("k", world.loader("v")))).toBe("v");
    expect(world.platform.monotonic()).toBe(startedAt);
  });

  test("caches of different names share nothing in one store", async () => {
    const world = createWorld();
    const store = memoryStore();
    const a = world.instance({ name: "a", store });
    const b = world.instance({ name: "b", store });
    const load = world.loader("v", 10);
    await world.run(Promise.all([a.cache.getOrSet("k", load), b.cache.getOrSet("k", load)]));
    expect(load.calls).toBe(2);
    await world.run(a.cache.clear());
    expect(await world.run(b.cache.get("k", { consistency: "strong" }))).toBe("v");
  });
});
