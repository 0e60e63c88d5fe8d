// A store that lost its data, or whose history was rewritten: nothing comes back to life (P1, P2).
import { describe, expect, test } from "vitest";
import type { Codec } from "../../src/codec/contract.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { createCache, memoryStore, type Cache } from "../../src/index.ts";
import { seededRandom, virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { createNetwork } from "./network.ts";
import { createWorld, deferred, errorOf, watch } from "./world.ts";

const BOUND = 5_000;

describe("a store that restarted empty", () => {
  test("voids what memory holds of before, within the bound", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.getOrSet("k", () => "old", { ttl: "1h" }));
    world.network.replace(memoryStore());
    expect(await world.run(a.cache.get("k"))).toBe("old");
    expect(await world.run(b.cache.getOrSet("k", () => "new"))).toBe("new");
    await world.advance(BOUND + 1);
    // A store that has lost all cannot know that this epoch was before its own: it begins another one, once.
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    expect(await world.run(b.cache.getOrSet("k", () => "newer", { consistency: "strong" }))).toBe("newer");
    expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBe("newer");
  });

  test("refuses the commit of a load that began before: its caller gets the value, nobody keeps it", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const value = deferred<string>();
    const load = cache.getOrSet("k", () => value.promise);
    await world.advance(10);
    world.network.replace(memoryStore());
    value.resolve("old");
    expect(await world.run(load)).toBe("old");
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(cache.get("k"))).toBeUndefined();
  });

  test("forgets an invalidation without bringing back what it removed", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "old", { ttl: "1h", tags: ["t"] }));
    await world.run(b.cache.get("k"));
    await world.run(a.cache.invalidateTags(["t"]));
    world.network.replace(memoryStore());
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("may hold new values that memory keeps as before", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", 1));
    world.network.replace(memoryStore());
    await world.run(cache.set("k", 2));
    await world.run(cache.getOrSet("other", () => 3));
    link.count();
    expect([await world.run(cache.get("k")), await world.run(cache.get("other"))]).toEqual([2, 3]);
    expect(link.count()).toEqual({});
  });

  test("does not lose an invalidation in doubt: it reaches the new store, too", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "old"));
    a.link.always("write", "fail");
    await world.run(a.cache.delete("k").catch(() => undefined));
    world.network.replace(memoryStore());
    await world.run(b.cache.set("k", "by another"));
    a.link.heal();
    await world.advance(10_000);
    expect(await world.run(b.cache.get("k", { consistency: "strong" }))).toBeUndefined();
  });
});

describe("an answer of the life before", () => {
  test("that arrives after the new one is known enters no memory and answers no later reader", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(b.cache.set("k", "old", { ttl: "1h" }));
    const gate = a.link.hold("read", "way back");
    const late = watch(a.cache.get("k"));
    await world.advance(10);
    world.network.replace(memoryStore());
    await world.run(a.cache.set("other", 1)); // teaches the new epoch
    gate.open();
    await world.advance(10);
    expect(late).toEqual({ state: "done", value: undefined });
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("that acknowledges an own write empties memory, and what is read next comes from the store", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", 1));
    const gate = link.hold("write", "way back");
    const late = cache.delete("elsewhere");
    await world.advance(10);
    world.network.replace(memoryStore());
    await world.run(cache.set("k", 2));
    gate.open();
    await world.run(late);
    link.count();
    expect(await world.run(cache.get("k"))).toBe(2);
    expect(link.count()).toEqual({ read: 1 });
  });
});

