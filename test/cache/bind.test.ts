// A cache tied to a request: what goes on after the response is announced to it (P6).
import { describe, expect, test } from "vitest";
import { createWorld, errorOf } from "../engine/world.ts";

/** A context as Workers have it: its method throws when it is called without it. */
class Context {
  readonly promises: Promise<unknown>[] = [];
  waitUntil(promise: Promise<unknown>): void {
    if (!(this instanceof Context)) throw new TypeError("Illegal invocation");
    this.promises.push(promise);
  }
}

test("a load is announced to the request that leads it, until it is stored", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const ctx = new Context();
  const load = cache.bind(ctx).getOrSet("k", world.loader("v", 100));
  await world.advance(10);
  expect(ctx.promises).toHaveLength(1);
  expect(await world.run(load)).toBe("v");
  await world.run(Promise.all(ctx.promises));
  expect(await world.stored("k")).toBeDefined();
  expect(world.platform.background.size).toBe(0);
});

test("a reload in the background is announced to the request that got the stale value", async () => {
  const world = createWorld();
  const { cache } = world.instance({ ttl: "1s", staleWhileRevalidate: "1m" });
  await world.run(cache.set("k", "old"));
  await world.advance(1_500);
  const ctx = new Context();
  expect(await cache.bind(ctx).getOrSet("k", world.loader("new", 500))).toBe("old");
  await world.run(Promise.all(ctx.promises));
  expect(await world.run(cache.get("k"))).toBe("new");
});

test("retries of a write in doubt are announced to the request that asked for it", async () => {
  const world = createWorld();
  const { cache, link } = world.instance();
  link.once("write", "fail");
  const ctx = new Context();
  await world.run(errorOf(cache.bind(ctx).delete("k")));
  expect(ctx.promises.length).toBeGreaterThan(0);
  await world.run(Promise.all(ctx.promises));
  expect(link.count()).toEqual({ write: 2 });
});

test("what is announced never rejects", async () => {
  const world = createWorld();
  const { cache, link } = world.instance();
  link.always("all", "fail");
  const ctx = new Context();
  const bound = cache.bind(ctx);
  await world.run(errorOf(bound.getOrSet("k", (context) => context.fail("down"))));
  await world.run(errorOf(bound.delete("k")));
  const settled = Promise.allSettled(ctx.promises);
  await cache.close();
  expect((await world.run(settled)).map(({ status }) => status)).not.toContain("rejected");
});

test("a bound cache shares everything else: memory, loads, namespaces", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const bound = cache.bind(new Context());
  const load = world.loader("v", 50);
  await world.run(Promise.all([cache.getOrSet("k", load), bound.getOrSet("k", load)]));
  expect(load.calls).toBe(1);
  const ctx = new Context();
  await world.run(cache.namespace("n").bind(ctx).namespace("m").set("k", 1));
  expect(await world.run(cache.namespace("n").namespace("m").get("k"))).toBe(1);
});

describe("of the held reads that a transport allows per request", () => {
  test("no more are open at once; the others ask in steps, and all are answered", async () => {
    const world = createWorld();
    const a = world.instance();
    const b = world.instance({}, { heldReadsPerRequest: 2 });
    const keys = ["k1", "k2", "k3", "k4", "k5"];
    const loads = keys.map((key) => a.cache.getOrSet(key, world.loader(key, 3_000)));
    await world.advance(10);
    const bound = b.cache.bind(new Context());
    const followers = keys.map((key) => bound.getOrSet(key, () => "own"));
    await world.advance(10);
    const waits = b.link.sent.map(({ request }) => (request as { waitMs?: number }).waitMs);
    expect(waits.filter((ms) => ms! > 0)).toHaveLength(2);
    expect(await world.run(Promise.all(followers))).toEqual(keys);
    await world.run(Promise.all(loads));
  });
});

test.each([undefined, null, {}, { waitUntil: 5 }])("%o is no context", (ctx) => {
  const { cache } = createWorld().instance();
  expect(() => cache.bind(ctx as unknown as Context)).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
});

test("all methods work detached", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const { getOrSet, get, getEntry, has, set, delete: remove, expire, invalidateTags, expireTags, clear } = cache;
  const { namespace, bind, on, off, stats, close } = cache;
  const listener = (): void => undefined;
  on("hit", listener);
  off("hit", listener);
  expect(await world.run(getOrSet("k", () => 1))).toBe(1);
  await world.run(set("k", 2));
  expect([await world.run(get("k")), await world.run(has("k"))]).toEqual([2, true]);
  expect(await world.run(getEntry("k"))).toMatchObject({ value: 2 });
  await world.run(expire("k"));
  await world.run(remove("k"));
  await world.run(Promise.all([invalidateTags(["t"]), expireTags(["t"]), clear()]));
  expect(await world.run(namespace("n").get("k"))).toBeUndefined();
  expect(await world.run(bind(new Context()).get("k"))).toBeUndefined();
  expect(stats().hits.memory).toBeGreaterThan(0);
  await close();
});
