// redisStore: a full store in Redis, over the client that the user has.
import type { Store } from "../contract.ts";
import { transportOf } from "./clients.ts";
import type { RedisClient } from "./clients.ts";
import { storeOver } from "./store-over.ts";
import type { RedisStoreOptions } from "./store-over.ts";

/**
 * A store in Redis (6.2 or later) or Valkey, over a client that its owner connects and ends. All instances with the same
 * Redis, prefix and cache name share it. An operation is one command, a script; it rejects with a StoreError if Redis fails
 * or refuses. Entries have their expiry in Redis. May be made at module scope; throws an OptionError for a wrong option.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  const transport = transportOf(client);
  return storeOver("redis", () => transport, options);
}
