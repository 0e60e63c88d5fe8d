// Options: unknown, of the wrong kind or contradictory ones are refused at the door, by name, value and remedy.
import { describe, expect, test } from "vitest";
import {
  createCache,
  memoryStore,
  type Cache,
  type CacheOptions,
  type EntryOptions,
  type ReadOptions,
} from "../../src/index.ts";
import { createWorld, errorOf } from "../engine/world.ts";

/** Options as plain JavaScript may pass them. */
const odd = <T>(options: unknown): T => options as T;

const wrongEntries: readonly (readonly [string, unknown, RegExp])[] = [
  ["an unknown name", { tll: "5m" }, /^tll: unknown option; there are .*\bttl\b/],
  ["a name of Object's prototype", { toString: 1 }, /^toString: unknown option/],
  ["staleWhileRevalidate of the wrong kind", { staleWhileRevalidate: "soon" }, /^staleWhileRevalidate: "soon" is not/],
  ["staleIfError below zero", { staleIfError: -1 }, /^staleIfError: -1 is not/],
  ["failureBackoff of the wrong kind", { failureBackoff: {} }, /^failureBackoff: an object is not/],
  ["softTimeout of the wrong kind", { softTimeout: true }, /^softTimeout: true is not a duration/],
  ["hardTimeout below zero", { hardTimeout: -5 }, /^hardTimeout: -5 is not a duration/],
  ["a signal that is none", { signal: {} }, /^signal: an object is not an object with addEventListener/],
  ["negativeTtl of the wrong kind", { negativeTtl: null }, /^negativeTtl: null is not a duration/],
  ["jitter above 1", { jitter: 1.5 }, /^jitter: 1.5 is not a number from 0 to 1/],
  ["jitter that is no number", { jitter: Number.NaN }, /^jitter: NaN is not a number from 0 to 1/],
  ["eagerRefresh below 0", { eagerRefresh: -0.5 }, /^eagerRefresh: -0.5 is not a number from 0 to 1/],
  ["maxValueBytes of the wrong kind", { maxValueBytes: "8m" }, /^maxValueBytes: "8m" is not a size/],
  [
    "validate of the wrong kind",
    { validate: { parse: 1 } },
    /^validate: an object is not a Standard Schema or a function/,
  ],
  ["tags that are no array", { tags: "t" }, /^tags: "t" is not an array of at most 100 strings/],
  ["a tag that is no string", { tags: ["a", 5] }, /^tags: 5 is not a well-formed string/],
  ["an empty tag", { tags: [""] }, /^tags: "" is not a well-formed string of 1 to 1,024 bytes/],
  [
    "a tag of 1,025 bytes",
    { tags: ["a".repeat(1_025)] },
    /^tags: "a+" is not a well-formed string of 1 to 1,024 bytes of UTF-8/,
  ],
  ["101 tags", { tags: Array.from({ length: 101 }, String) }, /^tags: .* is not an array of at most 100 strings/],
  ["an etag that is no string", { etag: 5 }, /^etag: 5 is not a string/],
  ["lastModified that is no string", { lastModified: new Date(0) }, /^lastModified: an object is not a string/],
  ["memoryTtl of the wrong kind", { memoryTtl: "x" }, /^memoryTtl: "x" is not/],
  ["memory of the wrong kind", { memory: "no" }, /^memory: "no" is not true or false/],
  ["store of the wrong kind", { store: 0 }, /^store: 0 is not true or false/],
  ["consistency of the wrong kind", { consistency: "linear" }, /^consistency: "linear" is not "eventual" or "strong"/],
  ["memoryTtl without memory", { memory: false, memoryTtl: 5 }, /^memoryTtl: needs memory, which is false/],
  [
    "strong without the store",
    { store: false, consistency: "strong" },
    /^consistency: "strong" needs store, which is false/,
  ],
  ["null", null, /^options: null is not an object/],
  ["a number", 5, /^options: 5 is not an object/],
];

describe.each(wrongEntries)("%s", (_, options, message) => {
  const doors: Record<string, (cache: Cache) => Promise<unknown>> = {
    getOrSet: (cache) => cache.getOrSet("k", () => 1, odd<EntryOptions>(options)),
    set: (cache) => cache.set("k", 1, odd<EntryOptions>(options)),
  };
  test.each(Object.entries(doors))("is an OptionError in %s, and nothing is loaded or stored", async (_name, door) => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const error = await errorOf(door(cache));
    expect(error).toMatchObject({ name: "OptionError", code: "ISOCACHE_OPTION" });
    expect(error.message).toMatch(message);
    expect(link.count()).toEqual({});
    expect(cache.stats().loads).toBe(0);
  });

  test("is an OptionError in namespace", () => {
    const { cache } = createWorld().instance();
    expect(() => cache.namespace("n", odd<EntryOptions>(options))).toThrow(message);
  });
});

