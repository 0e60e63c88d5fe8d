// Partition 0 forgets how many there are, and the others do not: who is set alike never disagrees, and nobody does for long.
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache } from "../../../src/index.ts";
import type { Cache } from "../../../src/index.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { clientOf, ownRedis } from "./harness.ts";
import { whyNoRedis } from "./servers.ts";

const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`);

/** One who has used all partitions, and one who comes after partition 0 has lost its metadata. */
async function meet(name: string, url: string, early: number, late: number): Promise<readonly [Cache, Cache]> {
  const open = (partitions: number): Cache => {
    const cache = createCache({ name, store: redisStore(clientOf(url), { partitions }), consistency: "strong" });
    onTestFinished(() => cache.close());
    return cache;
  };
  const first = open(early);
  await first.setMany(keys.map((key) => ({ key, value: "old" })));
  await clientOf(url).del(`isocache:1:{${name}:0}:m`);
  return [first, open(late)];
}

describe.skipIf(whyNoRedis !== undefined)("partition 0 of a Redis loses its metadata alone", () => {
  test("those who are set to the same number go on with it", async () => {
    const { url } = await ownRedis();
    for (const key of keys) {
      const [first, second] = await meet(key, url, 4, 4);
      expect(await second.getOrSet(key, () => "loaded")).toMatch(/old|loaded/);
      await first.delete(key);
      expect(await second.get(key)).toBe(undefined);
    }
  });

  test("those who are set to different numbers agree again with the first invalidation that concerns all partitions", async () => {
    const { url } = await ownRedis();
    for (const [round, key] of keys.entries()) {
      const [first, second] = await meet(key, url, 4, 8);
      const [one, other] = round % 2 === 0 ? [first, second] : [second, first];
      await second.getOrSet(key, () => "loaded");
      await one.invalidateTags(["any"]);
      await one.set(key, "new");
      expect(await other.get(key)).toBe("new");
      await other.delete(key);
      expect(await one.get(key)).toBe(undefined);
    }
  });
});
