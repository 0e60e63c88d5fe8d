// redisBus: Pub/Sub of Redis, over the client that the user has.
import { transportOf } from "../store/redis/clients.ts";
import type { RedisClient } from "../store/redis/clients.ts";
import { base64Transport } from "./base64.ts";
import type { Bus } from "./contract.ts";
import { createBus } from "./create.ts";
import type { BusOptions } from "./options.ts";

/**
 * A bus over Pub/Sub of Redis or Valkey, for a cache whose store is something else, or none; `redisStore` is its own bus. It
 * publishes over the client that is given, and listens over a duplicate of it that is opened when first needed, shared by
 * all caches on that client, and ended by the last `close`. Takes the options of every bus; throws an OptionError for a wrong
 * one. Without options, and with the client of the cache's own `redisStore`, there is nothing to do for it.
 */
export function redisBus(client: RedisClient, options: BusOptions = {}): Bus {
  const over = transportOf(client);
  const bus = createBus("redis", base64Transport(over), options);
  return Object.keys(options).length > 0 ? bus : { ...bus, over };
}
