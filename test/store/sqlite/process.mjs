// A process of its own with a cache on a SQLite file. It does what its parent sends and answers with what came of it.
import { DatabaseSync } from "node:sqlite";
import { createCache } from "../../../src/index.ts";
import { sqliteStore } from "../../../src/store/sql.ts";

const [path = ""] = process.argv.slice(2);
const cache = createCache({
  name: "shop",
  store: sqliteStore(new DatabaseSync(path)),
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
