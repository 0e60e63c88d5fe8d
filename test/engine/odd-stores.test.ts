// Stores that fail in odd ways: throwing at once, missing their binding, answering after the end.
import { describe, expect, test } from "vitest";
import { memoryStore, OptionError, StoreError, type Store, type StoreConnection } from "../../src/index.ts";
import { createWorld, errorOf } from "./world.ts";

/** A memory store of which some operations are replaced. */
const storeWith = (replace: Partial<StoreConnection>): Store => ({
  kind: "odd",
  connect: (options) => ({ ...memoryStore().connect(options), ...replace }),
});

const throwing = (error: unknown) => (): never => {
  throw error;
};

describe("a store that throws instead of rejecting", () => {
  test("does not fail reads that the loader can answer", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance({ store: storeWith({ read: throwing(new Error("odd")) }) });
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(errors).toMatchObject([{ operation: "read", error: { code: "ISOCACHE_STORE" } }]);
  });

  test.each([undefined, null, "text", 7])(
    "fails writes with a StoreError whose cause is what it threw: %o",
    async (thrown) => {
      const world = createWorld();
      const { cache } = world.instance({ store: storeWith({ write: throwing(thrown) }) });
      const error = await world.run(errorOf(cache.delete("k")));
      expect(error).toMatchObject({ code: "ISOCACHE_STORE", cause: thrown });
    },
  );

  test("passes its own StoreErrors on as they are", async () => {
    const world = createWorld();
    const own = new StoreError("full");
    const { cache } = world.instance({ store: storeWith({ write: () => Promise.reject(own) }) });
    expect(await world.run(errorOf(cache.set("k", 1)))).toBe(own);
  });
});

describe("a store whose binding or variable is missing", () => {
  const missing = new OptionError("REDIS_URL is not set");
  const reject = (): Promise<never> => Promise.reject(missing);
  const create = () => {
    const world = createWorld();
    const store = storeWith({ read: reject, write: reject, changesSince: reject });
    return { world, cache: world.instance({ store }).cache };
  };

  test("says so in the first operation, whichever that is", async () => {
    const { world, cache } = create();
    expect(await world.run(errorOf(cache.getOrSet("k", () => "v")))).toBe(missing);
    expect(await world.run(errorOf(cache.get("k")))).toBe(missing);
    expect(await world.run(errorOf(cache.set("k", "v")))).toBe(missing);
    expect(await world.run(errorOf(cache.invalidateTags(["t"])))).toBe(missing);
    expect(await world.run(errorOf(cache.getOrSet("k", () => "v", { store: false })))).toBe(missing);
  });

  test("leaves nothing to retry", async () => {
    const { world, cache } = create();
    await world.run(errorOf(cache.delete("k")));
    const { roundTrips } = cache.stats();
    await world.advance(60_000);
    expect(cache.stats().roundTrips).toBe(roundTrips);
  });
});

describe("a store that refuses every commit", () => {
  test("costs stored values, and never an answer", async () => {
    const world = createWorld();
    const commit: StoreConnection["commit"] = async () => {
      const info = await memoryStore().connect({ name: "x", platform: world.platform }).info(0, {});
      if ("moved" in info) return info;
      return { ...info, outcome: "refused", freshForMs: 0, revalidateForMs: 0, errorForMs: 0 };
    };
    const { cache } = world.instance({ store: storeWith({ commit }) });
    const load = world.loader("v");
    for (let index = 0; index < 3; index++) expect(await world.run(cache.getOrSet(`k${index}`, load))).toBe("v");
    expect(cache.stats().entries).toBe(0);
  });
});

describe("a store that evicts what it just stored", () => {
  test("is asked again by every instance that does not hold it, and loads are few", async () => {
    const world = createWorld({ store: memoryStore({ maxEntries: 1 }) });
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader(({ key }) => key);
    for (const key of ["k", "l"]) expect(await world.run(a.cache.getOrSet(key, load))).toBe(key);
    expect(await world.run(a.cache.get("k"))).toBe("k"); // memory still has it: nothing invalidated it
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
    expect(await world.run(b.cache.get("l"))).toBe("l");
  });
});
