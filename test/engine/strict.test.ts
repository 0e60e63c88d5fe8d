// Strict mode (onStoreError: "throw"): a read that needs the store fails with it; one that does not, does not.
import { describe, expect, test } from "vitest";
import type { Cache, CacheOptions } from "../../src/index.ts";
import { createWorld, errorOf } from "./world.ts";

const strict = (options: CacheOptions = {}) => {
  const world = createWorld();
  return { world, ...world.instance({ onStoreError: "throw", ttl: "1h", ...options }) };
};

const READS: Record<string, (cache: Cache) => Promise<unknown>> = {
  getOrSet: (cache) => cache.getOrSet("k", () => expect.fail("loaded")),
  get: (cache) => cache.get("k"),
  getEntry: (cache) => cache.getEntry("k"),
  has: (cache) => cache.has("k"),
};

describe.each(Object.entries(READS))("%s", (_, read) => {
  test.each(["fail", "hang"] as const)(
    "rejects with the StoreError if the store is to answer, but does %s",
    async (how) => {
      const { world, cache, link, errors } = strict();
      link.always("all", how);
      expect(await world.run(errorOf(read(cache)))).toMatchObject({ name: "StoreError", code: "ISOCACHE_STORE" });
      expect(errors).toMatchObject([{ operation: "read", key: "k" }]);
    },
  );

  test("serves no memory that cannot be checked, whatever its stale windows", async () => {
    const { world, cache, link } = strict({ staleWhileRevalidate: "1h", staleIfError: "1h" });
    await world.run(cache.set("k", "v"));
    link.always("all", "fail");
    await world.advance(5_000);
    expect(await world.run(cache.get("k"))).toBe("v"); // still proved
    await world.advance(1);
    expect(await world.run(errorOf(read(cache)))).toMatchObject({ code: "ISOCACHE_STORE" });
    link.heal();
    await world.advance(1_001);
    expect(await world.run(cache.get("k"))).toBe("v");
  });

  test("rejects while an own delete has not reached the store, and finds nothing once it has", async () => {
    const { world, cache, link } = strict();
    await world.run(cache.set("k", "v"));
    link.always("write", "fail");
    await world.run(errorOf(cache.delete("k")));
    expect(await world.run(errorOf(read(cache)))).toMatchObject({ code: "ISOCACHE_STORE" });
    link.heal();
    await world.advance(10_000);
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(await world.run(cache.getOrSet("k", () => "loaded"))).toBe("loaded");
  });

  test("rejects at once while the breaker is open", async () => {
    const { world, cache, link } = strict({ storeBreaker: { failures: 1 } });
    link.always("all", "hang");
    await world.run(errorOf(read(cache)));
    const startedAt = world.platform.monotonic();
    link.count();
    expect(await world.run(errorOf(read(cache)))).toMatchObject({ name: "StoreError", code: "ISOCACHE_STORE" });
    expect(world.platform.monotonic()).toBe(startedAt);
    expect(link.count()).toEqual({});
  });
});

test("a proved value is served stale as always; the reload behind it fails and is told, and is no unhandled rejection", async () => {
  const { world, cache, link, errors } = strict({ ttl: "1s", staleWhileRevalidate: "1h" });
  await world.run(cache.set("k", "v"));
  link.always("all", "fail");
  await world.advance(2_000);
  expect(await world.run(cache.getOrSet("k", () => "w"))).toBe("v");
  await world.advance(10);
  expect(errors).toMatchObject([{ operation: "read", key: "k" }]);
});

test("a strong read rejects, although memory has the value", async () => {
  const { world, cache, link } = strict({ staleIfError: "1h" });
  await world.run(cache.set("k", "v"));
  link.always("all", "fail");
  expect(await world.run(errorOf(cache.get("k", { consistency: "strong" })))).toMatchObject({ code: "ISOCACHE_STORE" });
});

test("a value that was loaded is returned, though its commit fails", async () => {
  const { world, cache, link, errors } = strict();
  link.always("commit", "fail");
  expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
  expect(errors).toMatchObject([{ operation: "commit" }]);
});

test("a failing loader is no failing store: staleIfError holds", async () => {
  const { world, cache } = strict({ staleIfError: "1h" });
  await world.run(cache.set("k", "v"));
  await world.run(cache.expire("k"));
  expect(await world.run(cache.getOrSet("k", () => Promise.reject(new Error("origin"))))).toBe("v");
});

test("what needs no store, does not fail with it", async () => {
  const { world, cache, link } = strict();
  link.always("all", "fail");
  expect(await world.run(cache.getOrSet("k", () => "v", { store: false }))).toBe("v");
  const local = world.instance({ onStoreError: "throw", store: undefined });
  expect(await world.run(local.cache.getOrSet("k", () => "v"))).toBe("v");
});

test("anything but load or throw is refused", () => {
  const options = { onStoreError: "ignore" } as unknown as CacheOptions;
  expect(() => createWorld().instance(options)).toThrow(/^onStoreError: "ignore" is not "load" or "throw"/);
});
