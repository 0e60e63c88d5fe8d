// Events: what they carry, in which order they come, and that no listener can harm the cache or another listener.
import { describe, expect, test } from "vitest";
import type { Cache, CacheEvents, EventName, Listener } from "../../src/index.ts";
import { createWorld, errorOf } from "../engine/world.ts";

/** Everything that happens, as "name: what was carried", durations left out. */
function trace(cache: Cache): string[] {
  const seen: string[] = [];
  const listen = (name: EventName): void =>
    cache.on(name, (event) => {
      const carried = Object.entries(event).filter(([what]) => what !== "durationMs" && what !== "error");
      seen.push(`${name}: ${carried.map(([, value]) => String(value)).join(" ")}`);
    });
  for (const name of ["hit", "miss", "load", "write", "sync", "evict", "error"] as const) listen(name);
  return seen;
}

describe("what happens is told", () => {
  test("for a miss, a load, and hits in memory and in the store", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const [seenByA, seenByB] = [trace(a.cache), trace(b.cache)];
    await world.run(a.cache.getOrSet("k", world.loader("v", 70)));
    await world.run(a.cache.getOrSet("k", () => "w"));
    await world.run(a.cache.get("unknown"));
    await world.run(b.cache.get("k"));
    expect(seenByA).toEqual(["load: k stored", "miss: k", "hit: k memory fresh", "miss: unknown"]);
    expect(seenByB).toEqual(["hit: k store fresh"]);
  });

  test("for a stale hit and the reload behind it", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ttl: "1s", staleWhileRevalidate: "1m" });
    await world.run(cache.set("k", 1));
    await world.advance(1_500);
    const seen = trace(cache);
    await world.run(cache.getOrSet("k", () => 2));
    await world.advance(0);
    expect(seen).toEqual(["hit: k memory stale", "load: k stored"]);
  });

  test("for every write, by its own name for what it covers", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const seen: CacheEvents["write"][] = [];
    cache.on("write", (event) => seen.push(event));
    await world.run(cache.set("k", 1));
    await world.run(cache.expire("k"));
    await world.run(cache.delete("k"));
    expect(seen).toMatchObject([
      { operation: "set", key: "k" },
      { operation: "expire", key: "k" },
      { operation: "delete", key: "k" },
    ]);
  });

  test.each(["shared", "local"])("for what is in namespaces, as the user calls it: %s", async (kind) => {
    const world = createWorld();
    const { cache } = world.instance(kind === "local" ? { store: undefined, memory: { maxEntries: 1 } } : {});
    const seen: unknown[] = [];
    cache.on("write", ({ durationMs: _, ...event }) => seen.push(event));
    cache.on("evict", ({ key }) => seen.push(key));
    const space = cache.namespace("a:b").namespace("12");
    await world.run(space.set("#k/1", 1));
    await world.run(cache.delete("#k/1"));
    await world.run(cache.delete("\u0001/k"));
    await world.run(space.invalidateTags(["t", "@", "#/u"]));
    await world.run(cache.expireTags(["t"]));
    await world.run(space.clear());
    await world.run(cache.clear());
    expect(seen).toEqual([
      { operation: "set", key: "#k/1" },
      { operation: "delete", key: "#k/1" },
      { operation: "delete", key: "\u0001/k" },
      { operation: "tags", tags: ["t", "@", "#/u"] },
      { operation: "expireTags", tags: ["t"] },
      { operation: "clear" },
      { operation: "clear" },
    ]);
    await world.run(space.set("x", 1));
    seen.length = 0;
    await world.run(cache.set("y", 1));
    expect(seen).toContainEqual({ operation: "set", key: "y" });
    if (kind === "local") expect(seen).toContain("x");
  });

  test("durations are measured by local time", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.always("all", { kind: "delay", ms: 10 });
    const durations: string[] = [];
    cache.on("*", (event) => {
      if ("durationMs" in event) durations.push(`${event.name} ${event.durationMs}`);
    });
    await world.run(world.instance().cache.set("k", "v"));
    await world.run(cache.get("k"));
    await world.run(cache.getOrSet("k", () => "w"));
    await world.run(cache.getOrSet("l", world.loader("v", 70)));
    await world.advance(6_000);
    await world.run(cache.get("k"));
    expect(durations).toEqual(["hit 10", "hit 0", "load 80", "miss 90", "sync 10", "hit 10"]);
  });

  test('in order, with their names, to whoever listens to "*"', async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const seen: string[] = [];
    const listener: Listener<"*"> = (event) => {
      // The name tells which event it is, to the compiler, too.
      seen.push(event.name === "load" ? `${event.name} of ${event.key}: ${event.outcome}` : event.name);
    };
    cache.on("*", listener);
    await world.run(cache.getOrSet("k", () => "v"));
    await world.run(cache.getOrSet("k", () => "v"));
    await world.run(cache.set("k", "w"));
    cache.off("*", listener);
    await world.run(cache.get("k"));
    expect(seen).toEqual(["load of k: stored", "miss", "hit", "write"]);
  });

  test.each([
    ["skipped", "skipped"],
    ["failed", "failed"],
    ["ttl 0", "unstored"],
    ["invalidated", "unstored"],
  ] as const)("a load that was %s has the outcome %s", async (how, outcome) => {
    const world = createWorld();
    const { cache } = world.instance();
    const outcomes: string[] = [];
    cache.on("load", (event) => outcomes.push(event.outcome));
    const load = cache.getOrSet("k", async (context) => {
      if (how === "skipped") return context.skip();
      if (how === "failed") return context.fail("no");
      if (how === "ttl 0") context.set({ ttl: 0 });
      if (how === "invalidated") await cache.delete("k");
      return "v";
    });
    await world.run(load.catch(() => undefined));
    expect(outcomes).toEqual([outcome]);
  });

  test("a copy that leaves memory for want of room", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, memory: { maxEntries: 2 } });
    const seen = trace(cache);
    for (const key of ["a", "b", "c"]) await cache.set(key, 1);
    expect(seen.filter((each) => each.startsWith("evict"))).toEqual(["evict: a size"]);
  });
});

