// From module scope to close: nothing happens before the first operation, and nothing is left after the last.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createCache, memoryStore, type Cache, type Platform } from "../../src/index.ts";
import { createWorld, errorOf, watch } from "../engine/world.ts";

describe("creation", () => {
  test("reads no clock, draws no random number and sets no timer, as module scope on Workers demands", async () => {
    const world = createWorld();
    let started = false;
    const guarded = <Args extends unknown[], Result>(what: string, call: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        if (!started) throw new Error(`${what} at module scope`);
        return call(...args);
      };
    };
    const { now, monotonic, random, setTimeout, clearTimeout, waitUntil } = world.platform;
    const platform: Platform = {
      memoryBytes: 1_000_000,
      now: guarded("now", now),
      monotonic: guarded("monotonic", monotonic),
      random: guarded("random", random),
      setTimeout: guarded("setTimeout", setTimeout),
      clearTimeout: guarded("clearTimeout", clearTimeout),
      waitUntil: guarded("waitUntil", waitUntil),
    };
    const cache = createCache({ platform, store: memoryStore({ partitions: 2 }), ttl: "1h" });
    const inner = cache.namespace("n", { tags: ["t"] }).bind({ waitUntil: () => undefined });
    cache.on("hit", () => undefined);
    expect(cache.stats()).toMatchObject({ entries: 0, roundTrips: 0 });
    expect(() => now()).not.toThrow();
    started = true;
    expect(await world.run(inner.getOrSet("k", () => "v"))).toBe("v");
    await cache.close();
  });

  test("uses no global clock, timer or random number either", () => {
    const names = ["now", "random", "performance", "setTimeout", "fetch", "getRandomValues"] as const;
    const used: string[] = [];
    const owners = {
      now: [Date, "now"],
      random: [Math, "random"],
      performance: [performance, "now"],
      setTimeout: [globalThis, "setTimeout"],
      fetch: [globalThis, "fetch"],
      getRandomValues: [crypto, "getRandomValues"],
    } as const;
    const restore = names.map((name) => {
      const [owner, member] = owners[name] as unknown as [Record<string, unknown>, string]; // each has that member
      const own = Object.getOwnPropertyDescriptor(owner, member);
      Object.defineProperty(owner, member, { configurable: true, writable: true, value: () => used.push(name) });
      return () => (own ? Object.defineProperty(owner, member, own) : Reflect.deleteProperty(owner, member));
    });
    try {
      createCache({ store: memoryStore() }).namespace("n");
    } finally {
      for (const each of restore) each();
    }
    expect(used).toEqual([]);
  });
});

const operations: Record<string, (cache: Cache) => Promise<unknown>> = {
  getOrSet: (cache) => cache.getOrSet("k", () => "v"),
  get: (cache) => cache.get("k"),
  getEntry: (cache) => cache.getEntry("k"),
  has: (cache) => cache.has("k"),
  set: (cache) => cache.set("k", "v"),
  delete: (cache) => cache.delete("k"),
  expire: (cache) => cache.expire("k"),
  invalidateTags: (cache) => cache.invalidateTags(["t"]),
  expireTags: (cache) => cache.expireTags(["t"]),
  clear: (cache) => cache.clear(),
};

describe("close", () => {
  test.each(Object.entries(operations))("%s rejects afterwards, with a store and without", async (_, operation) => {
    const world = createWorld();
    for (const { cache, link } of [world.instance(), world.instance({ store: undefined })]) {
      await world.run(cache.set("k", "v"));
      await cache.close();
      link.count();
      expect(await errorOf(operation(cache))).toMatchObject({ code: "ISOCACHE_STORE" });
      expect(link.count()).toEqual({});
    }
  });

  test("twice is as good as once", async () => {
    const { cache } = createWorld().instance();
    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
  });

  test("releases every timer and ends every wait: loads, followers, syncs, retries, reloads", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const options = { ttl: "1s", staleWhileRevalidate: "1h" } as const;
    await world.run(a.cache.set("stale", 1, options));
    await world.advance(6_000);
    const hanging = (): Promise<string> => new Promise(() => undefined);
    const heedful = ({ signal }: { signal: AbortSignal }): Promise<string> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    const calls: { state: string }[] = [
      watch(a.cache.getOrSet("k", heedful)),
      watch(b.cache.getOrSet("k", hanging)),
      watch(a.cache.getOrSet("stale", heedful, options)),
    ];
    await world.advance(6_000);
    b.link.always("all", "hang");
    calls.push(watch(b.cache.delete("other")), watch(b.cache.get("unknown")));
    await world.advance(500);
    expect(world.platform.timers).toBeGreaterThan(0);
    await a.cache.close();
    await b.cache.close();
    await world.advance(0);
    expect(world.platform.timers).toBe(0);
    // The last one is a read: it fails open, and finds nothing.
    expect(calls.map(({ state }) => state)).toEqual(["failed", "failed", "done", "failed", "done"]);
  });

  test("empties memory", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", "v"));
    await cache.close();
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });

  test("of one instance leaves the others of its store alone", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "v"));
    await a.cache.close();
    expect(await world.run(b.cache.get("k"))).toBe("v");
  });
});

describe("idle", () => {
  test("a cache with nothing to do has no timer, whatever it did before", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const load = world.loader("v", 3_000);
    await world.run(Promise.all([a.cache.getOrSet("k", load), b.cache.getOrSet("k", load)]));
    a.link.once("write", "fail");
    await world.run(errorOf(a.cache.delete("k")));
    await world.advance(10_000);
    await world.run(b.cache.get("k"));
    expect(world.platform.timers).toBe(0);
    expect(world.platform.background.size).toBe(0);
  });
});

describe("a Node process", () => {
  const index = fileURLToPath(new URL("../../src/index.ts", import.meta.url));

  const runInNode = (script: string): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve) => {
      const source = `import { createCache, memoryStore } from ${JSON.stringify(index)};\n${script}`;
      const child = spawn(process.execPath, ["--input-type=module", "--eval", source], { timeout: 20_000 });
      let output = "";
      child.stdout.on("data", (data) => (output += String(data)));
      child.stderr.on("data", (data) => (output += String(data)));
      child.on("close", (code) => resolve({ code, output }));
    });

  test("that used a cache exits by itself, without close", { timeout: 30_000 }, async () => {
    const { code, output } = await runInNode(`
      const cache = createCache({ store: memoryStore(), staleWhileRevalidate: "1h" });
      await Promise.all([cache.getOrSet("k", async () => "v"), cache.getOrSet("k", async () => "w")]);
      await cache.set("l", 1, { ttl: "1ms" });
      await cache.invalidateTags(["t"]);
      console.log(await cache.get("k"));
    `);
    expect([code, output]).toEqual([0, "v\n"]);
  });

  test("with the default platform keeps to durations, bounds and leases", { timeout: 30_000 }, async () => {
    const { code, output } = await runInNode(`
      const store = memoryStore();
      const [a, b] = [1, 2].map(() => createCache({ store, maxStaleness: "20ms" }));
      const slow = () => new Promise((resolve) => setTimeout(resolve, 50, "loaded"));
      const values = await Promise.all([a.getOrSet("k", slow), b.getOrSet("k", slow)]);
      await a.delete("k");
      await new Promise((resolve) => setTimeout(resolve, 40));
      console.log(values.join(), await b.get("k"), a.stats().loads + b.stats().loads);
    `);
    expect([code, output]).toEqual([0, "loaded,loaded undefined 1\n"]);
  });
});
