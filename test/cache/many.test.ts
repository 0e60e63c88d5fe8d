// Many keys in one call: each keeps the promises of a call of its own, and all of them share their round trips and loads.
import { describe, expect, expectTypeOf, test } from "vitest";
import { memoryStore, type Cache, type ManyContext } from "../../src/index.ts";
import type { BatchRequest } from "../../src/store/contract.ts";
import { createWorld, deferred, errorOf, sleep, watch } from "../engine/world.ts";

const keysTo = (count: number): string[] => Array.from({ length: count }, (_, index) => `key ${index}`);
const valuesOf = (keys: readonly string[]): Map<string, string> => new Map(keys.map((key) => [key, `value of ${key}`]));
const entriesOf = (keys: readonly string[]) => keys.map((key) => ({ key, value: `value of ${key}` }));

describe("round trips", () => {
  const keys = keysTo(100);

  test("a hundred keys are set, read, loaded and deleted in one trip each, two for a load", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.setMany(entriesOf(keys)));
    expect(a.link.count()).toEqual({ batch: 1 });
    expect(await world.run(b.cache.getMany(keys))).toEqual(valuesOf(keys));
    expect(b.link.count()).toEqual({ batch: 1 });
    await world.run(a.cache.deleteMany(keys));
    expect(a.link.count()).toEqual({ batch: 1 });
    const load = world.loader(() => valuesOf(keys), 200);
    expect(await world.run(a.cache.getOrSetMany(keys, load as never))).toEqual(valuesOf(keys));
    expect(a.link.count()).toEqual({ batch: 2 });
    expect(load.calls).toBe(1);
    expect(a.cache.stats()).toMatchObject({ roundTrips: 4, misses: 100, loads: 100 });
  });

  test("what is in memory costs nothing, and only the rest is asked for", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.setMany(entriesOf(keys)));
    await world.run(b.cache.getMany(keys.slice(0, 60)));
    b.link.count();
    expect(await world.run(b.cache.getMany(keys.slice(0, 60)))).toEqual(valuesOf(keys.slice(0, 60)));
    expect(b.link.count()).toEqual({});
    expect([...(await world.run(b.cache.getMany(keys))).keys()]).toEqual(keys);
    expect(b.link.count()).toEqual({ batch: 1 });
    const { items } = b.link.sent.at(-1)!.request as BatchRequest;
    expect(items.length).toBe(40);
    expect(b.cache.stats().hits).toEqual({ memory: 120, store: 100 });
  });

  test("each partition costs one", async () => {
    const world = createWorld({ store: memoryStore({ partitions: 4 }) });
    const { cache, link } = world.instance();
    await world.run(cache.setMany(entriesOf(keys)));
    await world.run(cache.deleteMany(keys));
    expect(link.count()).toEqual({ batch: 8 });
    const load = world.loader(() => valuesOf(keys), 10);
    await world.run(cache.getOrSetMany(keys, load as never));
    expect(link.count()).toEqual({ batch: 8 });
    expect(load.calls).toBe(1);
  });

  test("what is sent after other parts is not late by that: all that was loaded is stored", async () => {
    const world = createWorld();
    const many = keysTo(10_000);
    const { cache, link } = world.instance({ memory: false });
    await world.run(cache.get("for the store's time"));
    link.always("batch", { kind: "delay", ms: 800 });
    await world.run(cache.getOrSetMany(many, () => valuesOf(many)));
    link.heal();
    expect((await world.run(cache.getMany(many))).size).toBe(10_000);
  });

  test("ten thousand keys go in parts that a store takes, and are loaded in one call", async () => {
    const world = createWorld();
    const many = keysTo(10_000);
    const { cache, link } = world.instance({ memory: { maxEntries: 20_000 } });
    const load = world.loader(() => valuesOf(many));
    expect(await world.run(cache.getOrSetMany(many, load as never))).toEqual(valuesOf(many));
    expect(link.count()).toEqual({ batch: 20 });
    expect(load.calls).toBe(1);
    await world.run(cache.setMany(entriesOf(many)));
    expect(link.count()).toEqual({ batch: 10 });
    const reader = world.instance({ memory: { maxEntries: 20_000 } });
    expect(await world.run(reader.cache.getMany(many))).toEqual(valuesOf(many));
    expect(reader.link.count()).toEqual({ batch: 10 });
    await world.run(cache.deleteMany(many));
    expect(link.count()).toEqual({ batch: 10 });
    expect((await world.run(reader.cache.getMany(many, { consistency: "strong" }))).size).toBe(0);
  });

  test("large values are split among trips, both ways", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const large = keysTo(8).map((key) => ({ key, value: key + "x".repeat(1_048_576) }));
    await world.run(cache.setMany(large));
    expect(link.count()).toEqual({ batch: 2 });
    const reader = world.instance();
    const found = await world.run(reader.cache.getMany(keysTo(8)));
    expect(large.every(({ key, value }) => found.get(key) === value)).toBe(true);
    expect(reader.link.count()).toEqual({ batch: 2 });
  });

  test("values that are encoded in their own time go in one trip all the same", async () => {
    const world = createWorld();
    const codec = {
      name: "slow",
      encode: async (value: unknown) => {
        await sleep(world.platform, 5 + world.platform.random() * 20);
        return new TextEncoder().encode(JSON.stringify(value));
      },
      decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
    };
    const { cache, link } = world.instance({ codec });
    await world.run(cache.setMany(entriesOf(keys)));
    expect(link.count()).toEqual({ batch: 1 });
    await world.run(cache.clear());
    await world.run(cache.getOrSetMany(keys, () => valuesOf(keys)));
    expect(link.count()).toEqual({ write: 1, batch: 2 });
  });

  test("leases that are renewed while the load takes its time cost one trip for all", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ lease: "2s" });
    const load = world.loader(() => valuesOf(keys), 3_500);
    await world.run(cache.getOrSetMany(keys, load as never));
    expect(link.count()).toEqual({ batch: 2 + 3 });
  });

  test("followers on another instance ask together, and load nothing", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader(() => valuesOf(keys), 900);
    const leading = a.cache.getOrSetMany(keys, load as never);
    await world.advance(10);
    const [first, second] = await world.run(Promise.all([leading, b.cache.getOrSetMany(keys, load as never)]));
    expect(second).toEqual(first);
    expect(load.calls).toBe(1);
    expect(b.link.count().batch).toBeLessThanOrEqual(8);
  });
});

