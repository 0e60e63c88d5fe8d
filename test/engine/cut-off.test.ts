// Requests cut off while they invalidate, ask the log, retry or reload in the background: others go on in their place (P6).
import { describe, expect, test } from "vitest";
import { createRequests } from "./requests.ts";
import { createWorld, errorOf, watch } from "./world.ts";
import type { CacheOptions } from "../../src/index.ts";

describe.each([true, false])("where promises wake across requests: %s", (crossRequestPromises) => {
  const createWorker = (options: CacheOptions = {}) => {
    const world = createWorld();
    const requests = createRequests(world.platform);
    const { listener, sleep, start } = requests;
    const platform = { ...requests.platform, crossRequestPromises };
    const worker = world.instance({ platform, ...options }, { listener });
    return { world, worker, sleep, start, other: world.instance() };
  };

  describe("a request that is cut off", () => {
    test.each(["delete", "set", "invalidateTags", "clear"] as const)(
      "in mid-%s leaves no key poisoned: others of its instance wait once, then go on with the write",
      async (what) => {
        const { world, worker, start, other } = createWorker();
        await world.run(worker.cache.set("k", "old", { ttl: "1h", tags: ["t"] }));
        const { cache } = worker;
        const write = {
          delete: () => cache.delete("k"),
          set: () => cache.set("k", "unseen"),
          invalidateTags: () => cache.invalidateTags(["t"]),
          clear: () => cache.clear(),
        };
        worker.link.once("write", "hang");
        const first = start();
        const asked = watch(first.run(write[what]));
        await world.advance(10);
        first.kill();
        const read = (value: string) => start().run(() => cache.getOrSet("k", () => value, { tags: ["t"] }));
        const startedAt = world.platform.monotonic();
        expect(await world.run(read("second"))).toBe("second");
        expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(2_000);
        await world.advance(1_000);
        expect(await world.run(read("third"))).toBe("third");
        worker.link.count();
        expect(await world.run(read("fourth"))).toBe("third");
        expect(worker.link.count()).toEqual({});
        expect(await world.run(other.cache.get("k"))).toBe("third");
        expect(asked.state).toBe("pending");
      },
    );

    test("while it asks the log delays one other reader by a time-out at most", async () => {
      const { world, worker, start } = createWorker();
      await world.run(worker.cache.set("k", "v", { ttl: "1h" }));
      await world.advance(6_000);
      worker.link.once("changesSince", "hang");
      const first = start();
      void first.run(() => worker.cache.get("k"));
      await world.advance(10);
      first.kill();
      const startedAt = world.platform.monotonic();
      for (let index = 0; index < 5; index++) {
        expect(await world.run(start().run(() => worker.cache.get("k")))).toBe("v");
      }
      expect(world.platform.monotonic() - startedAt).toBeLessThanOrEqual(1_000);
    });

    test("while it reloads in the background is replaced by the next one that gets the stale value", async () => {
      const { world, worker, start, sleep } = createWorker({ ttl: "1s", staleWhileRevalidate: "1h" });
      const { cache } = worker;
      await world.run(cache.set("k", "old"));
      await world.advance(2_000);
      const first = start();
      expect(await first.run(() => cache.getOrSet("k", () => sleep(1_000).then(() => "never")))).toBe("old");
      await world.advance(100);
      first.kill();
      await world.advance(3_000);
      const startedAt = world.platform.monotonic();
      expect(await start().run(() => cache.getOrSet("k", () => "new"))).toBe("old");
      expect(world.platform.monotonic()).toBe(startedAt);
      await world.advance(10);
      expect(await start().run(() => cache.get("k"))).toBe("new");
    });

    test("after its time-out but before the retry leaves the retry to others", async () => {
      const { world, worker, start, other } = createWorker();
      await world.run(worker.cache.set("k", "old"));
      worker.link.once("write", "fail");
      const first = start();
      await world.run(first.run(() => errorOf(worker.cache.delete("k"))));
      expect(await world.run(start().run(() => worker.cache.get("k")))).toBeUndefined();
      await world.advance(10_000);
      expect(await world.run(other.cache.get("k"))).toBeUndefined();
    });

    test("before the retry leaves it to the next requests, however short they are", async () => {
      const { world, worker, start, other } = createWorker();
      await world.run(worker.cache.set("k", "old"));
      worker.link.once("write", "fail");
      const first = start();
      await world.run(first.run(() => errorOf(worker.cache.delete("k"))));
      first.kill();
      await world.advance(5_000);
      const next = start();
      expect(await world.run(next.run(() => worker.cache.getOrSet("k", () => "new")))).toBe("new");
      next.kill();
      await world.advance(1_000);
      expect(await world.run(other.cache.get("k"))).toBeUndefined();
    });
  });
});
