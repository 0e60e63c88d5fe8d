// Durations and sizes as users write them.
import { describe, expect, test } from "vitest";
import { createCache, type CacheOptions, type Duration } from "../../src/index.ts";
import { createWorld } from "../engine/world.ts";

/** The ttl an entry is stored with. */
async function ttlOf(ttl: unknown): Promise<number | undefined> {
  const world = createWorld();
  const { cache } = world.instance();
  await world.run(cache.getOrSet("k", () => 1, { ttl: ttl as Duration }));
  return (await world.run(cache.getEntry("k")))?.ttl;
}

describe("durations", () => {
  test.each([
    [250, 250],
    [1.5, 1.5],
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2.5h", 9_000_000],
    ["1d", 86_400_000],
    [Infinity, Infinity],
    [undefined, 60_000],
    [1e300, Infinity],
  ])("%o is %o ms", async (given, expected) => {
    expect(await ttlOf(given)).toBe(expected);
  });

  test.each([
    ["5 m"],
    ["5M"],
    ["5"],
    [""],
    ["-5m"],
    ["5m "],
    ["1e3ms"],
    [".5h"],
    ["5min"],
    ["5toString"],
    [-1],
    [NaN],
    [-Infinity],
    [null],
    [true],
    [{}],
    [["5m"]],
    [5n],
  ])("%o is none: the OptionError names the option, the value and what it takes", (given) => {
    const create = (): unknown => createCache({ ttl: given as Duration });
    expect(create).toThrow(expect.objectContaining({ name: "OptionError", code: "ISOCACHE_OPTION" }));
    expect(create).toThrow(/^ttl: .+ is not a duration: milliseconds or text like "250ms"/);
  });
});

describe("sizes", () => {
  test.each([1, 1_000_000, "512b", "64kb", "32mb", "1gb", "1.5mb", Infinity])("%o is one", (maxBytes) => {
    expect(() => createCache({ memory: { maxBytes } as CacheOptions["memory"] & object })).not.toThrow();
  });

  test.each(["32MB", "32 mb", "32", "mb", "1tb", -1, NaN, null, "1s", {}])("%o is none", (maxBytes) => {
    const create = (): unknown => createCache({ memory: { maxBytes: maxBytes as number } });
    expect(create).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
    expect(create).toThrow(/^maxBytes: .+ is not a size: bytes or text like "64kb"/);
  });

  test("of memory bound what it holds, and no entry takes more than an eighth", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, memory: { maxBytes: "64kb" } });
    await cache.set("large", "x".repeat(9_000));
    expect(await cache.get("large")).toBeUndefined();
    for (let index = 0; index < 100; index++) await cache.set(`k${index}`, "x".repeat(2_000));
    expect(cache.stats().bytes).toBeLessThanOrEqual(65_536);
    expect(cache.stats().entries).toBeGreaterThan(20);
    expect(await cache.get("k99")).toBeDefined();
    expect(await cache.get("k0")).toBeUndefined();
  });

  test("maxEntries bounds the number of entries", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, memory: { maxEntries: 3 } });
    for (let index = 0; index < 10; index++) await cache.set(`k${index}`, index);
    expect(cache.stats().entries).toBe(3);
  });
});
