// A load whose leader dies, hangs, is slow or loses its lease blocks nobody for long (P3, P6).
import { describe, expect, test } from "vitest";
import type { LoaderContext } from "../../src/index.ts";
import { createRequests } from "./requests.ts";
import { createWorld, watch, type Instance } from "./world.ts";

const LEASE = 10_000;

/** An instance on a runtime that cuts off requests, and the requests in it. */
const createWorker = () => {
  const world = createWorld();
  const requests = createRequests(world.platform);
  const { platform, listener, sleep } = requests;
  return { world, sleep, start: requests.start, worker: world.instance({ platform }, { listener }) };
};

const tokens = ({ link }: Instance): unknown[] =>
  link.sent.flatMap(({ operation, request }) =>
    operation === "read" ? [(request as { lease?: { token: string } }).lease?.token] : [],
  );

describe("a leader whose request is cut off", () => {
  test("in mid-load, is replaced by a caller of the same instance, who goes on with its lease", async () => {
    const { world, worker, start, sleep } = createWorker();
    const [first, second] = [start(), start()];
    const loads: string[] = [];
    const load = (by: string) => async (): Promise<string> => {
      loads.push(by);
      await sleep(200);
      return by;
    };
    const led = watch(first.run(() => worker.cache.getOrSet("k", load("first"))));
    await world.advance(50);
    const joined = second.run(() => worker.cache.getOrSet("k", load("second")));
    await world.advance(50);
    first.kill();
    const startedAt = world.platform.monotonic();
    expect(await world.run(joined)).toBe("second");
    expect(world.platform.monotonic() - startedAt).toBeLessThan(5_000);
    expect([loads, led.state]).toEqual([["first", "second"], "pending"]);
    expect(new Set(tokens(worker)).size).toBe(1);
    expect((await world.stored("k"))?.id).toBe(tokens(worker)[0]);
  });

  test.each(["read", "commit"] as const)(
    "while its %s is on the way, is replaced in the same way",
    async (operation) => {
      const { world, worker, start } = createWorker();
      const [first, second] = [start(), start()];
      const gate = worker.link.hold(operation, "way back");
      const led = watch(first.run(() => worker.cache.getOrSet("k", world.loader("first"))));
      await world.advance(10);
      const joined = second.run(() => worker.cache.getOrSet("k", world.loader("second")));
      await world.advance(10);
      first.kill();
      gate.open();
      const startedAt = world.platform.monotonic();
      expect(["first", "second"]).toContain(await world.run(joined));
      expect(world.platform.monotonic() - startedAt).toBeLessThan(5_000);
      expect(led.state).toBe("pending");
      expect(await world.stored("k")).toBeDefined();
    },
  );

  test("is replaced by one of its many followers; the others share that one's load", async () => {
    const { world, worker, start, sleep } = createWorker();
    const first = start();
    let calls = 0;
    const load = async (): Promise<number> => {
      const call = ++calls;
      await sleep(100);
      return call;
    };
    void first.run(() => worker.cache.getOrSet("k", load));
    await world.advance(10);
    const others = Array.from({ length: 100 }, () => start().run(() => worker.cache.getOrSet("k", load)));
    await world.advance(10);
    first.kill();
    expect(new Set(await world.run(Promise.all(others)))).toEqual(new Set([2]));
    expect(calls).toBe(2);
  });

  test("leaves the key usable for a caller who comes much later", async () => {
    const { world, worker, start } = createWorker();
    const first = start();
    void first.run(() => worker.cache.getOrSet("k", () => new Promise<string>(() => undefined)));
    await world.advance(10);
    first.kill();
    await world.advance(3_600_000);
    const startedAt = world.platform.monotonic();
    expect(await world.run(start().run(() => worker.cache.getOrSet("k", world.loader("late"))))).toBe("late");
    expect(world.platform.monotonic()).toBe(startedAt);
  });

  test("is replaced by a follower on another instance when its lease ends", async () => {
    const { world, worker, start, sleep } = createWorker();
    const other = world.instance();
    const first = start();
    void first.run(() => worker.cache.getOrSet("k", () => sleep(3_000)));
    await world.advance(100);
    const startedAt = world.platform.monotonic();
    const following = other.cache.getOrSet("k", world.loader("other"));
    await world.advance(100);
    first.kill();
    expect(await world.run(following)).toBe("other");
    expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(LEASE);
    expect(await world.stored("k")).toBeDefined();
  });
});