describe("getMany", () => {
  test("gives the hits in the order of the keys, each once, and no others", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.setMany(entriesOf(["a", "b", "c"])));
    const found = await world.run(cache.getMany(["c", "missing", "a", "c"]));
    expect([...found]).toEqual([
      ["c", "value of c"],
      ["a", "value of a"],
    ]);
  });

  test("tells a stored undefined from none", async () => {
    const world = createWorld();
    const { cache } = world.instance({ negativeTtl: "1m" });
    await world.run(cache.set("k", undefined));
    const found = await world.run(cache.getMany(["k", "other"]));
    expect([...found]).toEqual([["k", undefined]]);
  });

  test("refuses what are no keys before it asks", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    expect(await errorOf(cache.getMany("abc"))).toMatchObject({ code: "ISOCACHE_OPTION" });
    expect(await errorOf(cache.getMany(undefined as never))).toMatchObject({ code: "ISOCACHE_OPTION" });
    expect(await errorOf(cache.getMany(["a", ""]))).toMatchObject({ code: "ISOCACHE_KEY" });
    expect(await errorOf(cache.deleteMany(["a", ""]))).toMatchObject({ code: "ISOCACHE_KEY" });
    expect(await errorOf(cache.getMany(["a"], { ttl: 1 } as never))).toMatchObject({ code: "ISOCACHE_OPTION" });
    expect(link.count()).toEqual({});
  });

  test("no keys are no trip", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const loader = world.loader(() => new Map());
    expect((await world.run(cache.getMany([]))).size).toBe(0);
    expect((await world.run(cache.getOrSetMany([], loader as never))).size).toBe(0);
    await world.run(cache.setMany([]));
    await world.run(cache.deleteMany(new Set<string>()));
    expect([link.count(), loader.calls]).toEqual([{}, 0]);
  });

  test("works without a store, and in a namespace", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined });
    const shop = cache.namespace("shop");
    await world.run(shop.setMany(entriesOf(["a", "b"])));
    expect((await world.run(shop.getMany(["a", "b"]))).size).toBe(2);
    expect((await world.run(cache.getMany(["a", "b"]))).size).toBe(0);
    const load = world.loader(() => valuesOf(["c", "d"]));
    expect((await world.run(shop.getOrSetMany(["a", "c", "d"], load as never))).size).toBe(3);
    await world.run(shop.deleteMany(["a", "c"]));
    expect([...(await world.run(shop.getMany(["a", "b", "c", "d"]))).keys()]).toEqual(["b", "d"]);
  });
});

