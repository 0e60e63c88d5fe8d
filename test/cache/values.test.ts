// What callers get and what they can do to it: frozen, copied or shared; what can be carried, and what is said of the rest.
import { describe, expect, test } from "vitest";
import type { CacheEvents, CacheOptions, ValueMode } from "../../src/index.ts";
import { createWorld, errorOf } from "../engine/world.ts";

interface Sample {
  list: { n: number }[];
  date: Date;
  map: Map<string, { n: number }>;
  set: Set<number>;
  bytes: Uint8Array;
  big: bigint;
  nothing: undefined;
}

const sample = (): Sample => ({
  list: [{ n: 1 }],
  date: new Date(0),
  map: new Map([["a", { n: 1 }]]),
  set: new Set([1]),
  bytes: new Uint8Array([1, 2, 3]),
  big: 10n,
  nothing: undefined,
});

/** The same value by three ways: as its loader's caller gets it, from memory, and from the store. */
const readThrice = async (options: CacheOptions) => {
  const world = createWorld();
  const a = world.instance(options);
  const b = world.instance(options);
  const supplied = sample();
  const loaded = await world.run(a.cache.getOrSet("k", () => supplied));
  const fromMemory = (await world.run(a.cache.get<Sample>("k")))!;
  const fromStore = (await world.run(b.cache.get<Sample>("k")))!;
  const again = (await world.run(a.cache.get<Sample>("k")))!;
  return { world, a, supplied, loaded, fromMemory, fromStore, again };
};

describe.each(["frozen", "copied", "shared"] as const)("values: %s", (values: ValueMode) => {
  test("come back equal, from the loader, from memory and from the store", async () => {
    const { loaded, fromMemory, fromStore } = await readThrice({ memory: { values } });
    for (const value of [loaded, fromMemory, fromStore]) expect(value).toEqual(sample());
  });
});

describe("values: frozen", () => {
  test("plain objects and arrays cannot be changed, and the supplied ones are not frozen", async () => {
    const { supplied, loaded, fromMemory, fromStore } = await readThrice({});
    for (const value of [loaded, fromMemory, fromStore]) {
      expect(() => void (value.list[0]!.n = 2)).toThrow(TypeError);
      expect(() => value.list.push({ n: 3 })).toThrow(TypeError);
    }
    supplied.list[0]!.n = 9;
    expect(fromMemory.list[0]!.n).toBe(1);
  });

  test("a Date, Map, Set or typed array is the reader's own", async () => {
    const { world, a, loaded, fromMemory } = await readThrice({});
    for (const value of [loaded, fromMemory]) {
      value.date.setTime(5);
      value.map.set("b", { n: 2 });
      value.set.add(2);
      value.bytes[0] = 9;
    }
    expect(await world.run(a.cache.get("k"))).toEqual(sample());
  });

  test("what can be frozen is shared between readers", async () => {
    const { fromMemory, again } = await readThrice({});
    expect(again.list).toBe(fromMemory.list);
  });

  test("what was set can be changed afterwards without changing what is kept", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const value = { n: 1 };
    await world.run(cache.set("k", value));
    value.n = 2;
    expect(await world.run(cache.get("k"))).toEqual({ n: 1 });
  });
});

describe("values: copied", () => {
  test("each reader may change what it gets", async () => {
    const { world, a, loaded, fromMemory } = await readThrice({ memory: { values: "copied" } });
    for (const value of [loaded, fromMemory]) {
      value.list[0]!.n = 9;
      value.map.clear();
    }
    expect(await world.run(a.cache.get("k"))).toEqual(sample());
  });

  test("callers who share a load do not share the value", async () => {
    const world = createWorld();
    const { cache } = world.instance({ memory: { values: "copied" } });
    const load = world.loader(sample, 10);
    const [one, two] = await world.run(Promise.all([cache.getOrSet("k", load), cache.getOrSet("k", load)]));
    expect(one).not.toBe(two);
    expect(one.list).not.toBe(two.list);
  });
});

describe("values: shared", () => {
  test("readers get the very object that was supplied", async () => {
    const { supplied, loaded, fromMemory } = await readThrice({ memory: { values: "shared" } });
    expect([loaded === supplied, fromMemory === supplied]).toEqual([true, true]);
  });
});

