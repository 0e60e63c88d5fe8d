// The cache: memory in this isolate, in front of a database that all isolates of all regions share.
import { createCache } from "isocache";
import { upstashStore } from "isocache/upstash";

export const cache = createCache({
  name: "shop",
  store: upstashStore(), // UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, read with the first request
  ttl: "1m",
  maxStaleness: "1s", // what is invalidated anywhere is gone everywhere after this long
});
