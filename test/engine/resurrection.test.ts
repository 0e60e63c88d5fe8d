// No stale resurrection: what began before an invalidation never makes its value visible after it (P1).
import { describe, expect, test } from "vitest";
import type { Cache } from "../../src/index.ts";
import { createWorld, deferred, watch } from "./world.ts";

interface Case {
  readonly what: string;
  /** Where the key lives. */
  readonly scope: (cache: Cache) => Cache;
  readonly invalidate: (cache: Cache) => Promise<void>;
  /** What is there afterwards. */
  readonly left: unknown;
}

const root = (cache: Cache): Cache => cache;
const inner = (cache: Cache): Cache => cache.namespace("outer").namespace("inner");

const cases: Case[] = [
  { what: "delete", scope: root, invalidate: (cache) => cache.delete("k"), left: undefined },
  { what: "set", scope: root, invalidate: (cache) => cache.set("k", "set"), left: "set" },
  { what: "expire", scope: root, invalidate: (cache) => cache.expire("k"), left: undefined },
  { what: "invalidateTags", scope: root, invalidate: (cache) => cache.invalidateTags(["t"]), left: undefined },
  { what: "expireTags", scope: root, invalidate: (cache) => cache.expireTags(["other", "t"]), left: undefined },
  { what: "clear", scope: root, invalidate: (cache) => cache.clear(), left: undefined },
  { what: "delete in a namespace", scope: inner, invalidate: (cache) => inner(cache).delete("k"), left: undefined },
  { what: "clear of the namespace", scope: inner, invalidate: (cache) => inner(cache).clear(), left: undefined },
  {
    what: "clear of the namespace around it",
    scope: inner,
    invalidate: (cache) => cache.namespace("outer").clear(),
    left: undefined,
  },
  {
    what: "clear of all, for a key in a namespace",
    scope: inner,
    invalidate: (cache) => cache.clear(),
    left: undefined,
  },
  {
    what: "invalidateTags at the root, for a key in a namespace",
    scope: inner,
    invalidate: (cache) => cache.invalidateTags(["t"]),
    left: undefined,
  },
];

describe.each(cases)("$what", ({ scope, invalidate, left }) => {
  describe.each(["the same instance", "another instance"])("asked for by %s", (by) => {
    const create = () => {
      const world = createWorld();
      const a = world.instance();
      const b = world.instance();
      const everywhere = async (): Promise<unknown[]> => {
        const seen: unknown[] = [];
        const afresh = world.instance(); // it has nothing but the store
        for (const { cache } of [a, b, afresh]) {
          seen.push(
            await world.run(scope(cache).get("k")),
            await world.run(scope(cache).get("k", { consistency: "strong" })),
          );
        }
        return seen;
      };
      return { world, a, b, everywhere, who: (by === "the same instance" ? a : b).cache };
    };
    const only = Array.from({ length: 6 }, () => left);

    test("during a load keeps the loaded value out of the store and of every memory", async () => {
      const { world, a, who, everywhere } = create();
      const value = deferred<string>();
      const load = scope(a.cache).getOrSet("k", () => value.promise, { tags: ["t"] });
      await world.advance(10);
      await world.run(invalidate(who));
      value.resolve("old");
      expect(await world.run(load)).toBe("old");
      expect(await everywhere()).toEqual(only);
    });

    test("while the commit is on its way keeps the value out", async () => {
      const { world, a, who, everywhere } = create();
      const gate = a.link.hold("commit", "way there");
      const load = scope(a.cache).getOrSet("k", () => "old", { tags: ["t"] });
      await world.advance(10);
      await world.run(invalidate(who));
      gate.open();
      expect(await world.run(load)).toBe("old");
      expect(await everywhere()).toEqual(only);
    });

    test("while the answer to the commit is on its way removes the value, within the bound at the latest", async () => {
      const { world, a, who, everywhere } = create();
      const gate = a.link.hold("commit", "way back");
      const load = scope(a.cache).getOrSet("k", () => "old", { tags: ["t"] });
      await world.advance(10);
      await world.run(invalidate(who));
      gate.open();
      expect(await world.run(load)).toBe("old");
      if (by === "another instance") await world.advance(5_001);
      expect(await everywhere()).toEqual(only);
    });

    test("while a hit is on its way back removes the value, within the bound at the latest", async () => {
      const { world, a, b, who, everywhere } = create();
      await world.run(scope(b.cache).getOrSet("k", () => "old", { tags: ["t"] }));
      const gate = a.link.hold("read", "way back");
      const hit = watch(scope(a.cache).get("k"));
      await world.advance(10);
      await world.run(invalidate(who));
      gate.open();
      await world.advance(5_001);
      expect(["old", left]).toContain(hit.value);
      expect(await everywhere()).toEqual(only);
    });
  });
});