describe("keys in events", () => {
  test.each(["hit", "miss", "load", "error"] as const)(
    "of a namespace are as the user gave them, in %s",
    async (name) => {
      const world = createWorld();
      const { cache, link } = world.instance();
      const keys: (string | undefined)[] = [];
      cache.on(name, (event: { key?: string }) => keys.push(event.key));
      const inner = cache.namespace("n");
      await world.run(inner.getOrSet("k", () => 1));
      await world.run(inner.get("k"));
      await world.run(inner.delete("k"));
      link.once("read", "fail");
      await world.run(inner.get("k"));
      expect(new Set(keys)).toEqual(new Set(["k"]));
    },
  );
});

describe("listeners", () => {
  test("that throw or reject harm nobody, and are told as errors", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    const seen: string[] = [];
    cache.on("miss", () => {
      throw new Error("thrown");
    });
    cache.on("miss", () => Promise.reject(new Error("rejected")));
    cache.on("miss", ({ key }) => seen.push(key));
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    await world.advance(0);
    expect(seen).toEqual(["k"]);
    expect(errors.map(({ operation, error }) => [operation, (error as Error).message])).toEqual([
      ["listener of miss", "thrown"],
      ["listener of miss", "rejected"],
    ]);
  });

  test("of errors, or of all events, that throw or reject themselves end there", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    cache.on("*", () => {
      throw new Error("again, of whatever");
    });
    cache.on("error", () => {
      throw new Error("again");
    });
    cache.on("error", () => Promise.reject(new Error("and again")));
    link.always("all", "fail");
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(await world.run(errorOf(cache.delete("k")))).toMatchObject({ code: "ISOCACHE_STORE" });
  });

  test("that throw in the middle of every event leave all operations as they are", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ttl: "1s", staleWhileRevalidate: "1m", memory: { maxEntries: 1 } });
    for (const name of ["hit", "miss", "load", "write", "sync", "evict", "error"] as const) {
      cache.on(name, () => {
        throw new Error(name);
      });
    }
    expect(await world.run(cache.getOrSet("k", () => 1))).toBe(1);
    await world.advance(6_000);
    expect(await world.run(cache.getOrSet("k", () => 2))).toBe(1);
    await world.advance(0);
    expect(await world.run(cache.get("k"))).toBe(2);
    await world.run(cache.set("l", 3));
    expect([await world.run(cache.get("k")), await world.run(cache.get("l"))]).toEqual([2, 3]);
    await world.run(cache.clear());
    expect(await world.run(cache.get("k"))).toBeUndefined();
  });

  test("may be taken off, and are called once however often they were put on", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const seen: string[] = [];
    const listener = ({ key }: { key: string }): void => void seen.push(key);
    cache.on("miss", listener);
    cache.on("miss", listener);
    await world.run(cache.get("a"));
    cache.off("miss", listener);
    await world.run(cache.get("b"));
    cache.off("miss", listener);
    expect(seen).toEqual(["a"]);
  });

  test("may use the cache themselves", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    cache.on("load", ({ key }) => (key === "k" ? cache.set("seen", key) : undefined));
    await world.run(cache.getOrSet("k", () => 1));
    await world.advance(0);
    expect(await world.run(cache.get("seen"))).toBe("k");
  });
});
