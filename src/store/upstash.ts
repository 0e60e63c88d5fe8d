// isocache/upstash: a store in Upstash Redis, and a bus over it, by its REST API.
import { base64Transport } from "../bus/base64.ts";
import type { Bus } from "../bus/contract.ts";
import { createBus } from "../bus/create.ts";
import type { BusOptions } from "../bus/options.ts";
import type { Store } from "./contract.ts";
import { isClient, restWay } from "./redis/rest-address.ts";
import type { RestClient } from "./redis/rest-client.ts";
import { restStore } from "./redis/rest-store.ts";
import type { RestStoreAddress } from "./redis/rest-address.ts";
import type { RestStoreOptions } from "./redis/rest-store.ts";

export type { RestClient } from "./redis/rest-client.ts";
export type { RestStoreAddress } from "./redis/rest-address.ts";
export type { RestStoreOptions } from "./redis/rest-store.ts";
export type { RedisStoreOptions } from "./redis/store-over.ts";

/** What is used of `Redis` of `@upstash/redis`. */
export type UpstashClient = RestClient;

/** Options of `upstashStore` with a client. */
export type UpstashClientOptions = RestStoreOptions;

/** Options of `upstashStore`. */
export interface UpstashStoreOptions extends RestStoreAddress, RestStoreOptions {}

const PLACE = {
  urlVariable: "UPSTASH_REDIS_REST_URL",
  tokenVariable: "UPSTASH_REDIS_REST_TOKEN",
};
const NAMES = { ...PLACE, kind: "upstash", title: "upstashStore" };

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

/** Options of `upstashBus` with an address. */
export interface UpstashBusOptions extends RestStoreAddress, BusOptions {}

/**
 * A bus over Pub/Sub of Upstash Redis: publishes with one command, and listens to an event stream where connections outlive
 * requests. For a cache whose store is something else; `upstashStore` with `bus: true` is its own bus. Without `url` or `token` it
 * reads the variables that `upstashStore` reads. Takes the options of every bus; throws an OptionError for a wrong one.
 */
export function upstashBus(options?: UpstashBusOptions): Bus;
/** The same over a client that the application has already: it publishes, and listens to nothing. */
export function upstashBus(client: UpstashClient, options?: BusOptions): Bus;
export function upstashBus(given: UpstashClient | UpstashBusOptions = {}, more: BusOptions = {}): Bus {
  const open = restWay({ ...PLACE, kind: "upstash", title: "upstashBus" }, given);
  const { url: _, token: __, ...options }: UpstashBusOptions = isClient(given) ? more : given;
  return createBus("upstash", (transport) => base64Transport(open(transport.platform))(transport), options);
}
