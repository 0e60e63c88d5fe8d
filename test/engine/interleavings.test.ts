// Orders of events that an executable model found to matter: joining, coverage, pruning, leases under clear (DESIGN 5).
import { describe, expect, test } from "vitest";
import type { LoaderContext } from "../../src/index.ts";
import { createWorld, deferred, errorOf, sleep, watch, type Instance, type World } from "./world.ts";

const BOUND = 5_000;
/** Answers may take long, so that other things happen meanwhile. */
const PATIENT = { storeTimeout: "1h" } as const;

const keysOf = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => prefix + index);

const deleteAll = (world: World, { cache }: Instance, keys: string[]): Promise<unknown> =>
  world.run(Promise.all(keys.map((key) => cache.delete(key))));

describe("a follower", () => {
  test("is woken when the key it waits for is invalidated, and loads at once", async () => {
    const world = createWorld();
    const [a, b, c] = [world.instance(), world.instance(), world.instance()];
    const leading = watch(a.cache.getOrSet("k", world.loader("a", 4_000)));
    await world.advance(10);
    const following = watch(b.cache.getOrSet("k", world.loader("b", 100)));
    await world.advance(10);
    await world.run(c.cache.delete("k"));
    await world.advance(110);
    expect(following.value).toBe("b");
    await world.advance(4_000);
    expect(leading.value).toBe("a");
    expect(await world.run(c.cache.get("k"))).toBe("b");
  });

  test.each([
    ["the cache", (instance: Instance) => instance.cache.clear()],
    ["its namespace", (instance: Instance) => instance.cache.namespace("n").clear()],
  ])("does not wait for a load that began before a clear of %s", async (_, clear) => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const leading = watch(a.cache.namespace("n").getOrSet("k", world.loader("old", 4_000)));
    await world.advance(10);
    await world.run(clear(b));
    const startedAt = world.platform.monotonic();
    expect(await world.run(b.cache.namespace("n").getOrSet("k", () => "new"))).toBe("new");
    expect(world.platform.monotonic()).toBe(startedAt);
    await world.advance(4_000);
    expect(leading.value).toBe("old");
    expect(await world.run(b.cache.namespace("n").get("k", { consistency: "strong" }))).toBe("new");
  });

  test("of a load that fails with something stale to serve gets that, and does not load", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "stale", { ttl: "1s", staleIfError: "1h" }));
    await world.advance(2_000);
    const failing = world.loader((context) => context.fail("down"), 500);
    const leading = a.cache.getOrSet("k", failing);
    await world.advance(10);
    expect(await world.run(Promise.all([leading, b.cache.getOrSet("k", failing)]))).toEqual(["stale", "stale"]);
    expect(failing.calls).toBe(1);
  });

  test("without a loader does not wait: get is a miss at once", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    void a.cache.getOrSet("k", world.loader("v", 1_000));
    await world.advance(10);
    const startedAt = world.platform.monotonic();
    for (const { cache } of [a, b]) expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(world.platform.monotonic()).toBe(startedAt);
  });
});

