// Keys: any non-empty, well-formed string of at most 1,024 bytes of UTF-8, and nothing else; none is taken for another.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cache } from "../../src/index.ts";
import { createWorld, errorOf } from "../engine/world.ts";

const good: Record<string, string> = {
  "one character": "a",
  "a space": " ",
  NUL: "\0",
  "control characters": "\u0001\u0002\u001f\u007f",
  newlines: "a\r\nb",
  emoji: "👩‍👩‍👧 🧊",
  "what looks like a namespaced key": "\u00011:n/k",
  "what looks like a reserved tag": "@1:n",
  "the name of a prototype's member": "__proto__",
  constructor: "constructor",
  "1,024 bytes": "a".repeat(1_024),
  "1,024 bytes in emoji": "🧊".repeat(256),
  "1,023 bytes in three-byte characters": "€".repeat(341),
};

const bad: Record<string, unknown> = {
  "an empty one": "",
  "1,025 bytes": "a".repeat(1_025),
  "1,025 bytes in 342 characters": `${"€".repeat(341)}aa`,
  "half a surrogate pair": "a\ud83e",
  "the other half": "\udd80b",
  "halves in the wrong order": "\udd80\ud83e",
  undefined: undefined,
  null: null,
  "a number": 1,
  "an object": { toString: () => "k" },
  "an array": ["k"],
  "a symbol": Symbol("k"),
};

const operations: Record<string, (cache: Cache, key: string) => Promise<unknown>> = {
  getOrSet: (cache, key) => cache.getOrSet(key, () => "v"),
  get: (cache, key) => cache.get(key),
  getEntry: (cache, key) => cache.getEntry(key),
  has: (cache, key) => cache.has(key),
  set: (cache, key) => cache.set(key, "v"),
  delete: (cache, key) => cache.delete(key),
  expire: (cache, key) => cache.expire(key),
};

describe.each(Object.entries(good))("%s", (_, key) => {
  test("is a key like any other, in a namespace too", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    for (const part of [(cache: Cache) => cache, (cache: Cache) => cache.namespace("n")]) {
      await world.run(part(a.cache).set(key, { key }));
      expect(await world.run(part(b.cache).get(key))).toEqual({ key });
      await world.run(part(b.cache).delete(key));
      expect(await world.run(part(a.cache).get(key, { consistency: "strong" }))).toBeUndefined();
    }
  });
});

describe.each(Object.entries(bad))("%s", (_, key) => {
  test.each(Object.entries(operations))(
    "is a KeyError in %s, and nothing is asked of the store",
    async (_name, operation) => {
      const world = createWorld();
      const { cache, link } = world.instance();
      const error = await errorOf(operation(cache, key as string)); // what plain JavaScript might pass
      expect(error).toMatchObject({ name: "KeyError", code: "ISOCACHE_KEY" });
      expect(error.message.length).toBeLessThan(200);
      expect(link.count()).toEqual({});
    },
  );
});

test("keys of different namespaces are never the same, whatever their characters", async () => {
  const name = fc.string({
    minLength: 1,
    maxLength: 6,
    unit: fc.constantFrom("\u0001", "/", ":", "1", "2", "@", "#", "a"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { maxLength: 3 }),
      name,
      fc.array(name, { maxLength: 3 }),
      name,
      async (p, k, q, l) => {
        fc.pre(JSON.stringify([p, k]) !== JSON.stringify([q, l]));
        const world = createWorld();
        const { cache } = world.instance();
        const at = (path: string[]): Cache => path.reduce((part, each) => part.namespace(each), cache);
        await world.run(at(p).set(k, "first"));
        await world.run(at(q).set(l, "second"));
        expect(await world.run(at(p).get(k))).toBe("first");
        await world.run(at(q).delete(l));
        expect(await world.run(at(p).get(k, { consistency: "strong" }))).toBe("first");
      },
    ),
    { numRuns: 150 },
  );
});

test("more than a thousand different odd keys live side by side", async () => {
  const world = createWorld();
  const { cache } = world.instance({ store: undefined });
  const keys = fc.sample(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), { numRuns: 1_000, seed: 1 });
  const unique = [...new Set(keys)];
  for (const key of unique) await world.run(cache.set(key, key));
  for (const key of unique) expect(await cache.get(key)).toBe(key);
});
