// Cached functions: what is cached under which key, how it is invalidated, what the compiler infers, what is refused.
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Cache, Wrapped } from "../../src/index.ts";
import { createWorld, deferred, errorOf, watch } from "../engine/world.ts";

describe("a wrapped function", () => {
  test("is called once for equal arguments, and once more for others", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const calls: unknown[] = [];
    const search = cache.wrap(
      async (text: string, { page, size }: { page: number; size: number }) => calls.push([text, page, size]),
      { name: "search" },
    );
    expect(await world.run(search("a", { page: 1, size: 2 }))).toBe(1);
    expect(await world.run(search("a", { size: 2, page: 1 }))).toBe(1);
    expect(await world.run(search("a", { page: 2, size: 2 }))).toBe(2);
    expect(calls).toEqual([
      ["a", 1, 2],
      ["a", 2, 2],
    ]);
  });

  test("shares a load between concurrent calls and instances", async () => {
    const world = createWorld();
    const load = world.loader("v", 50);
    const functions = [1, 2].map(() => world.instance().cache.wrap((_id: number) => load({} as never), { name: "f" }));
    const results = await world.run(Promise.all(functions.flatMap((each) => [each(1), each(1)])));
    expect(results).toEqual(["v", "v", "v", "v"]);
    expect(load.calls).toBe(1);
  });

  test("of another name, or in another namespace, has results of its own", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const one = cache.wrap(() => "one", { name: "one" });
    const two = cache.wrap(() => "two", { name: "two" });
    const inner = cache.namespace("n").wrap(() => "inner", { name: "one" });
    expect([await world.run(one()), await world.run(two()), await world.run(inner())]).toEqual(["one", "two", "inner"]);
  });

  test("is invalidated by its arguments, on every instance", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    let row = "old";
    const make = (cache: Cache) => cache.wrap((_: { id: number }) => row, { name: "row", consistency: "strong" });
    const [here, there] = [make(a.cache), make(b.cache)];
    await world.run(here({ id: 1 }));
    row = "new";
    expect(await world.run(there({ id: 1 }))).toBe("old");
    await world.run(there.invalidate({ id: 2 }));
    expect(await world.run(here({ id: 1 }))).toBe("old");
    await world.run(there.invalidate({ id: 1 }));
    expect(await world.run(here({ id: 1 }))).toBe("new");
  });

  test("that was invalidated during a call does not keep that call's result", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const gate = deferred<string>();
    const f = cache.wrap((_: number) => gate.promise, { name: "f" });
    const slow = watch(f(1));
    await world.advance(10);
    await world.run(f.invalidate(1));
    gate.resolve("old");
    await world.advance(10);
    expect(slow).toMatchObject({ state: "done", value: "old" });
    expect(await world.run(cache.has(f.key(1)))).toBe(false);
  });

  test("says the key, under which the other methods find its result", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const f = cache.wrap((id: number) => ({ id }), { name: "f" });
    await world.run(f(1));
    expect(await world.run(cache.get(f.key(1)))).toEqual({ id: 1 });
    await world.run(cache.set(f.key(2), { id: 20 }));
    expect(await world.run(f(2))).toEqual({ id: 20 });
  });

  test("takes a function for the key, and its options as getOrSet does", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader("v");
    const connection = { query: () => load({} as never) };
    const f = cache.wrap((db: typeof connection, _id: number) => db.query(), {
      key: (_, id) => `row:${id}`,
      ttl: "1s",
    });
    await world.run(f(connection, 1));
    await world.run(f(connection, 1));
    expect([f.key(connection, 1), load.calls]).toEqual(["row:1", 1]);
    await world.advance(1_000);
    await world.run(f(connection, 1));
    expect(load.calls).toBe(2);
  });

  test("gives its results their tags", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const user = cache.wrap(async (id: number, _locale?: string) => ({ team: `t${id % 2}` }), {
      name: "user",
      tags: ({ team }, id, locale) => [team, `user:${id}`, ...(locale === undefined ? [] : [locale])],
    });
    const list = cache.wrap(() => [1], { name: "list", tags: ["users"] });
    await world.run(Promise.all([user(1), user(2, "de"), list()]));
    const tags = async (key: string) => (await world.run(cache.getEntry(key)))?.tags;
    expect(await tags(user.key(2, "de"))).toEqual(["t0", "user:2", "de"]);
    expect(await tags(list.key())).toEqual(["users"]);
    await world.run(cache.invalidateTags(["t1"]));
    expect(await Promise.all([tags(user.key(1)), tags(user.key(2, "de"))])).toEqual([
      undefined,
      ["t0", "user:2", "de"],
    ]);
  });

  test("that fails rejects with a LoaderError, or gives what is stale", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const cause = new Error("down");
    let fails = true;
    const f = cache.wrap(() => (fails ? Promise.reject(cause) : "v"), { name: "f", staleIfError: "1m" });
    expect(await world.run(errorOf(f()))).toMatchObject({ code: "ISOCACHE_LOADER", cause });
    fails = false;
    await world.run(f());
    await world.run(cache.expire(f.key()));
    fails = true;
    expect(await world.run(f())).toBe("v");
  });

  test("whose tags cannot be made rejects, and keeps nothing that could not be invalidated", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const f = cache.wrap(() => "v", { name: "f", tags: () => [""] });
    expect(await world.run(errorOf(f()))).toMatchObject({
      code: "ISOCACHE_LOADER",
      cause: { code: "ISOCACHE_OPTION" },
    });
    expect(await world.run(cache.has(f.key()))).toBe(false);
  });

  test("never keeps the result for arguments that were changed meanwhile under the key of the old ones", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const f = cache.wrap(({ page }: { page: number }) => `page ${page}`, { name: "f" });
    const filter = { page: 1 };
    const first = watch(f(filter));
    filter.page = 2;
    await world.advance(10);
    expect(first).toMatchObject({ state: "failed", error: { cause: { code: "ISOCACHE_KEY" } } });
    expect(await world.run(f({ page: 1 }))).toBe("page 1");
  });

  test("rejects, and does not throw, for arguments without a key", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const f = cache.wrap((callback: () => number) => callback(), { name: "f" });
    expect(await world.run(errorOf(f(() => 1)))).toMatchObject({ code: "ISOCACHE_KEY" });
    expect(await world.run(errorOf(f.invalidate(() => 1)))).toMatchObject({ code: "ISOCACHE_KEY" });
    expect(() => f.key(() => 1)).toThrow(expect.objectContaining({ code: "ISOCACHE_KEY" }));
    const g = cache.wrap((id: number) => id, { key: () => "" });
    expect(await world.run(errorOf(g(1)))).toMatchObject({ code: "ISOCACHE_KEY" });
  });
});

