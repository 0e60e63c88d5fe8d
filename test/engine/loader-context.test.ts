// What a loader is told and may answer: key, signal, the stale value; set, skip, notModified, fail.
import { describe, expect, expectTypeOf, test } from "vitest";
import type { EntryOptions, StaleValue } from "../../src/index.ts";
import { createWorld, deferred, errorOf, watch } from "./world.ts";

describe("the context", () => {
  test("names the key as the user does, in a namespace too", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const keys: string[] = [];
    const load = ({ key }: { key: string }): number => keys.push(key);
    await world.run(cache.getOrSet("k", load));
    await world.run(cache.namespace("n").getOrSet("k", load));
    await world.run(cache.namespace("n").getOrSet("\u0001k", load));
    expect(keys).toEqual(["k", "k", "\u0001k"]);
  });

  test("has no stale value on a first load, and the value with its validators on a reload", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const seen: (StaleValue | undefined)[] = [];
    const options: EntryOptions = { ttl: "1s", staleIfError: "1m", etag: '"1"', lastModified: "yesterday" };
    const load = ({ stale }: { stale: StaleValue | undefined }): { page: number } => {
      seen.push(stale);
      return { page: seen.length };
    };
    await world.run(cache.getOrSet("k", load, options));
    await world.advance(3_000);
    await world.run(cache.getOrSet("k", load, options));
    expect(seen).toEqual([undefined, { value: { page: 1 }, etag: '"1"', lastModified: "yesterday", age: 3_000 }]);
  });

  test("has the stale value on an instance that did not load it", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "old", { ttl: "1s", staleIfError: "1m", etag: '"1"' }));
    await world.advance(2_000);
    const value = await world.run(b.cache.getOrSet("k", ({ stale }) => [stale?.value, stale?.etag, stale?.age]));
    expect(value).toEqual(["old", '"1"', 2_000]);
  });

  test("has a signal that fires on close", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const aborted = deferred<unknown>();
    const load = watch(
      cache.getOrSet("k", ({ signal }) => {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        return aborted.promise.then(() => Promise.reject(new Error("stopped")));
      }),
    );
    await world.advance(10);
    await cache.close();
    expect(await world.run(aborted.promise)).toBeInstanceOf(Error);
    await world.advance(0);
    expect(load.state).toBe("failed");
  });
});

describe("context.set", () => {
  test("decides for how long nobody tries again, if the load fails after that", async () => {
    const world = createWorld();
    const { cache } = world.instance({ ttl: "1s", staleIfError: "1h" });
    await world.run(cache.set("k", "old"));
    await world.advance(2_000);
    let loads = 0;
    const get = (): Promise<string> =>
      world.run(
        cache.getOrSet("k", (context): string => {
          loads++;
          context.set({ failureBackoff: "1m" });
          return context.fail("down");
        }),
      );
    expect([await get(), await get()]).toEqual(["old", "old"]);
    await world.advance(50_000);
    expect([await get(), loads]).toEqual(["old", 1]);
    await world.advance(20_000);
    expect([await get(), loads]).toEqual(["old", 2]);
  });

  test("decides any entry option while loading, over those of the call; later calls add", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(
      cache.getOrSet(
        "k",
        (context) => {
          context.set({ ttl: "1h", tags: ["a"] });
          context.set({ etag: '"2"' });
          return "v";
        },
        { ttl: "1s", tags: ["given"], lastModified: "now" },
      ),
    );
    expect(await world.run(cache.getEntry("k"))).toMatchObject({
      ttl: 3_600_000,
      tags: ["a"],
      etag: '"2"',
      lastModified: "now",
    });
  });

  test("with a wrong option fails the load with an OptionError as cause", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await world.run(
      errorOf(
        cache.getOrSet("k", (context) => {
          context.set({ ttl: "soon" } as unknown as EntryOptions);
          return "v";
        }),
      ),
    );
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", cause: { code: "ISOCACHE_OPTION" } });
  });

  test("ttl 0 keeps the value out; memory: false keeps it out of memory; store: false out of the store", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    const decide = (key: string, options: EntryOptions) =>
      world.run(
        cache.getOrSet(key, (context) => {
          context.set(options);
          return "v";
        }),
      );
    for (const [key, options] of Object.entries<EntryOptions>({
      a: { ttl: 0 },
      b: { memory: false },
      c: { store: false },
    })) {
      expect(await decide(key, options)).toBe("v");
    }
    const stored = [await world.stored("a"), await world.stored("b"), await world.stored("c")];
    expect(stored.map((entry) => entry !== undefined)).toEqual([false, true, false]);
    link.count();
    await world.run(cache.get("b"));
    expect(link.count()).toEqual({ read: 1 });
  });
});

