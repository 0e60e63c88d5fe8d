// The facade: checks what users give, resolves options, and delegates to the engine.
import { manyWith } from "./calls/many.ts";
import type { Cache, CacheEntry } from "./cache-types.ts";
import { warmWith } from "./calls/warm.ts";
import { wrapWith } from "./calls/wrap.ts";
import { jsonCodec } from "./codec/json.ts";
import { give } from "./codec/walk.ts";
import { defaultPlatform } from "./default-platform.ts";
import type { Loader } from "./engine/context.ts";
import { eagerFrom, isValid, type Copy } from "./engine/copy.ts";
import { createEngine, report, viewOf, type Engine, type RequestScope } from "./engine/engine.ts";
import { child, keyPrefix, ROOT, scopedTag, storedKey, userKey, userTags, type Scope } from "./engine/names.ts";
import { createMany } from "./engine/many.ts";
import { createPort } from "./engine/push.ts";
import { countHit, read, type Found } from "./engine/read.ts";
import type { Reader } from "./engine/reader.ts";
import { setValue } from "./engine/set.ts";
import { writeKey, writeTags } from "./engine/write.ts";
import { KeyError } from "./errors.ts";
import { createMemoryTier } from "./memory/tier.ts";
import { createEmitter } from "./observe/events.ts";
import { logTo } from "./observe/log.ts";
import { createCounters } from "./observe/stats.ts";
import { resolveCache, type CacheOptions } from "./options/cache.ts";
import { resolveEntry, resolveRead, type EntryOptions, type ReadOptions, type ResolvedEntry } from "./options/entry.ts";
import { isName, NAME, parseTags } from "./options/names.ts";
import { having, refuse } from "./options/parse.ts";
import { FOREVER } from "./store/contract.ts";

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
  const request = { waitUntil: platform.waitUntil, holds: new Set<never>(), counters: createCounters() };
  const own = engine.store?.bus;
  const given = own && resolved.bus?.over === own.over ? undefined : resolved.bus;
  engine.buses = [given, own].flatMap((bus) => bus?.connect(createPort(engine, request, bus.kind)) ?? []);
  return createPart({ engine, scope: ROOT, defaults: resolved.entry, request });
}

function createPart(part: Part): Cache {
  const { engine, scope, defaults, request } = part;
  const { events, tier } = engine;

  const keyOf = (key: string): string => (isName(key) ? storedKey(scope, key) : refuse("key", key, NAME, KeyError));

  const find = (
    name: string,
    loader: Loader<unknown> | undefined,
    options: ResolvedEntry,
    caller = request,
  ): Promise<Found | undefined> => {
    const key = keyOf(name);
    for (const bus of engine.buses) bus.open();
    const startedAt = engine.clock();
    const boundMs = options.strong ? 0 : engine.maxStalenessMs;
    const reader: Reader = {
      scope,
      key,
      name,
      view: viewOf(engine, key),
      request: caller,
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
    const copy = tier.get(storedKey(scope, name))?.item;
    if (copy === undefined || copy.view.pending.size > 0 || engine.closed || !isValid(copy)) return undefined;
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

  const write = async (kind: "delete" | "expire", key: string, caller = request): Promise<void> =>
    void (await writeKey(engine, caller, { kind, key: keyOf(key) }));

  const remove = (key: string, caller?: RequestScope): Promise<void> => write("delete", key, caller);

  const writeAll = async (kind: "tags" | "expireTags", tags: readonly string[]): Promise<void> =>
    writeTags(engine, request, { kind, tags: parseTags("tags", tags).map((tag) => scopedTag(scope, tag)) });

  const put = async (name: string, value: unknown, given: ResolvedEntry, caller = request): Promise<void> =>
    setValue(engine, { request: caller, scope, name, key: keyOf(name), given }, value);

  const getOrSet = <T>(key: string, loader: Loader<T>, given?: EntryOptions): Promise<T> => {
    const copy = hit(key, given);
    if (copy === undefined) return load(key, loader, given);
    countHit(engine, request, key, "memory", "fresh", 0);
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
    set: async (key, value, options) => put(key, value, resolveEntry(defaults, options)),
    delete: (key) => remove(key),
    expire: (key) => write("expire", key),
    invalidateTags: (tags) => writeAll("tags", tags),
    expireTags: (tags) => writeAll("expireTags", tags),
    clear: () => writeTags(engine, request, { kind: "tags", tags: scope.reserved.slice(-1) }),
    namespace(name, given) {
      if (!isName(name)) refuse("namespace", name, NAME);
      return createPart({
        ...part,
        scope: child(scope, name),
        defaults: resolveEntry(defaults, given),
        request: { ...request, counters: createCounters(request.counters) },
      });
    },
    bind(ctx) {
      having("waitUntil")("ctx", ctx);
      const waitUntil = (promise: Promise<unknown>): void => {
        try {
          ctx.waitUntil(promise); // as a method: detached it throws on Workers
        } catch (error) {
          report(engine, request, "waitUntil", error); // the request is over: the work goes on as long as the runtime lets it
        }
      };
      return createPart({ ...part, request: { ...request, waitUntil, holds: new Set() } });
    },
    wrap: wrapWith({ getOrSet, remove, check: (given) => void resolveEntry(defaults, given) }),
    ...manyWith({
      defaults,
      checkKey: keyOf,
      hit(key, given) {
        const copy = hit(key, given);
        if (copy) countHit(engine, request, key, "memory", "fresh", 0);
        return copy && { value: give(copy.held) };
      },
      begin(names, loadAll) {
        const many = createMany(engine, request, names.map(keyOf), loadAll);
        const caller = { ...request, many };
        // That there is one says that what is missing is to be loaded: by `loadAll`.
        const loader = loadAll && ((): void => undefined);
        return {
          async find(key, options) {
            try {
              const found = await find(key, loader, options, caller);
              return found && { value: give(found.copy.held) };
            } finally {
              many.decided(keyOf(key));
            }
          },
          put: (key, value, options) => put(key, value, options, caller),
          remove: (key) => remove(key, caller),
        };
      },
    }),
    warm: warmWith({ getOrSet, report: (error, key) => report(engine, request, "warm", error, key) }),
    on: events.on,
    off: events.off,
    stats() {
      const { memoryHits: memory, storeHits: store, enclosing, ...counts } = request.counters;
      const { bytes, entries } = enclosing ? tier.sizeOf(keyPrefix(scope)) : tier;
      return { hits: { memory, store }, ...counts, bytes, entries };
    },
    async close() {
      if (engine.closed) return;
      engine.closed = true;
      for (const stop of [...engine.stops]) stop(); // a copy: what one ends may begin another
      tier.clear();
      await Promise.all(
        engine.buses.map((bus) => bus.close().catch((error: unknown) => report(engine, request, "close", error))),
      );
      await engine.store?.close();
    },
  };
}

/** What a reader gets. What is kept under a key is what its loader made, or what the caller says it is. */
const valueOf = <T>(found: Found | undefined): T => (found && give(found.copy.held)) as T;
