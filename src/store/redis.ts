// isocache/redis: what users of Redis import.
export { redisStore } from "./redis/store.ts";
export type { RedisClient, RedisStoreOptions } from "./redis/store.ts";
