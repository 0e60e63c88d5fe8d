// Round trips are a budget (P4): what each operation asks of the store, counted on its way there.
import { describe, expect, test } from "vitest";
import { createCache, memoryStore, type Cache } from "../../src/index.ts";
import { createWorld } from "./world.ts";

const tags = Array.from({ length: 100 }, (_, index) => `tag ${index}`);

describe("reads", () => {
  test("a memory hit costs nothing", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", { tags }));
    link.count();
    for (let index = 0; index < 100; index++) {
      await world.run(cache.getOrSet("k", () => "v"));
      await world.run(cache.get("k"));
    }
    expect(link.count()).toEqual({});
  });

  test.each([0, 3, 100])("a store hit with %i tags costs one", async (count) => {
    const world = createWorld();
    await world.run(world.instance().cache.set("k", "v", { tags: tags.slice(0, count) }));
    const { cache, link } = world.instance();
    expect(await world.run(cache.getOrSet("k", () => "loaded"))).toBe("v");
    expect(link.count()).toEqual({ read: 1 });
  });

  test("a cold miss costs two: read-or-lease and commit", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", world.loader("v", 4_000), { tags }));
    expect(link.count()).toEqual({ read: 1, commit: 1 });
    expect(cache.stats().roundTrips).toBe(2);
  });

  test("a load that outlasts half its lease costs a renewal for each half lease", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ lease: "2s" });
    await world.run(cache.getOrSet("k", world.loader("v", 3_500)));
    expect(link.count()).toEqual({ read: 1, renew: 3, commit: 1 });
  });

  test("a load that fails costs two: read-or-lease and release", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", (context) => context.fail("no")).catch(() => undefined));
    expect(link.count()).toEqual({ read: 1, release: 1 });
  });

  test("a follower on another instance costs one call that is held", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader("v", 900);
    const leading = a.cache.getOrSet("k", load);
    await world.advance(10);
    await world.run(Promise.all([leading, ...Array.from({ length: 50 }, () => b.cache.getOrSet("k", load))]));
    expect(b.link.count()).toEqual({ read: 1 });
  });

  test("a strong hit costs one", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v"));
    link.count();
    await world.run(cache.getOrSet("k", () => "loaded", { consistency: "strong" }));
    expect(link.count()).toEqual({ read: 1 });
  });

  test("a miss without a loader costs one", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.has("k"));
    expect(link.count()).toEqual({ read: 1 });
  });

  test("a revalidation in the background costs two", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1s", staleWhileRevalidate: "1m" });
    await world.run(cache.getOrSet("k", () => 1));
    await world.advance(1_500);
    link.count();
    await world.run(cache.getOrSet("k", () => 2));
    await world.advance(0);
    expect(link.count()).toEqual({ read: 1, commit: 1 });
  });
});

const writes: readonly (readonly [string, (cache: Cache) => Promise<void>, "one" | "all"])[] = [
  ["set", (cache) => cache.set("k", "v", { tags }), "one"],
  ["delete", (cache) => cache.delete("k"), "one"],
  ["expire", (cache) => cache.expire("k"), "one"],
  ["invalidateTags", (cache) => cache.invalidateTags(tags), "all"],
  ["expireTags", (cache) => cache.expireTags(tags), "all"],
  ["clear", (cache) => cache.clear(), "all"],
  ["clear of a namespace", (cache) => cache.namespace("n").clear(), "all"],
];

describe.each(writes)("%s", (_, operation, touched) => {
  test.each([1, 4])("costs one trip per partition touched, of %i", async (partitions) => {
    const world = createWorld({ store: memoryStore({ partitions }) });
    const { cache, link } = world.instance();
    await world.run(operation(cache));
    expect(link.count()).toEqual({ write: touched === "one" ? 1 : partitions });
    await world.advance(60_000);
    expect(link.count()).toEqual({});
  });
});

describe("without a store", () => {
  test("nothing is asked, synced or timed", async () => {
    const world = createWorld();
    const cache = createCache({ platform: world.platform });
    await world.run(cache.getOrSet("k", () => "v", { ttl: "1h", tags: ["t"] }));
    expect(world.platform.timers).toBe(0);
    await world.advance(60_000);
    expect(await cache.get("k")).toBe("v");
    await cache.invalidateTags(["t"]);
    expect(await cache.get("k")).toBeUndefined();
    expect(cache.stats()).toMatchObject({ roundTrips: 0, syncs: 0 });
  });
});
