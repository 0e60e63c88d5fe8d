// Namespaces: the same cache under a prefix; how far tags, clears and defaults reach.
import { describe, expect, test } from "vitest";
import type { Cache } from "../../src/index.ts";
import { createWorld } from "../engine/world.ts";

/** One key in each of: the root, a, a/b, c. */
const createTree = async () => {
  const world = createWorld();
  const writer = world.instance();
  const reader = world.instance();
  const places = (cache: Cache) => ({
    root: cache,
    a: cache.namespace("a"),
    ab: cache.namespace("a").namespace("b"),
    c: cache.namespace("c"),
  });
  for (const [name, place] of Object.entries(places(writer.cache)))
    await world.run(place.set("k", name, { tags: ["t"] }));
  /** Which places still have their value: in the writer's memory, then for another instance, in the store. */
  const left = async (): Promise<string[][]> => {
    const seen: string[][] = [];
    for (const { cache } of [writer, reader]) {
      const found: string[] = [];
      for (const [name, place] of Object.entries(places(cache))) {
        const value = await world.run(place.get("k", cache === reader.cache ? { consistency: "strong" } : {}));
        if (value !== undefined) found.push(name);
        expect([undefined, name]).toContain(value);
      }
      seen.push(found);
    }
    return seen;
  };
  return { world, ...places(writer.cache), left };
};

test("the same key in different namespaces is different", async () => {
  const { left } = await createTree();
  const all = ["root", "a", "ab", "c"];
  expect(await left()).toEqual([all, all]);
});

test("namespaces of one path are one, however they were made", async () => {
  const { world, root } = await createTree();
  expect(await world.run(root.namespace("a").namespace("b").get("k"))).toBe("ab");
  expect(await world.run(root.namespace("ab").get("k"))).toBeUndefined();
});

describe("invalidateTags", () => {
  test.each([
    ["root", []],
    ["a", ["root", "c"]],
    ["ab", ["root", "a", "c"]],
    ["c", ["root", "a", "ab"]],
  ] as const)("in %s reaches it and what nests in it, and leaves %j", async (where, rest) => {
    const tree = await createTree();
    await tree.world.run(tree[where].invalidateTags(["t"]));
    expect(await tree.left()).toEqual([rest, rest]);
  });

  test("of a tag nobody carries reaches nothing", async () => {
    const { world, root, left } = await createTree();
    await world.run(root.invalidateTags(["u", "1:a/t", "@", "#/t"]));
    expect((await left())[1]).toHaveLength(4);
  });
});

describe("clear", () => {
  test.each([
    ["root", []],
    ["a", ["root", "c"]],
    ["ab", ["root", "a", "c"]],
    ["c", ["root", "a", "ab"]],
  ] as const)("of %s leaves %j", async (where, rest) => {
    const tree = await createTree();
    await tree.world.run(tree[where].clear());
    expect(await tree.left()).toEqual([rest, rest]);
  });

  test("does not reach what is stored after it", async () => {
    const { world, root, left } = await createTree();
    await world.run(root.clear());
    await world.run(root.set("k", "root"));
    expect(await left()).toEqual([["root"], ["root"]]);
  });
});

test("tags are shown as the user gave them, once each", async () => {
  const { world, ab } = await createTree();
  await world.run(ab.set("tagged", 1, { tags: ["x", "y", "x", "@"] }));
  expect((await world.run(ab.getEntry("tagged")))?.tags).toEqual(["x", "y", "@"]);
});

test("defaults of the cache, of a namespace and of the call: the nearer wins, undefined counts as not given", async () => {
  const world = createWorld();
  const { cache } = world.instance({ ttl: "1h", staleIfError: "2h", tags: ["cache"] });
  const outer = cache.namespace("outer", { ttl: "10m" });
  const inner = outer.namespace("inner", { ttl: undefined, tags: ["inner"], staleIfError: 0 });
  const ttlOf = async (place: Cache, options = {}): Promise<unknown> => {
    await world.run(place.getOrSet(JSON.stringify(options), () => 1, options));
    return (await world.run(place.getEntry(JSON.stringify(options))))?.ttl;
  };
  expect([await ttlOf(cache), await ttlOf(outer), await ttlOf(inner)]).toEqual([3_600_000, 600_000, 600_000]);
  expect([await ttlOf(inner, { ttl: 5_000 }), await ttlOf(inner, { ttl: undefined })]).toEqual([5_000, 600_000]);
  expect((await world.run(inner.getEntry("{}")))?.tags).toEqual(["inner"]);
  expect((await world.run(outer.getEntry("{}")))?.tags).toEqual(["cache"]);
});

test("events and close are those of the whole cache", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const inner = cache.namespace("n");
  const heard: string[] = [];
  cache.on("load", ({ key }) => heard.push(key));
  await world.run(inner.getOrSet("k", () => 1));
  expect(heard).toEqual(["k"]);
  await inner.close();
  await expect(cache.get("k")).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
});

test("statistics are the namespace's own, and count for all that encloses it", async () => {
  const world = createWorld();
  const { cache, link } = world.instance();
  const [outer, other] = [cache.namespace("outer"), cache.namespace("other")];
  const inner = outer.namespace("inner", { ttl: "1h" });
  const bound = inner.bind({ waitUntil: () => undefined });
  await world.run(inner.getOrSet("k", () => "in inner")); // 2 trips
  await world.run(bound.get("k"));
  await world.run(outer.set("k", "in outer")); // 1
  await world.run(other.getMany(["a", "b"])); // 1
  await world.run(cache.get("k")); // 1
  link.always("read", "fail");
  await world.run(inner.get("missing")); // 1, and an error
  await world.advance(6_000);
  await world.run(inner.get("k")); // asks the log: 1
  const counts = { loads: 1, syncs: 1, errors: 1 };
  expect(inner.stats()).toMatchObject({
    hits: { memory: 2, store: 0 },
    misses: 2,
    roundTrips: 4,
    entries: 1,
    ...counts,
  });
  expect(outer.stats()).toMatchObject({
    hits: { memory: 2, store: 0 },
    misses: 2,
    roundTrips: 5,
    entries: 2,
    ...counts,
  });
  expect(other.stats()).toMatchObject({ misses: 2, roundTrips: 1, loads: 0, entries: 0, bytes: 0, errors: 0 });
  expect(cache.stats()).toMatchObject({
    hits: { memory: 2, store: 0 },
    misses: 5,
    roundTrips: 7,
    entries: 2,
    ...counts,
  });
  expect(bound.stats()).toEqual(inner.stats());
  expect(inner.stats().bytes + other.stats().bytes).toBeLessThan(outer.stats().bytes);
  expect(outer.stats().bytes).toBe(cache.stats().bytes);
  await world.run(cache.set("k", "at the root"));
  expect(cache.stats().bytes).toBeGreaterThan(outer.stats().bytes);
  await world.run(inner.clear());
  await world.run(inner.get("k"));
  expect(inner.stats()).toMatchObject({ entries: 0, bytes: 0 });
});

test.each(["", "a".repeat(1_025), "\ud800", 5, undefined])("%o is no name of a namespace", (name) => {
  const { cache } = createWorld().instance();
  expect(() => cache.namespace(name as string)).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
});