describe("a slow loader", () => {
  test("keeps its lease by renewing it, and nobody else loads", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader("v", 15_000);
    const leading = a.cache.getOrSet("k", load);
    await world.advance(7_000);
    const following = b.cache.getOrSet("k", load);
    expect(await world.run(Promise.all([leading, following]))).toEqual(["v", "v"]);
    expect(load.calls).toBe(1);
    expect(a.link.count().renew).toBe(2);
    expect(await world.stored("k")).toBeDefined();
  });

  test("makes a follower wait two leases at most; then that loads for itself and stores nothing", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const leading = a.cache.getOrSet("k", world.loader("slow", 35_000));
    await world.advance(1);
    const startedAt = world.platform.monotonic();
    expect(await world.run(b.cache.getOrSet("k", world.loader("own")))).toBe("own");
    expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(2 * LEASE);
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(leading)).toBe("slow");
    expect(await world.stored("k")).toBeDefined();
  });

  test.each([
    [300, 1],
    [3_000, 2],
  ])(
    "makes nobody wait longer who follows a follower; if that takes %d ms to load, %d of them load",
    async (ms, loads) => {
      const world = createWorld();
      const [a, b] = [world.instance(), world.instance()];
      const leading = a.cache.getOrSet("k", world.loader("slow", 50_000));
      await world.advance(1);
      const startedAt = world.platform.monotonic();
      const own = world.loader("own", ms);
      const followers = Array.from({ length: 5 }, () => b.cache.getOrSet("k", own));
      expect(new Set(await world.run(Promise.all(followers)))).toEqual(new Set(["own"]));
      expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(2 * LEASE + 2_000 + ms);
      expect(own.calls).toBe(loads);
      expect(await world.run(leading)).toBe("slow");
    },
  );

  test("is renewed for 60 s at most: one that never settles frees the key for others", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    void a.cache.getOrSet("k", () => new Promise<string>(() => undefined)).catch(() => undefined);
    await world.advance(60_000 + LEASE);
    const renewals = a.link.count().renew ?? 0;
    expect(renewals).toBeGreaterThanOrEqual(11);
    await world.advance(60_000);
    expect(a.link.count().renew).toBeUndefined();
    const startedAt = world.platform.monotonic();
    expect(await world.run(b.cache.getOrSet("k", world.loader("v")))).toBe("v");
    expect(world.platform.monotonic()).toBe(startedAt);
    expect(await world.stored("k")).toBeDefined();
  });

  test("that never settles makes no later caller of its own instance wait for ever", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    void cache.getOrSet("k", () => new Promise<string>(() => undefined)).catch(() => undefined);
    await world.advance(10);
    const startedAt = world.platform.monotonic();
    expect(await world.run(cache.getOrSet("k", world.loader("v")))).toBe("v");
    expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(2 * LEASE + 2_000);
    expect(await world.run(cache.get("k"))).toBe("v");
  });
});

describe("a lost lease", () => {
  /** A loader that goes on until its signal fires, the first time, and gives the number of the call. */
  const heedful = (world: ReturnType<typeof createWorld>) => {
    const reasons: unknown[] = [];
    const load = world.loader(
      ({ signal }: LoaderContext) =>
        new Promise<number>((resolve, reject) => {
          if (load.calls > 1) resolve(load.calls);
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    );
    return { load, reasons };
  };

  test("fires the loader's signal, and the load starts over for its callers", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const { load, reasons } = heedful(world);
    const leading = a.cache.getOrSet("k", load);
    await world.advance(1_000);
    await world.run(b.cache.delete("k"));
    const startedAt = world.platform.monotonic();
    expect(await world.run(leading)).toBe(2);
    expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(LEASE / 2);
    expect(reasons).toHaveLength(1);
    expect(await world.run(b.cache.get("k"))).toBe(2);
  });

  test("gives a loader that does not heed the signal its callers, but no place in the store", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const leading = a.cache.getOrSet("k", world.loader("late", 8_000));
    await world.advance(1_000);
    await world.run(b.cache.delete("k"));
    expect(await world.run(leading)).toBe("late");
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("taken over by another instance while this one was cut off, is not committed over the other's value", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const leading = a.cache.getOrSet("k", world.loader("a", 25_000));
    await world.advance(100);
    a.link.always("renew", "hang");
    expect(await world.run(b.cache.getOrSet("k", world.loader("b")))).toBe("b");
    expect(await world.run(leading)).toBe("a");
    for (const { cache } of [a, b]) expect(await world.run(cache.get("k"))).toBe("b");
  });

  test("that only ran over may still be committed, if nobody took it", async () => {
    const world = createWorld();
    const a = world.instance();
    a.link.always("renew", "fail");
    expect(await world.run(a.cache.getOrSet("k", world.loader("v", 30_000)))).toBe("v");
    expect(await world.stored("k")).toBeDefined();
  });
});
