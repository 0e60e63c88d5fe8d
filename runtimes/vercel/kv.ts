// isocache/vercel-kv: a store in Vercel KV, and in the Upstash databases that it became.
import type { Store } from "../../src/store/contract.ts";
import type { RestClient } from "../../src/store/redis/rest-client.ts";
import { restStore } from "../../src/store/redis/rest-store.ts";
import type { RestStoreAddress } from "../../src/store/redis/rest-address.ts";
import type { RestStoreOptions } from "../../src/store/redis/rest-store.ts";

export type { RestClient } from "../../src/store/redis/rest-client.ts";
export type { RestStoreAddress } from "../../src/store/redis/rest-address.ts";
export type { RestStoreOptions } from "../../src/store/redis/rest-store.ts";
export type { RedisStoreOptions } from "../../src/store/redis/store-over.ts";

/** What is used of `kv`, and of what `createClient` of `@vercel/kv` gives. */
export type VercelKvClient = RestClient;

/** Options of `vercelKvStore` with a client. */
export type VercelKvClientOptions = RestStoreOptions;

/** Options of `vercelKvStore`. */
export interface VercelKvStoreOptions extends RestStoreAddress, RestStoreOptions {}

const NAMES = {
  kind: "vercel-kv",
  title: "vercelKvStore",
  urlVariable: "KV_REST_API_URL",
  tokenVariable: "KV_REST_API_TOKEN",
};

/**
 * A store in Vercel KV, over HTTP. The same as `upstashStore`, and what one of them stored the other finds; it reads
 * `KV_REST_API_URL` and `KV_REST_API_TOKEN` when it is first used, unless `url` and `token` are given. A missing one is an
 * OptionError of each operation. May be made at module scope.
 */
export function vercelKvStore(options?: VercelKvStoreOptions): Store;
/** The same over a client that the application has already. Values that are no UTF-8 are up to twice as long on their way. */
export function vercelKvStore(client: VercelKvClient, options?: VercelKvClientOptions): Store;
export function vercelKvStore(
  given: VercelKvClient | VercelKvStoreOptions = {},
  options: VercelKvClientOptions = {},
): Store {
  return restStore(NAMES, given, options);
}
