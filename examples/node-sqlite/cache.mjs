// The cache: memory in this process, in front of one file that all processes of this machine share.
import { createCache } from "isocache";
import { sqliteStore } from "isocache/sql";
import { DatabaseSync } from "node:sqlite";

export const cache = createCache({
  name: "shop",
  store: sqliteStore(new DatabaseSync(process.env.CACHE_FILE ?? "cache.db")),
  ttl: "1m",
  maxStaleness: "1s", // what is invalidated in one process is gone in all of them after this long
  lease: "2s", // when the process that loads dies, another takes over after this long
});