describe("context.skip", () => {
  test("gives undefined and leaves what is stored as it is", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    await world.run(cache.set("k", "old", { ttl: "1s", staleIfError: "1h" }));
    await world.advance(2_000);
    expect(await world.run(cache.getOrSet("k", (context) => context.skip()))).toBeUndefined();
    expect(await world.run(cache.getOrSet("k", (context) => context.fail("down")))).toBe("old");
  });
});

describe("context.notModified", () => {
  const options = { ttl: "1s", staleIfError: "1h", etag: '"1"' } as const;

  test("gives the stale value a new life, here and in the store, without sending it again", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", { page: 1 }, options));
    await world.advance(2_000);
    const value = await world.run(a.cache.getOrSet("k", (context) => context.notModified(), { ...options, ttl: "1h" }));
    expect(value).toEqual({ page: 1 });
    await world.advance(60_000);
    for (const { cache } of [a, b]) {
      expect(await world.run(cache.getEntry("k"))).toMatchObject({ value: { page: 1 }, state: "fresh", etag: '"1"' });
    }
    const commit = a.link.sent.find(({ operation }) => operation === "commit");
    expect(commit?.request).toMatchObject({ entry: { keep: expect.any(String) } });
  });

  test("after an invalidation during the load, the loader runs again with nothing stale to offer", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "old", options));
    await world.advance(2_000);
    const going = deferred();
    const seen: unknown[] = [];
    const load = a.cache.getOrSet("k", async (context): Promise<string> => {
      seen.push(context.stale?.value);
      await going.promise;
      return context.stale ? context.notModified() : "new";
    });
    await world.advance(10);
    await world.run(b.cache.delete("k"));
    going.resolve();
    expect(await world.run(load)).toBe("new");
    expect(seen).toEqual(["old", undefined]);
    expect(await world.run(b.cache.get("k"))).toBe("new");
  });

  test("without a stale value fails the load", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await world.run(errorOf(cache.getOrSet("k", (context) => context.notModified())));
    expect(error).toMatchObject({ code: "ISOCACHE_LOADER", cause: { code: "ISOCACHE_OPTION" } });
  });

  test("without a store gives the value in memory a new life", async () => {
    const world = createWorld();
    const { cache } = world.instance({ store: undefined, ...options });
    await world.run(cache.set("k", "old"));
    await world.advance(2_000);
    const value = await world.run(cache.getOrSet("k", (context) => context.notModified(), { ttl: "1h" }));
    await world.advance(60_000);
    expect([value, await world.run(cache.get("k"))]).toEqual(["old", "old"]);
  });
});

describe("context.fail", () => {
  test("fails the load with the reason as cause", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const error = await world.run(errorOf(cache.getOrSet("k", (context) => context.fail("out of stock"))));
    expect(error).toMatchObject({
      code: "ISOCACHE_LOADER",
      cause: "out of stock",
      message: expect.stringContaining("out of stock"),
    });
  });
});

test("the special answers do not show in the type of the value", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  const value = cache.getOrSet("k", async (context) => {
    if (context.key === "") return context.skip();
    if (context.key === "-") return context.fail("why");
    return { page: 1 };
  });
  expectTypeOf(value).resolves.toEqualTypeOf<{ page: number }>();
  await world.run(value);
});
