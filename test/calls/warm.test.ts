// Warming: what is missing is loaded, a few at a time, and no failure stops the rest.
import { describe, expect, test } from "vitest";
import type { Cache, WarmEntry, WarmProgress } from "../../src/index.ts";
import { createWorld, errorOf, sleep, watch } from "../engine/world.ts";

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

describe("warm", () => {
  test("loads what is missing, leaves alone what is there, and says how much of each", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k1", "there"));
    const entries = keys(3).map((key): WarmEntry => ({
      key,
      loader: ({ key }) => `loaded ${key}`,
      options: { tags: ["t"] },
    }));
    expect(await world.run(cache.warm(new Set(entries)))).toEqual({ loaded: 2, hits: 1, failed: [] });
    expect(await world.run(cache.get("k0"))).toBe("loaded k0");
    expect(await world.run(cache.get("k1"))).toBe("there");
    await world.run(cache.invalidateTags(["t"]));
    expect(await world.run(cache.has("k0"))).toBe(false);
  });

  test.each([
    [undefined, 10],
    [1, 1],
    [3, 3],
    [1_000_000, 25],
  ])("with a concurrency of %s loads at most %i at a time", async (concurrency, expected) => {
    const world = createWorld();
    const { cache } = world.instance();
    let running = 0;
    let most = 0;
    const loader = async () => {
      most = Math.max(most, ++running);
      await sleep(world.platform, 10);
      return running--;
    };
    const result = await world.run(
      cache.warm(
        keys(25).map((key) => ({ key, loader })),
        { concurrency },
      ),
    );
    expect([result.loaded, most]).toEqual([25, expected]);
  });

  test("goes on after a failure, and names what failed and why", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const cause = new Error("down");
    const entries = [
      { key: "a", loader: () => Promise.reject(cause) },
      { key: "", loader: () => 1 },
      { key: "c", loader: () => 1, options: { ttl: "soon" } },
      { key: "d", loader: 5 },
      { key: "e", loader: () => 1 },
    ];
    const result = await world.run(cache.warm(entries as WarmEntry[], { concurrency: 1 })); // as plain JavaScript might
    expect(result).toEqual({
      loaded: 1,
      hits: 0,
      failed: [
        { key: "a", error: expect.objectContaining({ code: "ISOCACHE_LOADER", cause }) },
        { key: "", error: expect.objectContaining({ code: "ISOCACHE_KEY" }) },
        { key: "c", error: expect.objectContaining({ code: "ISOCACHE_OPTION" }) },
        { key: "d", error: expect.objectContaining({ code: "ISOCACHE_OPTION" }) },
      ],
    });
  });

  test("counts what another caller was loading as a hit", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const other = watch(cache.getOrSet("k0", world.loader("other", 50)));
    const result = await world.run(cache.warm([{ key: "k0", loader: () => "mine" }]));
    expect([result, other.value]).toEqual([{ loaded: 0, hits: 1, failed: [] }, "other"]);
  });

  test("tells its progress after each entry, failed ones included", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const seen: WarmProgress[] = [];
    const entries = keys(3).map((key, index) => ({
      key,
      loader: () => (index === 1 ? Promise.reject(new Error()) : 1),
    }));
    await world.run(cache.warm(entries, { concurrency: 1, onProgress: (progress) => seen.push(progress) }));
    expect(seen).toEqual(keys(3).map((key, index) => ({ done: index + 1, total: 3, key })));
  });

  test.each([
    ["throws", () => expect.fail("listener")],
    ["rejects", () => Promise.reject(new Error("listener"))],
  ])("is not stopped by an onProgress that %s: an event says so", async (_, onProgress) => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    const entries = keys(2).map((key) => ({ key, loader: () => 1 }));
    expect(await world.run(cache.warm(entries, { onProgress }))).toEqual({ loaded: 2, hits: 0, failed: [] });
    await world.advance(0);
    expect(errors).toMatchObject([
      { operation: "warm", key: "k0", error: { message: "listener" } },
      { operation: "warm", key: "k1", error: { message: "listener" } },
    ]);
  });

  test("loads nothing more once the cache is closed, and what is left has failed", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader(1, 50);
    const entries = keys(100).map((key) => ({ key, loader: load }));
    const warmed = watch(cache.warm(entries, { concurrency: 2 }));
    await world.advance(70);
    await world.run(cache.close());
    await world.advance(100);
    expect(load.calls).toBe(4);
    expect(warmed).toMatchObject({ state: "done", value: { loaded: 4, hits: 0 } });
    const { failed } = warmed.value!; // it is done
    expect(failed.length).toBe(96);
    expect(failed.every(({ error }) => (error as { code?: string }).code === "ISOCACHE_STORE")).toBe(true);
  });

  test("warms nothing without entries", async () => {
    const { cache } = createWorld().instance();
    expect(await cache.warm([])).toEqual({ loaded: 0, hits: 0, failed: [] });
  });

  const wrong: [string, unknown, unknown][] = [
    ["entries that cannot be counted", 5, undefined],
    ["no entries", undefined, undefined],
    ["a concurrency of 0", [], { concurrency: 0 }],
    ["half a load", [], { concurrency: 1.5 }],
    ["a progress that is no function", [], { onProgress: 1 }],
    ["an unknown option", [], { parallel: 1 }],
    ["options that are none", [], 5],
  ];
  test.each(wrong)("refuses %s with an OptionError", async (_, entries, options) => {
    const { cache } = createWorld().instance();
    const warm = cache.warm as (entries: unknown, options: unknown) => ReturnType<Cache["warm"]>; // as plain JavaScript might
    expect(await errorOf(warm(entries, options))).toMatchObject({ code: "ISOCACHE_OPTION" });
  });
});
