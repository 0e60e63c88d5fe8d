// What a cache is to those who use it. Types only.
import type { ManyKeys } from "./calls/many.ts";
import type { Warming } from "./calls/warm.ts";
import type { Wrapping } from "./calls/wrap.ts";
import type { Loader } from "./engine/context.ts";
import type { EventName, Listener } from "./observe/events.ts";
import type { CacheStats } from "./observe/stats.ts";
import type { EntryOptions, ReadOptions } from "./options/entry.ts";
import type { TypedValidator } from "./options/validate.ts";

/** An entry as `getEntry` shows it. Durations in milliseconds. */
export interface CacheEntry<T> {
  /** As a read returns it: frozen, copied or shared as `memory.values` says. */
  readonly value: T;
  /** `stale`: past its ttl or expired, within its stale-while-revalidate window; or the store could not be asked. */
  readonly state: "fresh" | "stale";
  /** Where it was found. */
  readonly tier: "memory" | "store";
  /** Since it was stored. */
  readonly age: number;
  /** The life it was stored with; Infinity if it has no end. */
  readonly ttl: number;
  /** The tags it was stored with, without those that the cache keeps for itself. */
  readonly tags: readonly string[];
  /** Its entity tag (RFC 9110, 8.8.3), if it was stored with one. */
  readonly etag?: string;
  /** Its modification date (RFC 9110, 8.8.2), if it was stored with one. */
  readonly lastModified?: string;
}

/** Read options that say what type the value has. */
export type TypedReadOptions<T> = ReadOptions & { readonly validate: TypedValidator<T> };

/** What `cache.bind` needs of a request's context. */
export interface ExecutionContextLike {
  /** Keeps the request alive until the promise settles. Called as a method; one that throws becomes an `error` event. */
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * A cache, or a namespace of one. Keys: non-empty strings of at most 1,024 bytes of UTF-8, else a KeyError. All methods
 * work detached.
 *
 * Reads fail open: a store that is out of reach never fails a read that the loader can answer. Writes fail loud: what
 * the store did not acknowledge rejects with a StoreError, goes on being retried, and is honoured here meanwhile.
 */
export interface Cache extends ManyKeys, Wrapping, Warming {
  /**
   * The value of the key, loaded if there is none. Concurrent calls share one load, here and across instances. Rejects
   * with a LoaderError if the loader fails and nothing stale may be served. A loader that skips gives undefined.
   * Round trips: none for a hit in memory, one for a hit in the store, two for a load.
   */
  getOrSet<T>(key: string, loader: Loader<T>, options?: EntryOptions): Promise<T>;
  /**
   * The value, or undefined. A stale one is returned within its stale-while-revalidate window. `validate` says what type it
   * has.
   */
  get<T>(key: string, options: TypedReadOptions<T>): Promise<T | undefined>;
  /** The same, without a type that is checked: T is what the caller says it is. */
  get<T = unknown>(key: string, options?: ReadOptions): Promise<T | undefined>;
  /** The value and what is known of it, under the same conditions as `get`; undefined if there is none. */
  getEntry<T>(key: string, options: TypedReadOptions<T>): Promise<CacheEntry<T> | undefined>;
  /** The same, without a type that is checked. */
  getEntry<T = unknown>(key: string, options?: ReadOptions): Promise<CacheEntry<T> | undefined>;
  /** Whether `get` would find something. */
  has(key: string, options?: ReadOptions): Promise<boolean>;
  /**
   * What a strong `get` finds; and deletes the key, found or not. Rejects as `delete` does. Not atomic: concurrent pulls
   * may get the same value, and a value set between the two steps is removed unseen. Two round trips.
   */
  pull<T = unknown>(key: string): Promise<T | undefined>;
  /**
   * Stores a value. Loads under way do not overwrite it. A value that cannot be carried, or is larger than
   * `maxValueBytes`, rejects with a CodecError.
   */
  set(key: string, value: unknown, options?: EntryOptions): Promise<void>;
  /** Removes the value. Loads under way do not bring it back. */
  delete(key: string): Promise<void>;
  /** Makes the value stale as of now: it may still be served within its stale windows. */
  expire(key: string): Promise<void>;
  /** Removes every value that carries one of these tags, in one step per partition, whatever their number. */
  invalidateTags(tags: readonly string[]): Promise<void>;
  /** Makes every value that carries one of these tags stale as of now. */
  expireTags(tags: readonly string[]): Promise<void>;
  /** Removes everything in this cache or namespace. */
  clear(): Promise<void>;
  /**
   * The same cache under a prefix, with defaults and statistics of its own. A tag invalidated in a namespace reaches it and
   * what nests in it. Events and `close` are those of the whole cache.
   */
  namespace(name: string, defaults?: EntryOptions): Cache;
  /** The same cache tied to one request: work in the background goes to `ctx.waitUntil`. */
  bind(ctx: ExecutionContextLike): Cache;
  /** Calls the listener on every such event; "*": on all, with their `name`. What it throws becomes an `error` event. */
  on<Name extends EventName | "*">(event: Name, listener: Listener<Name>): void;
  /** The listener is no longer called. One that was never added is ignored. */
  off<Name extends EventName | "*">(event: Name, listener: Listener<Name>): void;
  /** Counters of this instance, since it was created. A snapshot: it does not change. */
  stats(): CacheStats;
  /** Stops everything: timers, retries, loads (by their signal). Operations reject afterwards. */
  close(): Promise<void>;
}
