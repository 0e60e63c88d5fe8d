// Values too large to be stored: callers still get them, an event says why, and set refuses them.
import { describe, expect, test } from "vitest";
import { createWorld, errorOf } from "./world.ts";

describe("a loaded value above maxValueBytes", () => {
  test("is given to its callers and stored nowhere, and an event names key and size", async () => {
    const world = createWorld();
    const [a, b] = [world.instance({ maxValueBytes: "1kb" }), world.instance()];
    const outcomes: string[] = [];
    a.cache.on("load", ({ outcome }) => outcomes.push(outcome));
    const load = world.loader("x".repeat(1_100));
    expect(await world.run(a.cache.getOrSet("k", load))).toHaveLength(1_100);
    expect(await world.run(a.cache.getOrSet("k", load))).toHaveLength(1_100);
    expect([await world.run(b.cache.get("k")), load.calls, outcomes]).toEqual([undefined, 2, ["unstored", "unstored"]]);
    expect(a.errors[0]).toMatchObject({
      operation: "encode",
      key: "k",
      error: {
        code: "ISOCACHE_CODEC",
        message: expect.stringMatching(/^"k": 11\d\d bytes are more than maxValueBytes, 1024$/),
      },
    });
  });

  test("leaves no lease behind", async () => {
    const world = createWorld();
    const [a, b] = [world.instance({ maxValueBytes: 10 }), world.instance()];
    await world.run(a.cache.getOrSet("k", () => "x".repeat(20)));
    const before = world.platform.monotonic();
    expect(await world.run(b.cache.getOrSet("k", () => "small"))).toBe("small");
    expect(world.platform.monotonic() - before).toBeLessThan(100);
  });

  test("without a store is one that memory estimates so", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance({ store: undefined, maxValueBytes: "1kb" });
    const load = world.loader("x".repeat(1_100));
    await world.run(cache.getOrSet("k", load));
    await world.run(cache.getOrSet("k", load));
    expect([load.calls, errors.length]).toEqual([2, 2]);
    await world.run(cache.getOrSet("small", () => "x"));
    expect(await world.run(cache.get("small"))).toBe("x");
  });

  test("is allowed where the loader says so", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance({ maxValueBytes: 10 });
    await world.run(
      cache.getOrSet("k", (context) => {
        context.set({ maxValueBytes: Infinity });
        return "x".repeat(100);
      }),
    );
    expect([await world.run(cache.get("k")), errors]).toEqual(["x".repeat(100), []]);
  });

  test("in a refresh leaves what is stale to those it is for", async () => {
    const world = createWorld();
    const { cache } = world.instance({ staleWhileRevalidate: "1h", maxValueBytes: 100 });
    await world.run(cache.set("k", "old", { ttl: "1s" }));
    await world.advance(2_000);
    await world.run(cache.getOrSet("k", () => "x".repeat(200)));
    await world.advance(100);
    expect(await world.run(cache.get("k"))).toBe("old");
  });
});

describe("set of a value above maxValueBytes", () => {
  test.each([
    ["with a store", {}],
    ["without one", { store: undefined }],
  ])("rejects with a CodecError %s, and changes nothing", async (_, options) => {
    const world = createWorld();
    const { cache, link } = world.instance({ ...options, maxValueBytes: 500 });
    await world.run(cache.set("k", "old"));
    link.count();
    const error = await world.run(errorOf(cache.set("k", "x".repeat(600))));
    expect(error).toMatchObject({ code: "ISOCACHE_CODEC", message: expect.stringMatching(/^"k": \d+ bytes are more/) });
    expect([await world.run(cache.get("k")), link.count()]).toEqual(["old", {}]);
  });

  test("by default is one of more than 8 MB, encoded", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", "x".repeat(8 * 1024 ** 2 - 100)));
    expect(await world.run(errorOf(cache.set("k", "x".repeat(8 * 1024 ** 2))))).toMatchObject({
      code: "ISOCACHE_CODEC",
    });
  });
});
