// isocache/redis: a store in Redis or Valkey, over the client that you have.
export { redisStore } from "./redis/store.ts";
export type { RedisClient } from "./redis/store.ts";
export type { RedisStoreOptions } from "./redis/store-over.ts";
export type { Emitter } from "./redis/losses.ts";
export type { IoredisClient, IoredisSubscriber } from "./redis/ioredis.ts";
export type { NodeRedisClient, NodeRedisCluster, NodeRedisSubscriber } from "./redis/node-redis.ts";
export type { Handler, TextClient, TextSubscriber } from "./redis/text-client.ts";
