// The breaker: a store that keeps failing costs reads nothing any more, writes still try, and one read finds it back.
import { describe, expect, test } from "vitest";
import { memoryStore, OptionError, type Cache, type CacheOptions } from "../../src/index.ts";
import type { LinkOptions } from "./network.ts";
import { createRequests } from "./requests.ts";
import { createWorld, errorOf, watch, type World } from "./world.ts";

const TIMEOUT = 1_000;
const COOLDOWN = 10_000;
/** The longest that a cooldown may last. */
const COOLED = 1.1 * COOLDOWN;

function states(cache: Cache): string[] {
  const seen: string[] = [];
  cache.on("breaker", ({ state }) => seen.push(state));
  return seen;
}

/** An instance whose store is silent and whose breaker is open. */
async function tripped(world: World, options: CacheOptions = {}, linkOptions: LinkOptions = {}) {
  const instance = world.instance(options, linkOptions);
  const seen = states(instance.cache);
  instance.link.always("all", "hang");
  const reads = Array.from({ length: 5 }, (_, index) => instance.cache.getOrSet(`first${index}`, () => index));
  await world.run(Promise.all(reads));
  expect(seen.splice(0)).toEqual(["open"]);
  instance.link.count();
  return { ...instance, seen };
}

describe("an open breaker", () => {
  test("opens at the fifth failure in a row, not before, and an answer in between begins anew", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const seen = states(cache);
    for (const count of [4, 5]) {
      link.always("read", "fail");
      for (let index = 0; index < count; index++) await world.run(cache.get("k"));
      expect(seen).toEqual(count === 5 ? ["open"] : []);
      link.heal();
      await world.run(cache.get("k"));
    }
  });

  test("lets reads go on at once, without a round trip and without an error each", async () => {
    const world = createWorld();
    const { cache, link, errors } = await tripped(world);
    errors.length = 0;
    const startedAt = world.platform.monotonic();
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(world.platform.monotonic()).toBe(startedAt);
    expect(link.count()).toEqual({});
    expect(errors).toEqual([]);
  });

  test("proves nothing: memory past the bound is stale, within it fresh", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ ttl: "1h", staleWhileRevalidate: "1h" });
    await world.run(cache.set("k", "v"));
    link.always("all", "fail");
    for (let index = 0; index < 5; index++) await world.run(cache.get("unknown"));
    link.count();
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "fresh" });
    await world.advance(6_000);
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ state: "stale", tier: "memory" });
    expect(link.count()).toEqual({});
    expect(cache.stats().syncs).toBe(0);
  });

  test("lets writes try, which are done as soon as the store is there, and close it", async () => {
    const world = createWorld();
    const other = world.instance();
    await world.run(other.cache.set("k", "v"));
    const { cache, link, seen } = await tripped(world);
    expect(await world.run(errorOf(cache.delete("k")))).toMatchObject({ code: "ISOCACHE_STORE" });
    expect(await world.run(cache.get("k"))).toBeUndefined(); // honoured here (P5)
    link.heal();
    await world.run(cache.set("l", "w"));
    expect(seen).toEqual(["closed"]);
    await world.advance(COOLDOWN);
    expect(await world.stored("k")).toBeUndefined();
  });

  test("lets a load that has a lease be committed", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const load = watch(cache.getOrSet("k", world.loader("v", 3_000)));
    await world.advance(100);
    link.always("all", "fail");
    for (let index = 0; index < 5; index++) await world.run(cache.get("unknown"));
    link.heal();
    await world.advance(3_000);
    expect(load).toMatchObject({ state: "done", value: "v" });
    expect(await world.stored("k")).toBeDefined();
  });

  test("is of one partition: the others are asked", async () => {
    const world = createWorld({ store: memoryStore({ partitions: 2 }) });
    const { cache, link } = world.instance();
    link.always("all", "fail", 0);
    const partitions: number[] = [];
    cache.on("breaker", ({ partition }) => partitions.push(partition));
    for (let index = 0; index < 40; index++) await world.run(cache.getOrSet(`k${index}`, () => index));
    expect(partitions).toEqual([0]);
    const reads = link.sent.filter(({ operation }) => operation === "read").map(({ partition }) => partition);
    expect(reads.filter((partition) => partition === 0)).toHaveLength(5);
    expect(reads.filter((partition) => partition === 1).length).toBeGreaterThan(5);
  });
});

