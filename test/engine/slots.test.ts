// maxConcurrentLoads: so many loaders at once, the others in line; nobody waits for ever, and the dead hold no turn.
import { describe, expect, test } from "vitest";
import type { CacheOptions } from "../../src/index.ts";
import { createRequests } from "./requests.ts";
import { createWorld, deferred, errorOf, sleep, watch } from "./world.ts";

/** A loader that knows how many of its kind run at once, and in which order they began. */
function crowd(world: ReturnType<typeof createWorld>) {
  const seen = { now: 0, most: 0, order: [] as string[] };
  const load =
    (ms: number) =>
    async ({ key }: { key: string }): Promise<string> => {
      seen.order.push(key);
      seen.most = Math.max(seen.most, ++seen.now);
      await sleep(world.platform, ms);
      seen.now--;
      return key;
    };
  return { seen, load };
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

describe.each([
  ["with a store", {}],
  ["without one", { store: undefined }],
] as [string, CacheOptions][])("%s", (_, options) => {
  test("no more loaders run at once, in the order in which they were asked for, and all come to their turn", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ...options, maxConcurrentLoads: 3 });
    const { seen, load } = crowd(world);
    const all = Promise.all(keys(20).map((key) => cache.getOrSet(key, load(100))));
    expect(await world.run(all)).toEqual(keys(20));
    expect(seen).toMatchObject({ most: 3, order: keys(20) });
  });

  test("without the option there is no limit", async () => {
    const world = createWorld();
    const { cache } = world.instance(options);
    const { seen, load } = crowd(world);
    await world.run(Promise.all(keys(20).map((key) => cache.getOrSet(key, load(100)))));
    expect(seen.most).toBe(20);
  });
});

test("a loader that throws gives its turn on", async () => {
  const world = createWorld();
  const { cache } = world.instance({ maxConcurrentLoads: 1 });
  const failing = watch(cache.getOrSet("a", () => Promise.reject(new Error("origin"))));
  expect(await world.run(cache.getOrSet("b", () => "b"))).toBe("b");
  expect(failing.state).toBe("failed");
});

test("hits, and callers of one key, do not wait in line", async () => {
  const world = createWorld();
  const { cache } = world.instance({ maxConcurrentLoads: 1 });
  await world.run(world.instance().cache.set("stored", "v"));
  const slow = watch(cache.getOrSet("slow", world.loader("slow", 5_000)));
  const same = watch(cache.getOrSet("slow", () => expect.fail("loaded")));
  await world.advance(10);
  expect(await world.run(cache.getOrSet("stored", () => expect.fail("loaded")))).toBe("v");
  await world.advance(5_000);
  expect([slow, same]).toMatchObject([{ value: "slow" }, { value: "slow" }]);
});

describe("who waits longer than the lease", () => {
  test("fails with a LoaderError that says so, and gives its lease back to others", async () => {
    const world = createWorld();
    const [{ cache }, other] = [world.instance({ maxConcurrentLoads: 1, lease: "2s" }), world.instance()];
    const hangs = deferred<string>();
    const first = watch(cache.getOrSet("hangs", () => hangs.promise));
    await world.advance(10);
    const error = errorOf(cache.getOrSet("k", () => expect.fail("loaded")));
    const startedAt = world.platform.monotonic();
    expect(await world.run(error)).toMatchObject({
      code: "ISOCACHE_LOADER",
      cause: { code: "ISOCACHE_TIMEOUT", message: "it was not its turn within 2000 ms" },
    });
    expect(world.platform.monotonic() - startedAt).toBe(2_000);
    expect(await world.run(other.cache.getOrSet("k", () => "other"))).toBe("other");
    expect(world.platform.monotonic() - startedAt).toBe(2_000);
    hangs.resolve("late");
    await world.advance(0);
    expect(first.value).toBe("late");
  });

  test("is served what is stale, if it may be", async () => {
    const world = createWorld();
    const { cache } = world.instance({ maxConcurrentLoads: 1, lease: "2s", staleIfError: "1h" });
    await world.run(cache.set("k", "old"));
    await world.run(cache.expire("k"));
    void cache.getOrSet("hangs", () => new Promise(() => undefined)).catch(() => undefined);
    await world.advance(10);
    expect(await world.run(cache.getOrSet("k", () => expect.fail("loaded")))).toBe("old");
  });
});

test("beyond 1,000 that wait, a load fails at once", async () => {
  const world = createWorld();
  const { cache } = world.instance({ store: undefined, maxConcurrentLoads: 1 });
  const waiting = keys(1_001).map((key) => watch(cache.getOrSet(key, world.loader(key, 1))));
  await world.advance(0);
  expect(await world.run(errorOf(cache.getOrSet("k", () => expect.fail("loaded"))))).toMatchObject({
    code: "ISOCACHE_LOADER",
    cause: { code: "ISOCACHE_TIMEOUT" },
  });
  await world.advance(2_000);
  expect(waiting.every(({ state }) => state === "done")).toBe(true);
});

test("a loader that hangs is left behind after a minute", async () => {
  const world = createWorld();
  const { cache } = world.instance({ maxConcurrentLoads: 1 });
  void cache.getOrSet("hangs", () => new Promise(() => undefined)).catch(() => undefined);
  await world.advance(60_001);
  expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
});

test("requests that were cancelled hold no turn, neither as who loads nor as who waits", async () => {
  const world = createWorld();
  const { platform, listener, start, sleep: pause } = createRequests(world.platform);
  const { cache } = world.instance({ platform, maxConcurrentLoads: 1 }, { listener });
  const [loading, waiting] = [start(), start()];
  const cut = [loading.run(() => watch(cache.getOrSet("a", () => pause(500).then(() => "a"))))];
  await world.advance(10);
  cut.push(waiting.run(() => watch(cache.getOrSet("b", () => "b"))));
  await world.advance(10);
  loading.kill();
  waiting.kill();
  const startedAt = world.platform.monotonic();
  expect(await world.run(start().run(() => cache.getOrSet("c", () => "c")))).toBe("c");
  expect(world.platform.monotonic() - startedAt).toBeLessThan(5_000);
  expect(cut.map(({ state }) => state)).toEqual(["pending", "pending"]);
});

test("close() ends whoever waits", async () => {
  const world = createWorld();
  const { cache } = world.instance({ maxConcurrentLoads: 1 });
  const reads = keys(3).map((key) => watch(cache.getOrSet(key, () => new Promise(() => undefined))));
  await world.advance(10);
  await cache.close();
  await world.advance(0);
  expect(reads.slice(1).map(({ state }) => state)).toEqual(["failed", "failed"]);
});

test("a delete while it waits makes it load for nobody else, after the delete", async () => {
  const world = createWorld();
  const { cache } = world.instance({ maxConcurrentLoads: 1 });
  let row = "old";
  void cache.getOrSet("slow", world.loader("slow", 1_000));
  const load = watch(cache.getOrSet("k", () => row));
  await world.advance(10);
  await world.run(cache.delete("k"));
  row = "new";
  const after = watch(cache.getOrSet("k", () => row));
  await world.advance(2_000);
  expect([load, after]).toMatchObject([{ value: "new" }, { value: "new" }]);
  expect(await world.run(cache.get("k"))).toBe("new");
});

test.each([0, 1.5, -1, "3", NaN])("%s is refused", (maxConcurrentLoads) => {
  const options = { maxConcurrentLoads } as CacheOptions;
  expect(() => createWorld().instance(options)).toThrow(/^maxConcurrentLoads: .* is not a whole number/);
});