describe("a history that was rewritten under one epoch (a replica that lagged)", () => {
  /** A primary, and a replica of the same epoch: each draws its epoch from the same random numbers. */
  const createReplicated = () => {
    const platform = virtualPlatform();
    let random = seededRandom(7);
    const network = createNetwork(memoryStore(), { name: "test", platform: { ...platform, random: () => random() } });
    const instance = () => createCache({ store: network.link().store, platform });
    const epoch = async (): Promise<unknown> => {
      const info = await network.direct().info(0, {});
      return "moved" in info ? undefined : info.epoch;
    };
    const failOver = async (): Promise<void> => {
      const before = await epoch();
      random = seededRandom(7);
      network.replace(memoryStore());
      expect(await epoch()).toBe(before);
      random = seededRandom(8);
    };
    const run = <T>(promise: Promise<T>): Promise<T> => platform.run(promise);
    return { platform, failOver, a: instance(), b: instance(), run };
  };

  test("with fewer records than were seen, begins a new epoch: memory is void", async () => {
    const { platform, failOver, a, b, run } = createReplicated();
    await run(a.set("k", "old", { ttl: "1h" }));
    await run(b.get("k"));
    await failOver();
    await platform.advance(BOUND + 1);
    expect([await run(b.get("k")), await run(a.get("k"))]).toEqual([undefined, undefined]);
    await Promise.all([a.close(), b.close()]);
  });

  test.each([
    ["read", (cache: Cache) => cache.has("unknown")],
    ["write", (cache: Cache) => cache.delete("unknown")],
    ["load", (cache: Cache) => cache.getOrSet("unknown", () => 1)],
  ] as const)("is found out by the next %s, whatever it is about", async (_, operation) => {
    const { failOver, a, b, run } = createReplicated();
    await run(a.set("k", "old", { ttl: "1h" }));
    await run(b.get("k"));
    await failOver();
    await run<unknown>(operation(b));
    expect(await run(b.get("k"))).toBeUndefined();
    await Promise.all([a.close(), b.close()]);
  });

  test("with another record at the same seq, begins a new epoch as well", async () => {
    const { platform, failOver, a, b, run } = createReplicated();
    await run(a.set("k", "old", { ttl: "1h" }));
    await failOver();
    await run(b.delete("other")); // seq 1, too, but not the one that A knows
    await platform.advance(BOUND + 1);
    expect(await run(a.get("k"))).toBeUndefined();
    await Promise.all([a.close(), b.close()]);
  });
});

describe("a store whose number of partitions changed", () => {
  test.each(["read", "write", "changesSince"] as const)(
    "(told by a %s) is adopted: memory is void, and all works on",
    async (by) => {
      const world = createWorld();
      const { cache, link } = world.instance();
      await world.run(cache.set("k", "old", { ttl: "1h" }));
      await world.advance(BOUND + 1);
      world.network.replace(memoryStore({ partitions: 3 }));
      link.once(by, "moved");
      const operations = {
        read: () => cache.get("unknown"),
        write: () => cache.delete("unknown"),
        changesSince: () => cache.get("k"),
      };
      await world.run(operations[by]());
      expect(await world.run(cache.get("k"))).toBeUndefined();
      const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
      for (const key of keys) await world.run(cache.set(key, key));
      expect(new Set(link.sent.slice(-40).map(({ partition }) => partition)).size).toBe(3);
      for (const key of keys) expect(await world.run(cache.get(key, { consistency: "strong" }))).toBe(key);
      await world.run(cache.clear());
      for (const key of keys) expect(await world.run(cache.get(key))).toBeUndefined();
    },
  );

  test("during a load: the caller gets its value, and the next one stores it", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const value = deferred<string>();
    const load = cache.getOrSet("k", () => value.promise);
    await world.advance(10);
    world.network.replace(memoryStore({ partitions: 3 }));
    link.once("commit", "moved");
    value.resolve("v");
    expect(await world.run(load)).toBe("v");
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(await world.stored("k")).toBeDefined();
  });

  test("keeps own invalidations in doubt", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "old"));
    link.always("write", "fail");
    await world.run(cache.delete("k").catch(() => undefined));
    world.network.replace(memoryStore({ partitions: 3 }));
    const other = world.instance();
    await world.run(other.cache.set("k", "stored elsewhere"));
    link.once("read", "moved");
    await world.run(cache.get("other"));
    expect(await world.run(cache.get("k"))).toBeUndefined();
    link.heal();
    await world.advance(10_000);
    expect(await world.stored("k")).toBeUndefined();
  });

  test("while a value is encoded that is then refused: what there was stays, since the set was never asked for", async () => {
    const world = createWorld();
    const encoding = deferred<Uint8Array>();
    const codec: Codec = { ...jsonCodec(), encode: () => encoding.promise };
    const { cache, link } = world.instance({ codec });
    const other = world.instance();
    const set = errorOf(cache.set("k", "too large"));
    await world.advance(10);
    world.network.replace(memoryStore({ partitions: 3 }));
    await world.run(other.cache.set("k", "there"));
    link.once("read", "moved");
    await world.run(cache.get("other"));
    encoding.reject(new Error("it cannot be encoded"));
    expect(await world.run(set)).toMatchObject({ message: "it cannot be encoded" });
    await world.advance(10_000);
    expect(await world.run(cache.get("k"))).toBe("there");
  });
});
