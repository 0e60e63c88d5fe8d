// isocache/redis: a store in Redis or Valkey, and a bus over it, with the client that you have.
export { redisStore } from "./redis/store.ts";
export { redisBus } from "../bus/redis.ts";
export type { RedisClient } from "./redis/clients.ts";
export type { RedisStoreOptions } from "./redis/store-over.ts";
export type { Emitter } from "./redis/losses.ts";
export type { IoredisClient, IoredisSubscriber } from "./redis/ioredis.ts";
export type { NodeRedisClient, NodeRedisCluster, NodeRedisSubscriber } from "./redis/node-redis.ts";
export type { Handler, TextClient, TextSubscriber } from "./redis/text-client.ts";