const wrongCaches: readonly (readonly [string, unknown, RegExp])[] = [
  ["an unknown name", { maxStalenes: "5s" }, /^maxStalenes: unknown option; there are .*\bmaxStaleness\b/],
  ["an unknown name within memory", { memory: { max: 5 } }, /^max: unknown option; there are maxBytes/],
  ["a name that is no string", { name: 5 }, /^name: 5 is not a well-formed string/],
  ["an empty name", { name: "" }, /^name: "" is not a well-formed string of 1 to 1,024 bytes/],
  ["memory of the wrong kind", { memory: true }, /^memory: true is not an object/],
  ["maxEntries of zero", { memory: { maxEntries: 0 } }, /^maxEntries: 0 is not a whole number from 1/],
  ["maxEntries beyond what a map holds", { memory: { maxEntries: 2 ** 24 } }, /^maxEntries: 16777216 is not/],
  ["values of the wrong kind", { memory: { values: "cloned" } }, /^values: "cloned" is not "frozen" or "copied"/],
  ["a store that is none", { store: {} }, /^store: an object is not an object with connect/],
  ["a store by its name", { store: "redis" }, /^store: "redis" is not an object with connect/],
  ["a codec that is none", { codec: JSON }, /^codec: an object is not an object with encode, decode/],
  ["a platform that is none", { platform: {} }, /^platform: an object is not an object with now/],
  ["maxStaleness of the wrong kind", { maxStaleness: "now" }, /^maxStaleness: "now" is not a duration/],
  ["a storeTimeout of zero", { storeTimeout: 0 }, /^storeTimeout: 0 is not between 1 ms and 24 days/],
  ["a storeTimeout that no timer holds", { storeTimeout: "25d" }, /^storeTimeout: "25d" is not between/],
  ["a lease of zero", { lease: 0 }, /^lease: 0 is not between/],
  ["an endless lease", { lease: Infinity }, /^lease: Infinity is not between/],
  ["nothing to cache in", { memory: false }, /^memory: false needs a store/],
  ["an entry option of the wrong kind", { ttl: "forever" }, /^ttl: "forever" is not a duration/],
  ["null", null, /^options: null is not an object/],
];

describe.each(wrongCaches)("createCache with %s", (_, options, message) => {
  test("throws an OptionError that says what is wrong", () => {
    const create = (): Cache => createCache(odd<CacheOptions>(options));
    expect(create).toThrow(expect.objectContaining({ name: "OptionError", code: "ISOCACHE_OPTION" }));
    expect(create).toThrow(message);
  });
});

describe("messages", () => {
  test("do not show what an object holds, nor more than the beginning of a text", () => {
    const secret = "s3cr3t".repeat(50);
    for (const options of [{ ttl: { token: secret } }, { ttl: [secret] }, { ttl: secret }]) {
      const create = (): Cache => createCache(odd<CacheOptions>(options));
      expect(create).toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret) }));
    }
  });
});

describe("read options", () => {
  test.each(["get", "getEntry", "has"] as const)(
    "of %s: ttl and other options of entries are unknown to it",
    async (name) => {
      const { cache } = createWorld().instance();
      const read = cache[name] as (key: string, options?: ReadOptions) => Promise<unknown>; // one of its overloads
      const error = await errorOf(read("k", odd({ ttl: 5 })));
      expect(error).toMatchObject({ code: "ISOCACHE_OPTION", message: expect.stringMatching(/^ttl: unknown option/) });
    },
  );
});

describe("a loader that is no function", () => {
  test.each([undefined, null, "v", {}, Promise.resolve(1)])("%o is an OptionError", async (loader) => {
    const { cache } = createWorld().instance();
    expect(await errorOf(cache.getOrSet("k", odd(loader)))).toMatchObject({ code: "ISOCACHE_OPTION" });
  });
});

describe("tags of an invalidation", () => {
  test.each([undefined, "t", [""], [5], Array.from({ length: 101 }, String)])("%o is an OptionError", async (tags) => {
    const world = createWorld();
    const { cache, link } = world.instance();
    for (const call of [cache.invalidateTags, cache.expireTags]) {
      expect(await errorOf(call(odd<string[]>(tags)))).toMatchObject({ code: "ISOCACHE_OPTION" });
    }
    expect(link.count()).toEqual({});
  });

  test("may be none, which invalidates nothing", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", 1));
    await world.run(cache.invalidateTags([]));
    expect(await world.run(cache.get("k", { consistency: "strong" }))).toBe(1);
  });
});

test("undefined counts as not given, everywhere", async () => {
  const names = [
    "name",
    "memory",
    "store",
    "maxStaleness",
    "storeTimeout",
    "lease",
    "codec",
    "platform",
    "ttl",
    "tags",
  ];
  const cache = createCache(odd<CacheOptions>(Object.fromEntries(names.map((name) => [name, undefined]))));
  expect(await cache.getOrSet("k", () => 1, { ttl: undefined, memory: undefined })).toBe(1);
  expect((await cache.getEntry("k"))?.ttl).toBe(60_000);
  expect(() => createCache({ store: memoryStore(), memory: { maxBytes: undefined, values: undefined } })).not.toThrow();
});
