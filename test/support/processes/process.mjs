// A process of its own with a cache on a SQLite file or on Redis. It does what its parent sends and answers with what came of it.
import { createCache } from "../../../src/index.ts";

const [place = ""] = process.argv.slice(2);

async function makeStore() {
  if (!place.startsWith("redis:")) {
    const { DatabaseSync } = await import("node:sqlite");
    const { sqliteStore } = await import("../../../src/store/sql.ts");
    return sqliteStore(new DatabaseSync(place));
  }
  const { Redis } = await import("ioredis");
  const { redisStore } = await import("../../../src/store/redis.ts");
  const redis = new Redis(place, { retryStrategy: () => 50 });
  redis.on("error", () => undefined); // the cache reports what it could not do
  return redisStore(redis);
}

const cache = createCache({
  name: "shop",
  store: await makeStore(),
  ttl: "1m",
  lease: "1s",
  maxStaleness: "200ms",
});
cache.on("error", ({ operation, error }) => process.send?.({ error: `${operation}: ${String(error)}` }));

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a parent may ask for, by name. */
const tasks = {
  ready: async () => true,
  get: async ({ key }) => cache.get(key),
  /** Loads what is missing in `ms`; tells the parent when the loader begins. */
  load: ({ key, ms, tags }) =>
    cache.getOrSet(
      key,
      async () => {
        process.send?.({ loading: key });
        await sleep(ms);
        return process.pid;
      },
      { tags },
    ),
  /** As many callers at once; gives what they got, and how often the loader ran here. */
  crowd: async ({ key, callers, ms }) => {
    const before = cache.stats().loads;
    const call = () => tasks.load({ key, ms });
    const values = await Promise.all(Array.from({ length: callers }, call));
    return { values: [...new Set(values)], loads: cache.stats().loads - before };
  },
  /**
   * Reads keys without pause until the time is over. A value is the instant at which its load began; gives when each read
   * began and what it got, and the reads that failed.
   */
  steady: async ({ keys, ms }) => {
    const reads = [];
    const failed = [];
    const endAt = Date.now() + ms;
    while (Date.now() < endAt) {
      for (const key of keys) {
        const at = Date.now();
        const load = async () => {
          const value = Date.now();
          await sleep(5);
          return value;
        };
        await cache.getOrSet(key, load).then(
          (value) => reads.push([key, at, value]),
          (error) => failed.push(String(error)),
        );
      }
      await sleep(1);
    }
    return { reads, failed };
  },
  delete: ({ key }) => cache.delete(key),
  invalidate: ({ tags }) => cache.invalidateTags(tags),
  /** Polls until the value is another one; gives how long that took. */
  changed: async ({ key, from, ms }) => {
    const startedAt = Date.now();
    while ((await cache.get(key)) === from && Date.now() - startedAt < ms) await sleep(2);
    return Date.now() - startedAt;
  },
  /** Loads, sets and invalidates without pause until the time is over, or the process is killed. */
  churn: async ({ seed, ms }) => {
    const startedAt = Date.now();
    for (let step = seed; Date.now() - startedAt < ms; step += 7) {
      const key = `churn${step % 50}`;
      if (step % 5 === 0) await cache.set(key, "x".repeat((step * 37) % 20_000), { tags: [`tag${step % 3}`] });
      else if (step % 11 === 0) await cache.invalidateTags([`tag${step % 3}`]);
      else if (step % 13 === 0) await cache.delete(key);
      else await cache.getOrSet(key, () => step);
    }
    return cache.stats().errors;
  },
};

process.on("message", async ({ id, task, ...request }) => {
  try {
    process.send?.({ id, result: await tasks[task](request) });
  } catch (error) {
    process.send?.({ id, failed: String(error) });
  }
});
