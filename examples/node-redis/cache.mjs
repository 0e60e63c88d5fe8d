// The cache: memory in this process, in front of a Redis that all servers share.
import { createCache } from "isocache";
import { redisStore } from "isocache/redis";
import { Redis } from "ioredis";

export const redis = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", {
  enableOfflineQueue: false, // while Redis is away prices come from the origin at once
  maxRetriesPerRequest: 0,
});
redis.on("error", ({ message }) => console.error(`Redis: ${message}`));

export const cache = createCache({
  name: process.env.CACHE_NAME ?? "prices",
  store: redisStore(redis),
  ttl: "1m",
  maxStaleness: "1s", // what one server changes is seen by the other after this long
  staleIfError: "1h", // while the origin is down, old prices are better than none
});