describe("wrap refuses, when it is called,", () => {
  const named = () => 1;
  const wrong: [string, unknown, unknown, string][] = [
    ["what is no function", 1, { name: "f" }, "wrap"],
    ["no name: that of the function is not used", named, {}, "name"],
    ["no options", named, undefined, "name"],
    ["an empty name", named, { name: "" }, "name"],
    ["a key that is a text", named, { key: "k" }, "key"],
    ["name beside key", named, { name: "f", key: () => "k" }, "name"],
    ["an unknown option", named, { name: "f", timeToLive: 5 }, "timeToLive"],
    ["a wrong duration", named, { name: "f", ttl: "5 minutes" }, "ttl"],
    ["wrong tags", named, { name: "f", tags: "t" }, "tags"],
  ];
  test.each(wrong)("%s", (_, fn, options, says) => {
    const { cache } = createWorld().instance();
    const wrap = cache.wrap as (fn: unknown, options: unknown) => unknown; // what plain JavaScript might pass
    expect(() => wrap(fn, options)).toThrow(
      expect.objectContaining({ code: "ISOCACHE_OPTION", message: expect.stringContaining(says) }),
    );
  });
});

/** Never called: only its types are looked at. */
function inferred(cache: Cache): void {
  const user = cache.wrap(async (id: number, locale?: string) => ({ id, locale }), {
    name: "user",
    tags(result, id, locale) {
      expectTypeOf(result).toEqualTypeOf<{ id: number; locale: string | undefined }>();
      expectTypeOf(id).toEqualTypeOf<number>();
      expectTypeOf(locale).toEqualTypeOf<string | undefined>();
      return [];
    },
  });
  expectTypeOf(user).toEqualTypeOf<
    Wrapped<[id: number, locale?: string], { id: number; locale: string | undefined }>
  >();
  const count = cache.wrap((...ids: string[]) => ids.length, { key: (...ids) => ids.join() });
  expectTypeOf(count).toEqualTypeOf<Wrapped<string[], number>>();
  // @ts-expect-error -- an argument of another type
  void user("1");
  // @ts-expect-error -- a name or a key
  cache.wrap(() => 1, {});
  // @ts-expect-error -- made of what the function does not take
  cache.wrap((id: number) => id, { key: (id: string) => id });
  // @ts-expect-error -- not both
  cache.wrap(() => 1, { name: "f", key: () => "k" });
  // @ts-expect-error -- no such option
  cache.wrap(() => 1, { name: "f", timeToLive: 5 });
  // @ts-expect-error -- nothing to ask
  cache.wrap(() => 1, { name: "f", store: false, consistency: "strong" });
}

test("arguments and result are inferred from the function", () => {
  expectTypeOf(inferred).toBeFunction();
});