describe("setMany and deleteMany", () => {
  test("of a key that is given twice the last entry counts", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(
      cache.setMany([
        { key: "k", value: 1, options: { ttl: "1h" } },
        { key: "k", value: 2 },
      ]),
    );
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ value: 2, ttl: 60_000 });
  });

  test("options are each entry's own, and wrong ones are refused before anything is sent", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const entries = [
      { key: "a", value: 1, options: { ttl: 1_000, tags: ["t"] } },
      { key: "b", value: 2 },
    ];
    await world.run(cache.setMany(entries));
    await world.run(cache.invalidateTags(["t"]));
    expect([...(await world.run(cache.getMany(["a", "b"]))).keys()]).toEqual(["b"]);
    link.count();
    const wrong = [...entries, { key: "c", value: 3, ttl: "1h" }];
    expect(String(await errorOf(cache.setMany(wrong)))).toContain("ttl");
    expect(await errorOf(cache.setMany([{ key: "c", value: 3, options: { ttl: "x" as never } }]))).toMatchObject({
      code: "ISOCACHE_OPTION",
    });
    expect(await errorOf(cache.setMany(7 as never))).toMatchObject({ code: "ISOCACHE_OPTION" });
    expect(link.count()).toEqual({});
  });

  test("a value that cannot be stored fails for its own key, and the error names it", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const entries = [
      { key: "a", value: 1 },
      { key: "bad", value: () => 1 },
      { key: "c", value: 3 },
    ];
    const error = await errorOf(world.run(cache.setMany(entries)));
    expect(error).toMatchObject({ code: "ISOCACHE_CODEC", keys: ["bad"] });
    expect(error.message).toContain('1 of 3 keys failed: "bad"');
    expect((await world.run(cache.getMany(["a", "bad", "c"]))).size).toBe(2);
  });

  test("if one partition fails, its keys reject by name, hold here, and are retried; the others are done", async () => {
    const world = createWorld({ store: memoryStore({ partitions: 2 }) });
    const { cache, link } = world.instance();
    const keys = keysTo(20);
    await world.run(cache.setMany(entriesOf(keys)));
    link.once("batch", "fail");
    const error = (await errorOf(world.run(cache.deleteMany(keys)))) as Error & { keys: string[] };
    expect(error).toMatchObject({ code: "ISOCACHE_STORE" });
    expect(error.keys.length).toBeGreaterThan(0);
    expect(error.keys.length).toBeLessThan(20);
    expect((await world.run(cache.getMany(keys))).size).toBe(0);
    await world.advance(5_000);
    for (const key of keys) expect(await world.stored(key)).toBeUndefined();
  });

  test("deletes are honoured here from the moment they are asked for", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const keys = keysTo(5);
    await world.run(cache.setMany(entriesOf(keys)));
    const gate = link.hold("batch", "way there");
    const deleting = watch(cache.deleteMany(keys));
    const reading = watch(cache.getMany(keys));
    await world.advance(1);
    expect([deleting.state, reading.value]).toEqual(["pending", undefined]);
    gate.open();
    await world.advance(10);
    expect([deleting.state, reading.value]).toEqual(["done", new Map()]);
  });

  test("a lost answer is repeated as one write each, and nothing is done twice", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.once("batch", "lose");
    expect(await errorOf(world.run(cache.deleteMany(keysTo(3))))).toMatchObject({ code: "ISOCACHE_STORE" });
    await world.advance(5_000);
    const info = await world.direct.info(0, {});
    expect("logRecords" in info && info.logRecords).toBe(3);
  });
});

