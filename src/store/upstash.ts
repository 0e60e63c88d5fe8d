// isocache/upstash: a store in Upstash Redis, over its REST API.
import type { Store } from "./contract.ts";
import type { RestClient } from "./redis/rest-client.ts";
import { restStore } from "./redis/rest-store.ts";
import type { RestStoreAddress, RestStoreOptions } from "./redis/rest-store.ts";

export type { RestClient } from "./redis/rest-client.ts";
export type { RestStoreAddress, RestStoreOptions } from "./redis/rest-store.ts";
export type { RedisStoreOptions } from "./redis/store-over.ts";

/** What is used of `Redis` of `@upstash/redis`. */
export type UpstashClient = RestClient;

/** Options of `upstashStore` with a client. */
export type UpstashClientOptions = RestStoreOptions;

/** Options of `upstashStore`. */
export interface UpstashStoreOptions extends RestStoreAddress, RestStoreOptions {}

const NAMES = {
  kind: "upstash",
  title: "upstashStore",
  urlVariable: "UPSTASH_REDIS_REST_URL",
  tokenVariable: "UPSTASH_REDIS_REST_TOKEN",
};

/**
 * A store in Upstash Redis, over HTTP: on every runtime, with nothing to install. An operation is one command, a
 * script that locks its keys alone; all instances with the same database, prefix and cache name share what is stored. Without `url` or `token`, it reads
 * `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` when it is first used; a missing one is an OptionError of each
 * operation. May be made at module scope. An operation rejects with a StoreError if the database fails, refuses or is out
 * of reach, after at most four tries within the cache's `storeTimeout`.
 */
export function upstashStore(options?: UpstashStoreOptions): Store;
/** The same over a client that the application has already. Values that are no UTF-8 are up to twice as long on their way. */
export function upstashStore(client: UpstashClient, options?: UpstashClientOptions): Store;
export function upstashStore(
  given: UpstashClient | UpstashStoreOptions = {},
  options: UpstashClientOptions = {},
): Store {
  return restStore(NAMES, given, options);
}
