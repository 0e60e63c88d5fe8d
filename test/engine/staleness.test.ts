// Bounded staleness by pull: what memory serves is proved younger than the bound, by one question for the whole instance (P2).
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { createWorld, watch, type World } from "./world.ts";

const BOUND = 5_000;

/** Two instances that both hold `k` in memory. */
const createHolders = async (world: World, options = {}) => {
  const [a, b] = [world.instance(options), world.instance(options)];
  await world.run(a.cache.getOrSet("k", () => "old", { ttl: "1h", tags: ["t"] }));
  await world.run(b.cache.get("k"));
  a.link.count();
  b.link.count();
  return [a, b] as const;
};

describe("after another instance's invalidation was acknowledged", () => {
  test.each([
    ["delete", undefined],
    ["set", "new"],
    ["expire", undefined],
    ["invalidateTags", undefined],
    ["expireTags", undefined],
    ["clear", undefined],
  ] as const)("%s: no read that starts later than the bound returns the old value", async (what, left) => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    const { cache } = a;
    const invalidate = {
      delete: () => cache.delete("k"),
      set: () => cache.set("k", "new"),
      expire: () => cache.expire("k"),
      invalidateTags: () => cache.invalidateTags(["t"]),
      expireTags: () => cache.expireTags(["t"]),
      clear: () => cache.clear(),
    };
    await world.run(invalidate[what]());
    expect(await world.run(cache.get("k"))).toBe(left);
    expect(await world.run(b.cache.get("k"))).toBe("old"); // memory may serve it as long as the bound allows
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("k"))).toBe(left);
  });

  test("a strong read sees it at once", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.set("k", "new"));
    expect(await world.run(b.cache.get("k", { consistency: "strong" }))).toBe("new");
    expect(await world.run(b.cache.get("k"))).toBe("new");
  });

  test("with maxStaleness 0 every hit asks, and sees it at once", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world, { maxStaleness: 0 });
    await world.advance(1);
    expect(await world.run(b.cache.get("k"))).toBe("old");
    expect(b.link.count()).toEqual({ changesSince: 1 });
    await world.run(a.cache.delete("k"));
    await world.advance(1);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("the proof counts from when the log was asked, not from when it answered", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.advance(BOUND + 1);
    b.link.once("changesSince", { kind: "delay", ms: 800 });
    const asked = watch(b.cache.get("k")); // the log is read after 400 ms
    await world.advance(500);
    await world.run(a.cache.delete("k"));
    await world.advance(400);
    expect(asked.value).toBe("old");
    await world.advance(BOUND - 899);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });

  test("a read is judged by when it began: a slow answer is given, a later reader asks anew", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.delete("k"));
    await world.advance(BOUND - 1);
    expect(await world.run(b.cache.get("k"))).toBe("old");
    await world.advance(2);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });
});

describe("the question to the log", () => {
  test("is one per maxStaleness, however many keys are hit", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    for (const key of keys) await world.run(cache.getOrSet(key, () => key, { ttl: "1h" }));
    link.count();
    for (let elapsed = 0; elapsed < 12 * BOUND; elapsed += 500) {
      await world.advance(500);
      expect(await world.run(Promise.all(keys.map((key) => cache.get(key))))).toEqual(keys);
    }
    const { changesSince, ...others } = link.count();
    expect(others).toEqual({});
    expect(changesSince).toBeGreaterThanOrEqual(10);
    expect(changesSince).toBeLessThanOrEqual(12);
    expect(cache.stats().syncs).toBe(changesSince);
  });

  test("is shared by the hits that need it at the same time", async () => {
    const world = createWorld();
    const [, b] = await createHolders(world);
    await world.advance(BOUND + 1);
    b.link.always("changesSince", { kind: "delay", ms: 200 });
    await world.run(Promise.all(Array.from({ length: 40 }, () => b.cache.get("k"))));
    expect(b.link.count()).toEqual({ changesSince: 1 });
  });

  test("is not asked without hits, nor by misses, which ask the store anyway", async () => {
    const world = createWorld();
    const [, b] = await createHolders(world);
    await world.advance(100 * BOUND);
    expect(b.link.count()).toEqual({});
    await world.run(b.cache.get("unknown"));
    expect(b.link.count()).toEqual({ read: 1 });
  });

  test("is answered by more than the log holds: memory is emptied, and an event says so", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    const outcomes: string[] = [];
    b.cache.on("sync", ({ outcome }) => outcomes.push(outcome));
    await world.run(a.cache.delete("k"));
    for (let index = 0; index < 1_001; index++) await world.run(a.cache.delete(`other ${index}`));
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
    expect(outcomes).toEqual(["dropped"]);
  });

  test("lets untouched keys stay in memory when others were invalidated", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.delete("other"));
    await world.run(a.cache.invalidateTags(["elsewhere"]));
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("k"))).toBe("old");
    expect(b.link.count()).toEqual({ changesSince: 1 });
  });

  test("goes to each partition for its own keys alone", async () => {
    const world = createWorld({ store: memoryStore({ partitions: 4 }) });
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", { ttl: "1h" }));
    await world.advance(BOUND + 1);
    link.count();
    await world.run(cache.get("k"));
    expect(link.count()).toEqual({ changesSince: 1 });
  });
});

describe("an answer that shows a newer seq", () => {
  test("is no proof for other copies: what was missed is caught up with before they are served past the bound", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world);
    await world.run(a.cache.set("other", 1));
    await world.run(a.cache.delete("k"));
    await world.advance(BOUND - 100);
    expect(await world.run(b.cache.get("other"))).toBe(1); // seq 2 is seen, but not what it did
    await world.advance(200);
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
  });
});

describe("a strong read", () => {
  test("costs one trip, and no bytes if the value in memory is still the one", async () => {
    const world = createWorld();
    const [, b] = await createHolders(world);
    const before = b.link.valueBytes;
    expect(await world.run(b.cache.get("k", { consistency: "strong" }))).toBe("old");
    expect(b.link.count()).toEqual({ read: 1 });
    expect(b.link.valueBytes).toBe(before);
  });

  test("does not join a load that began before it if that was invalidated in between", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    let calls = 0;
    const load = world.loader(() => ++calls, 100);
    const before = watch(a.cache.getOrSet("k", load));
    await world.advance(50);
    await world.run(b.cache.delete("k"));
    const after = watch(a.cache.getOrSet("k", load, { consistency: "strong" }));
    await world.advance(5_000);
    expect([before.value, after.value]).toEqual([1, 2]);
  });

  test("as a default of the cache holds for getOrSet", async () => {
    const world = createWorld();
    const [a, b] = await createHolders(world, { consistency: "strong" });
    await world.run(a.cache.delete("k"));
    expect(await world.run(b.cache.getOrSet("k", () => "new"))).toBe("new");
  });
});

describe("a copy from the store", () => {
  test("ages from when the question was sent, by the age the store gave", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "v", { ttl: 3_000 }));
    await world.advance(1_000);
    b.link.always("read", { kind: "delay", ms: 900 });
    expect(await world.run(b.cache.get("k"))).toBe("v");
    b.link.count(); // the store answered 450 ms after the question: 1,550 ms were left
    await world.advance(649);
    expect(await world.run(b.cache.get("k"))).toBe("v");
    expect(b.link.count()).toEqual({});
    await world.advance(1); // 1,550 ms after the question, though 450 ms before its time
    expect(await world.run(b.cache.get("k"))).toBeUndefined();
    expect(b.link.count()).toEqual({ read: 1 });
  });
});