describe("getOrSetMany", () => {
  test("asks the loader once, for what is missing, in order", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.setMany(entriesOf(["b"])));
    const asked: (readonly string[])[] = [];
    const found = await world.run(
      cache.getOrSetMany(["a", "b", "c", "a"], (missing) => {
        asked.push(missing);
        return { a: "value of a", c: "value of c" };
      }),
    );
    expect(asked).toEqual([["a", "c"]]);
    expect([...found]).toEqual([...valuesOf(["a", "b", "c"])]);
  });

  test("a key without a value has none, is not stored, and is asked for again", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const load = world.loader(() => new Map([["a", 1]]));
    for (let call = 1; call <= 2; call++) {
      const found = await world.run(cache.getOrSetMany(["a", "b"], load as never));
      expect([...found]).toEqual([["a", 1]]);
      expect(load.calls).toBe(call);
    }
  });

  test("with negativeTtl an absent key is remembered, but not one that is skipped", async () => {
    const world = createWorld();
    const { cache } = world.instance({ negativeTtl: "1m" });
    const asked: (readonly string[])[] = [];
    const load = (missing: readonly string[], { skip }: ManyContext): Map<string, never> => {
      asked.push(missing);
      return new Map([["skipped", skip()]]);
    };
    await world.run(cache.getOrSetMany(["absent", "skipped"], load));
    await world.run(cache.getOrSetMany(["absent", "skipped"], load));
    expect(asked).toEqual([["absent", "skipped"], ["skipped"]]);
  });

  test("only own properties of an object are values", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const found = await world.run(cache.getOrSetMany(["toString", "__proto__", "a"], () => ({ a: 1 })));
    expect([...found]).toEqual([["a", 1]]);
  });

  test.each([[undefined], [null], [5], ["text"]])("an answer that is %s is a LoaderError", async (answer) => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await errorOf(world.run(cache.getOrSetMany(["a", "b"], () => answer as never)));
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", keys: ["a", "b"] });
  });

  test("a loader that fails, fails for what it was to load; what is there stays, and stale values are served", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1s", staleIfError: "1m" });
    await world.run(cache.setMany(entriesOf(["stale"])));
    await world.advance(2_000);
    await world.run(cache.setMany(entriesOf(["fresh"])));
    link.count();
    const cause = new Error("down");
    const failing = (): never => {
      throw cause;
    };
    const error = await errorOf(world.run(cache.getOrSetMany(["stale", "fresh", "a", "b"], failing)));
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", keys: ["a", "b"], cause });
    expect(link.count()).toEqual({ batch: 2 });
    expect(await world.run(cache.getOrSetMany(["stale", "fresh"], failing))).toEqual(valuesOf(["stale", "fresh"]));
  });

  test("one key may fail, and the others are stored", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await errorOf(
      world.run(
        cache.getOrSetMany(
          ["a", "b"],
          (_, { fail }) =>
            new Map([
              ["a", 1],
              ["b", fail("no")],
            ]),
        ),
      ),
    );
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", keys: ["b"], cause: "no" });
    expect([...(await world.run(cache.getMany(["a", "b"])))]).toEqual([["a", 1]]);
  });

  test("what is stale is shown with its validators, and may get a new life, one by one or as a whole", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1s", staleIfError: "1h" });
    const entries = entriesOf(["a", "b"]).map((entry) => ({ ...entry, options: { etag: `"${entry.key}"` } }));
    await world.run(cache.setMany(entries));
    await world.advance(2_000);
    const found = await world.run(
      cache.getOrSetMany(["a", "b", "c"], (missing, { stale, notModified, set }) => {
        expect([...stale].map(([key, { etag, value }]) => [key, etag, value])).toEqual([
          ["a", '"a"', "value of a"],
          ["b", '"b"', "value of b"],
        ]);
        set("c", { ttl: "1h", tags: ["t"] });
        expect(() => set("d", {})).toThrow(expect.objectContaining({ code: "ISOCACHE_KEY" }));
        return new Map(missing.map((key) => [key, key === "a" ? notModified() : `new ${key}`]));
      }),
    );
    expect([...found]).toEqual([
      ["a", "value of a"],
      ["b", "new b"],
      ["c", "new c"],
    ]);
    expect(await world.run(cache.getEntry("c"))).toMatchObject({ ttl: 3_600_000, tags: ["t"] });
    await world.advance(2_000);
    link.count();
    expect((await world.run(cache.getOrSetMany(["a", "b"], (_, { notModified }) => notModified()))).size).toBe(2);
    const error = await errorOf(world.run(cache.getOrSetMany(["x"], (_, { notModified }) => notModified())));
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", keys: ["x"] });
  });

  test("keys that others load are not loaded again, and do not hold up those that nobody loads", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const slow = cache.getOrSet("a", world.loader("from another", 5_000));
    await world.advance(10);
    const asked: { at: number; missing: readonly string[] }[] = [];
    const many = cache.getOrSetMany(["a", "b", "c"], (missing) => {
      asked.push({ at: world.platform.monotonic(), missing });
      return valuesOf(missing);
    });
    const startedAt = world.platform.monotonic();
    expect((await world.run(many)).get("a")).toBe("from another");
    await slow;
    expect(asked.map(({ missing }) => missing)).toEqual([["b", "c"]]);
    expect(asked[0]!.at - startedAt).toBeLessThan(100);
  });

  test("if the store is out of reach, all is loaded once, and nothing rejects", async () => {
    const world = createWorld();
    const { cache, link, errors } = world.instance();
    link.always("all", "hang");
    const load = world.loader(() => valuesOf(keysTo(50)));
    expect((await world.run(cache.getOrSetMany(keysTo(50), load as never))).size).toBe(50);
    expect(load.calls).toBe(1);
    expect(errors.length).toBeGreaterThan(0);
  });

  test("counts as one of the loads that may run at once", async () => {
    const world = createWorld();
    const { cache } = world.instance({ maxConcurrentLoads: 1 });
    const load = world.loader(() => valuesOf(keysTo(20)), 100);
    const other = world.loader("v", 100);
    const startedAt = world.platform.monotonic();
    await world.run(Promise.all([cache.getOrSetMany(keysTo(20), load as never), cache.getOrSet("other", other)]));
    expect(world.platform.monotonic() - startedAt).toBeGreaterThanOrEqual(200);
    expect([load.calls, other.calls]).toEqual([1, 1]);
  });

  test("a value is not stored if its key was invalidated while it was loaded, and the others are", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const gate = deferred();
    const loading = a.cache.getOrSetMany(keysTo(3), async (missing) => {
      await gate.promise;
      return valuesOf(missing);
    });
    await world.advance(10);
    await world.run(b.cache.delete("key 1"));
    gate.resolve();
    expect((await world.run(loading)).size).toBe(3);
    expect([...(await world.run(a.cache.getMany(keysTo(3), { consistency: "strong" }))).keys()]).toEqual([
      "key 0",
      "key 2",
    ]);
  });

  test("a stale value within its window is given at once, and all that is stale is reloaded behind, together", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1s", staleWhileRevalidate: "1h" });
    await world.run(cache.setMany(entriesOf(keysTo(10))));
    await world.advance(2_000);
    link.count();
    const load = world.loader(() => new Map(keysTo(10).map((key) => [key, "new"])), 50);
    expect(await world.run(cache.getOrSetMany(keysTo(10), load as never))).toEqual(valuesOf(keysTo(10)));
    await world.advance(100);
    expect(load.calls).toBe(1);
    expect(link.count()).toEqual({ batch: 2 });
    expect([...(await world.run(cache.getMany(keysTo(10)))).values()]).toEqual(Array(10).fill("new"));
  });

  test("the loader's signal fires when its caller has left", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const controller = new AbortController();
    let aborted = false;
    const many = watch(
      cache.getOrSetMany(
        keysTo(3),
        async (missing, { signal }) => {
          signal.addEventListener("abort", () => (aborted = true));
          await sleep(world.platform, 5_000);
          return valuesOf(missing);
        },
        { signal: controller.signal },
      ),
    );
    await world.advance(10);
    controller.abort(new Error("left"));
    await world.advance(1_500);
    expect([many.state, many.error, aborted]).toEqual(["failed", new Error("left"), true]);
    await world.advance(5_000);
  });

  test("close fires the loader's signal, and what waits rejects", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const ending = (_: readonly string[], { signal }: ManyContext): Promise<Map<string, string>> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    const many = watch(cache.getOrSetMany(keysTo(3), ending));
    await world.advance(10);
    await cache.close();
    await world.advance(10);
    expect(many).toMatchObject({ state: "failed", error: { code: "ISOCACHE_LOADER", keys: keysTo(3) } });
    expect(await errorOf(cache.setMany(entriesOf(keysTo(2))))).toMatchObject({ code: "ISOCACHE_STORE" });
  });
});

/** Never called: only its types are looked at. */
async function inferred(cache: Cache): Promise<void> {
  expectTypeOf(await cache.getOrSetMany(["a"], () => new Map([["a", 1]]))).toEqualTypeOf<Map<string, number>>();
  expectTypeOf(await cache.getOrSetMany(["a"], async () => ({ a: "x" }))).toEqualTypeOf<Map<string, string>>();
  expectTypeOf(await cache.getMany(["a"])).toEqualTypeOf<Map<string, unknown>>();
  expectTypeOf(await cache.getMany<Date>(["a"])).toEqualTypeOf<Map<string, Date>>();
  // @ts-expect-error: a loader of many keys gives values by key
  await cache.getOrSetMany(["a"], () => 5);
}

test("values are inferred from the loader", () => {
  expect(typeof inferred).toBe("function");
});
