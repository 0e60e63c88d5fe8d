// The facade: checks what users give, resolves options, and delegates to the engine.
import { warmWith, type Warming } from "./calls/warm.ts";
import { wrapWith, type Wrapping } from "./calls/wrap.ts";
import { jsonCodec } from "./codec/json.ts";
import { give } from "./codec/walk.ts";
import { defaultPlatform } from "./default-platform.ts";
import type { Loader } from "./engine/context.ts";
import { eagerFrom, isValid, type Copy } from "./engine/copy.ts";
import { createEngine, report, viewOf, type Engine, type RequestScope } from "./engine/engine.ts";
import { child, ROOT, scopedTag, storedKey, userKey, userTags, type Scope } from "./engine/names.ts";
import { countHit, read, type Found } from "./engine/read.ts";
import type { Reader } from "./engine/reader.ts";
import { setValue } from "./engine/set.ts";
import { writeKey, writeTags } from "./engine/write.ts";
import { KeyError } from "./errors.ts";
import { createMemoryTier } from "./memory/tier.ts";
import { createEmitter, type EventName, type Listener } from "./observe/events.ts";
import { logTo } from "./observe/log.ts";
import type { CacheStats } from "./observe/stats.ts";
import { resolveCache, type CacheOptions } from "./options/cache.ts";
import { resolveEntry, resolveRead, type EntryOptions, type ReadOptions, type ResolvedEntry } from "./options/entry.ts";
import { isName, NAME, parseTags } from "./options/names.ts";
import { having, refuse } from "./options/parse.ts";
import type { TypedValidator } from "./options/validate.ts";
import { FOREVER } from "./store/contract.ts";

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
export interface Cache extends Wrapping, Warming {
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
   * The same cache under a prefix, with defaults of its own. A tag invalidated in a namespace reaches it and what nests
   * in it. Events, statistics and `close` are those of the whole cache.
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

/** What a facade is made of: one engine, seen from one namespace and one request. */
interface Part {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly defaults: ResolvedEntry;
  readonly request: RequestScope;
}

/**
 * Makes a cache. Does no I/O, reads no clock and sets no timer: it may be called at module scope. Throws an OptionError
 * that names what is wrong.
 */
export function createCache(options: CacheOptions = {}): Cache {
  const resolved = resolveCache(options);
  const platform = resolved.platform ?? defaultPlatform();
  const events = createEmitter();
  if (resolved.logger) logTo(resolved.logger, resolved.name, events);
  const engine = createEngine({
    ...resolved,
    platform,
    events,
    codec: resolved.codec ?? jsonCodec(),
    store: resolved.store?.connect({ name: resolved.name, platform }),
    tier: createMemoryTier<Copy>({
      maxBytes: resolved.maxBytes ?? platform.memoryBytes,
      maxEntries: resolved.maxEntries,
      onEvict: ({ key }, cause) => events.emit("evict", { key: userKey(key), cause }),
    }),
  });
  return createPart({
    engine,
    scope: ROOT,
    defaults: resolved.entry,
    request: { waitUntil: platform.waitUntil, holds: [] },
  });
}

function createPart(part: Part): Cache {
  const { engine, scope, defaults, request } = part;
  const { events, counters, tier } = engine;

  const keyOf = (key: string): string => (isName(key) ? storedKey(scope, key) : refuse("key", key, NAME, KeyError));

  const find = (
    name: string,
    loader: Loader<unknown> | undefined,
    options: ResolvedEntry,
  ): Promise<Found | undefined> => {
    const key = keyOf(name);
    const startedAt = engine.clock();
    const boundMs = options.strong ? 0 : engine.maxStalenessMs;
    const reader: Reader = {
      scope,
      key,
      name,
      view: viewOf(engine, key),
      request,
      options,
      loader,
      tick: ++engine.tick,
      startedAt,
      needAt: engine.store === undefined ? -Infinity : startedAt - boundMs,
    };
    return read(engine, reader);
  };

  const lookUp = async (name: string, options: ReadOptions | undefined): Promise<Found | undefined> =>
    find(name, undefined, resolveRead(defaults, options));

  /**
   * The hit that costs a map look-up: in memory, fresh, valid and proved. Of the options it looks at no more than it
   * needs: wrong ones were refused when the value was loaded.
   */
  const hit = (name: string, given: EntryOptions | undefined): Copy | undefined => {
    if (typeof name !== "string" || !(given?.memory ?? defaults.memory)) return undefined;
    if ((given?.signal ?? defaults.signal)?.aborted) return undefined;
    if (given?.consistency === undefined ? defaults.strong : given.consistency !== "eventual") return undefined;
    const copy = tier!.get(storedKey(scope, name))?.item; // createCache makes one
    if (copy === undefined || copy.view.pending.length > 0 || engine.closed || !isValid(copy)) return undefined;
    const now = engine.clock();
    if (now >= copy.freshUntil || now >= copy.memoryUntil) return undefined;
    if (now >= eagerFrom(copy, given?.eagerRefresh ?? defaults.eagerRefresh)) return undefined;
    const provedAt = Math.max(copy.provedAt, copy.view.provedAt);
    return provedAt >= now - engine.maxStalenessMs ? copy : undefined;
  };

  const load = async <T>(name: string, loader: Loader<T>, given: EntryOptions | undefined): Promise<T> => {
    if (typeof loader !== "function") refuse("loader", loader, "a function");
    return valueOf(await find(name, loader, resolveEntry(defaults, given)));
  };

  const write = async (kind: "delete" | "expire", key: string): Promise<void> =>
    void (await writeKey(engine, request, { kind, key: keyOf(key) }));

  const remove = (key: string): Promise<void> => write("delete", key);

  const writeAll = async (kind: "tags" | "expireTags", tags: readonly string[]): Promise<void> =>
    writeTags(engine, request, { kind, tags: parseTags("tags", tags).map((tag) => scopedTag(scope, tag)) });

  const set = async (name: string, value: unknown, given: EntryOptions | undefined): Promise<void> =>
    setValue(engine, { request, scope, name, key: keyOf(name), given: resolveEntry(defaults, given) }, value);

  const getOrSet = <T>(key: string, loader: Loader<T>, given?: EntryOptions): Promise<T> => {
    const copy = hit(key, given);
    if (copy === undefined) return load(key, loader, given);
    countHit(engine, key, "memory", "fresh", 0);
    return Promise.resolve(give(copy.held) as T); // what is kept under a key is what its loader made
  };

  return {
    getOrSet,
    async get<T>(key: string, options?: ReadOptions) {
      return valueOf<T>(await lookUp(key, options));
    },
    async getEntry<T>(key: string, options?: ReadOptions) {
      const found = await lookUp(key, options);
      if (found === undefined) return undefined;
      const { ttlMs, storedAt, tags, etag, lastModified } = found.copy;
      return {
        value: valueOf<T>(found),
        state: found.state,
        tier: found.tier as CacheEntry<T>["tier"], // not a loader, since none was given
        age: engine.clock() - storedAt,
        ttl: ttlMs === FOREVER ? Infinity : ttlMs,
        tags: userTags(scope, tags),
        ...(etag !== undefined && { etag }),
        ...(lastModified !== undefined && { lastModified }),
      };
    },
    has: async (key, options) => (await lookUp(key, options)) !== undefined,
    async pull<T>(key: string) {
      // Where there is no store to ask, memory knows.
      const found = await find(key, undefined, { ...defaults, strong: engine.store !== undefined && defaults.store });
      await remove(key);
      return valueOf<T | undefined>(found);
    },
    set,
    delete: remove,
    expire: (key) => write("expire", key),
    invalidateTags: (tags) => writeAll("tags", tags),
    expireTags: (tags) => writeAll("expireTags", tags),
    clear: () => writeTags(engine, request, { kind: "tags", tags: scope.reserved.slice(-1) }),
    namespace(name, given) {
      if (!isName(name)) refuse("namespace", name, NAME);
      return createPart({ ...part, scope: child(scope, name), defaults: resolveEntry(defaults, given) });
    },
    bind(ctx) {
      having("waitUntil")("ctx", ctx);
      const waitUntil = (promise: Promise<unknown>): void => {
        try {
          ctx.waitUntil(promise); // as a method: detached it throws on Workers
        } catch (error) {
          report(engine, "waitUntil", error); // the request is over: the work goes on as long as the runtime lets it
        }
      };
      return createPart({ ...part, request: { waitUntil, holds: [] } });
    },
    wrap: wrapWith({ getOrSet, remove, check: (given) => void resolveEntry(defaults, given) }),
    warm: warmWith({ getOrSet, report: (error, key) => report(engine, "warm", error, key) }),
    on: events.on,
    off: events.off,
    stats() {
      const { memoryHits: memory, storeHits: store, ...counts } = counters;
      const { bytes, entries } = tier!; // createCache makes one
      return { hits: { memory, store }, ...counts, bytes, entries };
    },
    async close() {
      if (engine.closed) return;
      engine.closed = true;
      for (const stop of [...engine.stops]) stop(); // a copy: what one ends may begin another
      tier!.clear(); // the same
      await engine.store?.close();
    },
  };
}

/** What a reader gets. What is kept under a key is what its loader made, or what the caller says it is. */
const valueOf = <T>(found: Found | undefined): T => (found && give(found.copy.held)) as T;