describe("null and undefined", () => {
  test.each([null, false, 0, "", NaN, -0])("%o is a value: stored, and no reason to load again", async (value) => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader<unknown>(value);
    for (const { cache } of [a, a, b]) expect(await world.run(cache.getOrSet("k", load))).toBe(value);
    expect([await world.run(b.cache.get("k")), await world.run(b.cache.has("k"))]).toEqual([value, true]);
    expect(load.calls).toBe(1);
  });

  test("undefined from a loader is given to the callers and not stored", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader(() => undefined, 10);
    expect(await world.run(Promise.all([cache.getOrSet("k", load), cache.getOrSet("k", load)]))).toEqual([
      undefined,
      undefined,
    ]);
    expect(load.calls).toBe(1);
    expect(await world.run(cache.has("k"))).toBe(false);
    await world.run(cache.getOrSet("k", load));
    expect(load.calls).toBe(2);
  });

  test("undefined cannot be set, and what was there stays", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", "v"));
    expect(await world.run(errorOf(cache.set("k", undefined)))).toMatchObject({ code: "ISOCACHE_CODEC" });
    expect(await world.run(cache.get("k"))).toBe("v");
  });
});

class Account {
  readonly owner = "ann";
}

describe("what no codec carries", () => {
  const outcomes = (events: CacheEvents["load"][]) => events.map(({ outcome }) => outcome);

  test.each([
    ["a class instance", () => ({ user: new Account() }), "user is a"],
    ["a function", () => ({ user: () => 1 }), "user is a"],
    ["a symbol", () => ({ user: Symbol("s") }), "user is a"],
    ["an Error", () => ({ user: new Error("e") }), "user is a"],
  ])("%s from a loader: the caller gets it, an event says why, nobody keeps it", async (_, make, why) => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    const loads: CacheEvents["load"][] = [];
    cache.on("load", (event) => loads.push(event));
    const value = make();
    const load = world.loader<unknown>(() => value);
    expect(((await world.run(cache.getOrSet("k", load))) as { user: unknown }).user).toBe(value.user);
    expect(errors).toMatchObject([
      { operation: "encode", key: "k", error: { code: "ISOCACHE_CODEC", message: expect.stringContaining(why) } },
    ]);
    expect(outcomes(loads)).toEqual(["unstored"]);
    expect(await world.stored("k")).toBeUndefined();
    await world.run(cache.getOrSet("k", load));
    expect(load.calls).toBe(2);
  });

  test("a class instance cannot be set: CodecError naming its path; what was there stays", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", "v"));
    const error = await world.run(errorOf(cache.set("k", { users: [{ account: new Account() }] })));
    expect(error).toMatchObject({ code: "ISOCACHE_CODEC", message: expect.stringContaining("users[0].account") });
    expect(await world.run(cache.get("k"))).toBe("v");
  });

  test("a cyclic value from a loader is given to its caller, and nobody hangs", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(await world.run(cache.getOrSet("k", () => cyclic))).toBe(cyclic);
    expect(errors).toMatchObject([{ operation: "encode" }]);
  });

  test("without a store nothing is encoded: class instances and functions are kept, and shared", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance({ store: undefined });
    const account = new Account();
    await world.run(cache.set("k", { account }));
    expect((await world.run(cache.get<{ account: Account }>("k")))?.account).toBe(account);
    expect(await world.run(cache.getOrSet("l", () => account))).toBe(account);
    expect(await world.run(cache.get("l"))).toBe(account);
    expect(errors).toEqual([]);
  });
});

describe("what can be read only once", () => {
  const samples: [string, () => unknown][] = [
    ["a Response", () => new Response("body")],
    ["a Request", () => new Request("https://example.com")],
    ["a ReadableStream", () => new ReadableStream()],
    ["a Response inside an object", () => ({ response: new Response("body") })],
  ];

  test.each(samples)("%s from a loader is a CodecError for all callers that names isocache/http", async (_, make) => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader(make, 10);
    const errors = await world.run(
      Promise.all([errorOf(cache.getOrSet("k", load)), errorOf(cache.getOrSet("k", load))]),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: "ISOCACHE_CODEC", message: expect.stringContaining("isocache/http") });
    }
    expect(await world.run(cache.getOrSet("k", () => "fine"))).toBe("fine");
  });

  test.each(samples)("%s cannot be set, with a store or without", async (_, make) => {
    const world = createWorld();
    for (const { cache } of [world.instance(), world.instance({ store: undefined })]) {
      expect(await world.run(errorOf(cache.set("k", make())))).toMatchObject({ code: "ISOCACHE_CODEC" });
      expect(await world.run(cache.has("k"))).toBe(false);
    }
  });
});
