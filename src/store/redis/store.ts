// redisStore: a full store in Redis, over the client that the user has.
import { OptionError } from "../../errors.ts";
import type { Store } from "../contract.ts";
import { ioredisTransport } from "./ioredis.ts";
import type { IoredisClient } from "./ioredis.ts";
import { nodeRedisTransport } from "./node-redis.ts";
import type { NodeRedisClient } from "./node-redis.ts";
import { storeOver } from "./store-over.ts";
import type { RedisStoreOptions } from "./store-over.ts";
import { textClientTransport } from "./text-client.ts";
import type { TextClient } from "./text-client.ts";
import type { RedisTransport } from "./transport.ts";

/** A client of ioredis, of node-redis (5 or later, connected by its owner), or Bun's `RedisClient`. */
export type RedisClient = IoredisClient | NodeRedisClient | TextClient;

function transportOf(client: RedisClient): RedisTransport {
  const has = (method: string): boolean => typeof (Object(client) as Record<string, unknown>)[method] === "function";
  // Told apart by what each alone has; the types of the methods follow.
  if (has("callBuffer")) return ioredisTransport(client as IoredisClient);
  if (has("sendCommand")) return nodeRedisTransport(client as NodeRedisClient);
  if (has("send") && has("duplicate")) return textClientTransport(client as TextClient);
  throw new OptionError("redisStore: client is none of a client of ioredis, one of node-redis, and a RedisClient");
}

/**
 * A store in Redis (6.2 or later) or Valkey, over a client that its owner connects and ends. All instances with the same
 * Redis, prefix and cache name share it. An operation is one command, a script; it rejects with a StoreError if Redis fails
 * or refuses. Entries have their expiry in Redis. May be made at module scope; throws an OptionError for a wrong option.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  const transport = transportOf(client);
  return storeOver("redis", () => transport, options);
}