describe("a read that was answered long ago", () => {
  test("is not shared with a caller who begins later than the bound", async () => {
    const world = createWorld();
    const a = world.instance(PATIENT);
    const b = world.instance();
    await world.run(b.cache.set("k", "old", { ttl: "1h" }));
    const gate = a.link.hold("read", "way back");
    const early = watch(a.cache.getOrSet("k", () => "loaded"));
    await world.advance(10);
    await world.run(b.cache.set("k", "new", { ttl: "1h" }));
    await world.advance(1_000);
    const soon = watch(a.cache.getOrSet("k", () => "loaded"));
    await world.advance(BOUND);
    const late = watch(a.cache.getOrSet("k", () => "loaded"));
    await world.advance(1_000);
    gate.open();
    await world.advance(10);
    expect([early.value, soon.value]).toEqual(["old", "old"]);
    expect(late.value).toBe("new");
    expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBe("new");
  });

  test("enters no memory if what is known since covers it, even if that was forgotten again", async () => {
    const world = createWorld();
    const a = world.instance(PATIENT);
    const b = world.instance();
    await world.run(b.cache.set("k", "old", { ttl: "1h" }));
    await world.run(a.cache.set("probe", 1, { ttl: "1h" }));
    const gate = a.link.hold("read", "way back");
    const early = watch(a.cache.get("k"));
    await world.advance(10);
    await world.run(b.cache.delete("k"));
    for (const prefix of ["x", "y"]) {
      await deleteAll(world, b, keysOf(prefix, 600)); // together more than is remembered
      await world.advance(BOUND + 1);
      await world.run(a.cache.get("probe"));
    }
    gate.open();
    await world.advance(10);
    expect(early.state).toBe("done");
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("enters no memory that was emptied since, because the log did not reach back", async () => {
    const world = createWorld();
    const a = world.instance(PATIENT);
    const b = world.instance();
    await world.run(b.cache.set("k", "old", { ttl: "1h" }));
    await world.run(a.cache.set("probe", 1, { ttl: "1h" }));
    const gate = a.link.hold("read", "way back");
    const early = watch(a.cache.get("k"));
    await world.advance(10);
    await world.run(b.cache.delete("k"));
    await deleteAll(world, b, keysOf("x", 1_100));
    await world.advance(BOUND + 1);
    await world.run(a.cache.get("probe"));
    gate.open();
    await world.advance(10);
    expect(early.state).toBe("done");
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("does not replace a copy of a newer value", async () => {
    const world = createWorld();
    const a = world.instance(PATIENT);
    const b = world.instance();
    await world.run(b.cache.set("k", "old", { ttl: "1h" }));
    const gate = a.link.hold("read", "way back");
    const early = watch(a.cache.get("k"));
    await world.advance(10);
    await world.run(b.cache.set("k", "new", { ttl: "1h" }));
    expect(await world.run(a.cache.get("k"))).toBe("new");
    gate.open();
    await world.advance(10);
    expect(early.state).toBe("done");
    expect(await world.run(a.cache.get("k"))).toBe("new");
  });

  test("does not replace a copy of a reload that came before it, though nothing was invalidated", async () => {
    const world = createWorld();
    const a = world.instance({ ...PATIENT, ttl: "1s", staleWhileRevalidate: "1h" });
    const b = world.instance({ ttl: "1s", staleWhileRevalidate: "1h" });
    await world.run(b.cache.set("k", "old"));
    await world.run(a.cache.has("unknown")); // from here on A hears of everything
    await world.advance(2_000);
    const gate = a.link.hold("read", "way back");
    const early = watch(a.cache.get("k"));
    await world.advance(10);
    await world.run(b.cache.delete("other"));
    expect(await world.run(a.cache.getOrSet("k", () => "new", { ttl: "1h" }))).toBe("old");
    await world.advance(10);
    gate.open();
    await world.advance(10);
    expect(early.value).toBe("old");
    expect(await world.run(a.cache.getEntry("k"))).toMatchObject({ value: "new", state: "fresh", tier: "memory" });
  });
});

describe("more invalidated tags than are remembered", () => {
  test("void tagged copies rather than bring one back; untagged ones stay", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("tagged", "old", { ttl: "1h", tags: ["t"] }));
    await world.run(a.cache.set("plain", "kept", { ttl: "1h" }));
    for (const key of ["tagged", "plain"]) await world.run(b.cache.get(key));
    await world.run(a.cache.invalidateTags(["t"]));
    for (let index = 0; index < 101; index++) await world.run(a.cache.invalidateTags(keysOf(`${index}-`, 100)));
    await world.advance(BOUND + 1);
    expect(await world.run(b.cache.get("tagged"))).toBeUndefined();
    expect(await world.run(b.cache.get("tagged", { consistency: "strong" }))).toBeUndefined();
    expect(await world.run(b.cache.get("plain"))).toBe("kept");
  });
});

describe("of several own writes in doubt", () => {
  const options = { ttl: "1h", staleWhileRevalidate: "1h", tags: ["t"] } as const;

  test("an expiry leaves the stale value", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    await world.run(cache.set("k", "v", options));
    link.always("write", "fail");
    await world.run(errorOf(cache.expire("k")));
    expect(await world.run(cache.getEntry("k"))).toMatchObject({ value: "v", state: "stale" });
    expect(await world.run(cache.getEntry("k", { consistency: "strong" }))).toMatchObject({ state: "stale" });
  });

  test("the strongest counts, in whichever order they were asked for", async () => {
    for (const order of [0, 1]) {
      const world = createWorld();
      const { cache, link } = world.instance();
      await world.run(cache.set("k", "v", options));
      link.always("write", "fail");
      const writes = [() => cache.expire("k"), () => cache.invalidateTags(["t"])];
      await world.run(errorOf(writes[order]!()));
      await world.run(errorOf(writes[1 - order]!()));
      expect(await world.run(cache.get("k"))).toBeUndefined();
      expect(await world.run(cache.get("k", { consistency: "strong" }))).toBeUndefined();
    }
  });
});

describe("under steady invalidation", () => {
  test("a caller whose loads are lost again and again gets a value in the end", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    let loads = 0;
    const load = ({ signal }: LoaderContext): Promise<number> => {
      const mine = ++loads;
      const lost = deferred<number>();
      signal.addEventListener("abort", () => lost.reject(signal.reason));
      return Promise.race([lost.promise, sleep(world.platform, 7_000).then(() => mine)]);
    };
    const result = watch(a.cache.getOrSet("k", load));
    for (let second = 0; second < 60; second++) {
      await world.run(b.cache.delete("k"));
      await world.advance(1_000);
    }
    expect(result).toEqual({ state: "done", value: loads });
    expect(loads).toBeGreaterThan(2);
    expect(await world.stored("k")).toBeUndefined();
  });
});

describe("a reload that fails while the stale value is served at once", () => {
  test("is not tried again by every hit, but after the back-off", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ttl: "1s", staleWhileRevalidate: "1h", failureBackoff: "5s" });
    await world.run(cache.set("k", "old"));
    await world.advance(1_000);
    const failing = world.loader((context) => context.fail("down"));
    for (let elapsed = 0; elapsed < 20_000; elapsed += 100) {
      expect(await world.run(cache.getOrSet("k", failing))).toBe("old");
      await world.advance(100);
    }
    expect(failing.calls).toBeGreaterThanOrEqual(3);
    expect(failing.calls).toBeLessThanOrEqual(5);
  });
});