describe("tags that the loader decides", () => {
  test("are invalidated during the load: the value is given to the caller and kept nowhere", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const going = deferred();
    const load = a.cache.getOrSet("k", async (context) => {
      await going.promise;
      context.set({ tags: ["late"] });
      return "old";
    });
    await world.advance(10);
    await world.run(b.cache.invalidateTags(["late"]));
    going.resolve();
    expect(await world.run(load)).toBe("old");
    expect(await world.stored("k")).toBeUndefined();
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
  });

  test("keep a later caller from joining a load that one of them might cover", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const values = [deferred<string>(), deferred<string>()];
    let calls = 0;
    const load = async (context: { set(options: object): void }): Promise<string> => {
      const mine = values[calls++]!;
      context.set({ tags: ["t"] });
      return mine.promise;
    };
    const before = cache.getOrSet("k", load);
    await world.advance(10);
    await world.run(cache.invalidateTags(["t"]));
    const after = watch(cache.getOrSet("k", load));
    values[0]!.resolve("old");
    expect(await world.run(before)).toBe("old");
    await world.advance(10_000);
    values[1]!.resolve("new");
    await world.advance(10);
    expect(after).toEqual({ state: "done", value: "new" });
  });
});

describe("a caller after an invalidation", () => {
  test.each(cases.filter(({ left, what }) => left === undefined && !what.startsWith("expire")))(
    "by $what of the same instance does not join the load that began before",
    async ({ scope, invalidate }) => {
      const world = createWorld();
      const { cache } = world.instance();
      const old = deferred<string>();
      const before = watch(scope(cache).getOrSet("k", () => old.promise, { tags: ["t"] }));
      await world.advance(10);
      await world.run(invalidate(cache));
      const after = watch(scope(cache).getOrSet("k", world.loader("new"), { tags: ["t"] }));
      await world.advance(12_000);
      old.resolve("old");
      await world.advance(10);
      expect([before.value, after.value]).toEqual(["old", "new"]);
      expect(await world.run(scope(cache).get("k"))).toBe("new");
    },
  );

  test.each([
    ["delete", (cache: Cache) => cache.delete("k")],
    ["clear", (cache: Cache) => cache.clear()],
    ["invalidateTags", (cache: Cache) => cache.invalidateTags(["t"])],
  ] as const)("by %s does not wait for that load either", async (what, invalidate) => {
    const world = createWorld();
    const { cache } = world.instance(what === "invalidateTags" ? { store: undefined } : {}); // a tag leaves leases alone
    const old = deferred<string>();
    const before = watch(cache.getOrSet("k", () => old.promise, { tags: ["t"] }));
    await world.advance(10);
    await world.run(invalidate(cache));
    const startedAt = world.platform.monotonic();
    expect(await world.run(cache.getOrSet("k", () => "new", { tags: ["t"] }))).toBe("new");
    expect([world.platform.monotonic(), before.state]).toEqual([startedAt, "pending"]);
    old.resolve("old");
    await world.advance(10);
    expect(await world.run(cache.get("k"))).toBe("new");
  });

  test("by another instance does not join once this one has heard of it", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const old = deferred<string>();
    await world.run(a.cache.set("other", 1));
    const before = watch(a.cache.getOrSet("k", () => old.promise));
    await world.advance(10);
    await world.run(b.cache.delete("k"));
    await world.advance(5_001);
    await world.run(a.cache.get("other")); // asks the log
    const after = watch(a.cache.getOrSet("k", world.loader("new")));
    await world.advance(10);
    old.resolve("old");
    await world.advance(10);
    expect([before.value, after.value]).toEqual(["old", "new"]);
  });

  test("by another instance, acknowledged longer ago than the bound, is not given a value loaded before it", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const old = deferred<string>();
    let calls = 0;
    const load = (): Promise<string> | string => (++calls === 1 ? old.promise : "new");
    const before = watch(a.cache.getOrSet("k", load));
    await world.advance(10);
    await world.run(b.cache.delete("k"));
    await world.advance(5_001);
    const after = watch(a.cache.getOrSet("k", load)); // this one may wait for the old load, but not take its value
    await world.advance(10);
    old.resolve("old");
    await world.advance(10_000);
    expect(before.value).toBe("old");
    expect(after.value).toBe("new");
  });
});