describe("after the cooldown", () => {
  test("exactly one read probes; the others go on without the store until it has ended", async () => {
    const world = createWorld();
    const { cache, link, seen } = await tripped(world);
    await world.advance(COOLDOWN - TIMEOUT);
    await world.run(cache.get("k"));
    expect(link.count()).toEqual({});
    await world.advance(COOLED);
    const reads = [1, 2, 3].map((index) => watch(cache.getOrSet(`k${index}`, () => index)));
    await world.advance(500);
    expect(reads.map(({ state }) => state)).toEqual(["pending", "done", "done"]);
    await world.advance(500);
    expect(reads[0]).toMatchObject({ state: "done", value: 1 });
    expect(link.count()).toEqual({ read: 1 });
    expect(seen).toEqual(["half-open", "open"]);
    await world.run(cache.get("k"));
    expect(link.count()).toEqual({});
  });

  test("a probe that is answered closes it", async () => {
    const world = createWorld();
    const { cache, link, seen } = await tripped(world);
    link.heal();
    await world.advance(COOLED);
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(seen).toEqual(["half-open", "closed"]);
    expect(await world.stored("k")).toBeDefined();
    await world.run(cache.get("unknown"));
    expect(link.count()).toEqual({ read: 2, commit: 1 });
  });

  test("a probe that the store holds has been answered: the store is there", async () => {
    const world = createWorld();
    const other = world.instance();
    const { cache, link, seen } = await tripped(world);
    link.heal();
    await world.advance(COOLED);
    const load = watch(other.cache.getOrSet("k", world.loader("other", 2_000)));
    await world.advance(10);
    const follower = watch(cache.getOrSet("k", () => "own"));
    await world.advance(10);
    expect(seen).toEqual(["half-open", "closed"]);
    await world.advance(2_000);
    expect([load, follower]).toMatchObject([{ value: "other" }, { value: "other" }]);
  });

  test("a probe whose request is cancelled does not keep it open for ever", async () => {
    const world = createWorld();
    const { platform, listener, start } = createRequests(world.platform);
    const { cache, link, seen } = await tripped(world, { platform }, { listener });
    await world.advance(COOLED);
    const request = start();
    const probe = watch(request.run(() => cache.get("k")));
    await world.advance(10);
    request.kill();
    link.heal();
    await world.run(cache.get("k"));
    expect(seen.splice(0)).toEqual(["half-open"]);
    await world.advance(2 * TIMEOUT);
    await world.run(cache.get("k"));
    expect(seen).toEqual(["half-open", "closed"]);
    expect(probe.state).toBe("pending");
  });
});

describe("storeBreaker", () => {
  test("false: every read asks", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ storeBreaker: false });
    link.always("all", "fail");
    for (let index = 0; index < 20; index++) await world.run(cache.get("k"));
    expect(link.count()).toEqual({ read: 20 });
  });

  test("says after how many failures, and for how long", async () => {
    const world = createWorld();
    const { cache, link } = world.instance({ storeBreaker: { failures: 1, cooldown: "100ms" } });
    link.always("all", "fail");
    for (let index = 0; index < 3; index++) await world.run(cache.get("k"));
    expect(link.count()).toEqual({ read: 1 });
    await world.advance(110);
    await world.run(cache.get("k"));
    expect(link.count()).toEqual({ read: 1 });
  });

  test("does not count what is a mistake of the caller, such as a missing binding", async () => {
    const world = createWorld();
    const seen: string[] = [];
    const refuse = () => Promise.reject(new OptionError("CACHE: missing"));
    const store = {
      kind: "unbound",
      connect: () => ({ ...world.direct, read: refuse, close: () => Promise.resolve() }),
    };
    const { cache } = world.instance({ store, storeBreaker: { failures: 1 } });
    cache.on("breaker", ({ state }) => seen.push(state));
    for (let index = 0; index < 3; index++) {
      expect(await world.run(errorOf(cache.get("k")))).toMatchObject({ code: "ISOCACHE_OPTION" });
    }
    expect(seen).toEqual([]);
  });

  test.each([
    [{ failures: 0 }, /^failures: 0 is not a whole number/],
    [{ failures: 1.5 }, /^failures: 1.5 is not a whole number/],
    [{ cooldown: "soon" }, /^cooldown: "soon" is not a duration/],
    [{ retries: 1 }, /^retries: unknown option; there are failures, cooldown/],
    [true, /^storeBreaker: true is not an object/],
  ])("%j is refused", (storeBreaker, message) => {
    expect(() => createWorld().instance({ storeBreaker } as CacheOptions)).toThrow(message);
  });
});
