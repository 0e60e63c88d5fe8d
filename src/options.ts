// Options: what users may give, and the resolved form that is all the engine accepts.
import type { Codec } from "./codec/contract.ts";
import type { ValueMode } from "./codec/walk.ts";
import { parseDuration, parseSize, show, type Duration, type Size } from "./durations.ts";
import { OptionError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { FOREVER, type Store } from "./store/contract.ts";

/** Options of one entry. Each may be a default of the cache, of a namespace, or given per call; the nearer one wins. */
export interface EntryOptionsBase {
  /** How long the value is fresh. Default "1m". 0: not stored. Infinity: until it is invalidated or evicted. */
  readonly ttl?: Duration | undefined;
  /**
   * For how long after that a read gets the stale value at once while it is reloaded in the background (RFC 5861).
   * Default 0.
   */
  readonly staleWhileRevalidate?: Duration | undefined;
  /** For how long after `ttl` the stale value is served if the loader fails (RFC 5861). Default 0. */
  readonly staleIfError?: Duration | undefined;
  /** After a failed load with something stale to serve, nobody tries again for this long. Default "5s". */
  readonly failureBackoff?: Duration | undefined;
  /** Names by which the value can be invalidated together with others. Default none. */
  readonly tags?: readonly string[] | undefined;
  /** The entity tag (RFC 9110) of the value, for loaders that ask the origin whether it changed. */
  readonly etag?: string | undefined;
  /** The modification date of the value, in the same way. */
  readonly lastModified?: string | undefined;
}

/** How an entry uses the memory tier: not at all, or for at most `memoryTtl` (default: as long as it is useful). */
export type MemoryUse =
  | { readonly memory?: true | undefined; readonly memoryTtl?: Duration | undefined }
  | { readonly memory: false; readonly memoryTtl?: undefined };

/**
 * How an entry uses the store. `store: false`: the value stays in this instance's memory (a `set` still invalidates the
 * key in the store). `consistency: "strong"`: the store is asked on every read, and nothing invalidated before the read
 * began is returned; default "eventual": within `maxStaleness`.
 */
export type StoreUse =
  | { readonly store?: true | undefined; readonly consistency?: "eventual" | "strong" | undefined }
  | { readonly store: false; readonly consistency?: "eventual" | undefined };

/** All options of one entry. */
export type EntryOptions = EntryOptionsBase & MemoryUse & StoreUse;

/** Bounds of the memory tier. */
export interface MemoryOptions {
  /** Default "16mb" on Workers, "64mb" elsewhere. No entry takes more than an eighth of it. */
  readonly maxBytes?: Size | undefined;
  /** Default 10,000. */
  readonly maxEntries?: number | undefined;
  /**
   * How values are kept apart from what callers do to them. "frozen" (default): plain objects and arrays are deep-frozen,
   * on a copy of what was supplied; Date, Map, Set and typed arrays are copied per read. "copied": a copy per read.
   * "shared": as is.
   */
  readonly values?: ValueMode | undefined;
}

/** Options of `createCache`. */
export interface CacheOptions extends EntryOptionsBase {
  /** Namespace in the store: caches of one name and store share their entries. Default "default". */
  readonly name?: string | undefined;
  /** The memory tier, or false for none. */
  readonly memory?: MemoryOptions | false | undefined;
  /** Default for entries: at most this long in memory. Default: as long as they are useful. */
  readonly memoryTtl?: Duration | undefined;
  /** The shared store. Without one the cache is local: no sync, no timers. */
  readonly store?: Store | undefined;
  /** Default for reads; see `StoreUse`. */
  readonly consistency?: "eventual" | "strong" | undefined;
  /** How long an acknowledged invalidation by another instance may be unseen here. Default "5s". 0: every hit asks. */
  readonly maxStaleness?: Duration | undefined;
  /** For each request to the store. Default "1s". */
  readonly storeTimeout?: Duration | undefined;
  /** How long an instance that loads is left alone before another takes over. Default "10s"; renewed while it loads. */
  readonly lease?: Duration | undefined;
  /** Value to bytes and back. Default: extended JSON. */
  readonly codec?: Codec | undefined;
  /** The runtime. Default: detected. */
  readonly platform?: Platform | undefined;
}

/** Entry options as the engine takes them: milliseconds, nothing missing, nothing to check. */
export interface ResolvedEntry {
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly failureBackoffMs: number;
  readonly tags: readonly string[];
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly memory: boolean;
  readonly memoryTtlMs: number;
  readonly store: boolean;
  readonly strong: boolean;
}

const MAX_NAME_BYTES = 1_024;
const MAX_TAGS = 100;

/** What is wrong with a key, tag or namespace; undefined if nothing is. */
export function faultOfName(name: unknown): string | undefined {
  if (typeof name !== "string") return `is ${show(name)}, not a string`;
  if (name === "") return "is empty";
  let bytes = 0;
  for (let i = 0; i < name.length; i++) {
    const point = name.codePointAt(i)!; // i is inside the string
    if (point >= 0xd800 && point <= 0xdfff) return `${show(name)} has half a surrogate pair`;
    if (point > 0xffff) i++;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes > MAX_NAME_BYTES ? `${show(name)} has ${bytes} bytes of UTF-8, more than ${MAX_NAME_BYTES}` : undefined;
}

/** Checks a list of tags. Throws an OptionError that names the option and the tag. */
export function parseTags(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new OptionError(`${name}: ${show(value)} is not an array of strings`);
  if (value.length > MAX_TAGS) throw new OptionError(`${name}: ${value.length} tags are more than ${MAX_TAGS}`);
  return value.map((tag: unknown) => {
    const fault = faultOfName(tag);
    if (fault !== undefined) throw new OptionError(`${name}: a tag ${fault}`);
    return tag as string; // it has no fault, so it is a string
  });
}

function oneOf<T>(...allowed: readonly T[]): (name: string, value: unknown) => T {
  return (name, value) => {
    if (!allowed.includes(value as T)) {
      throw new OptionError(`${name}: ${show(value)} is not ${allowed.map(show).join(" or ")}`);
    }
    return value as T; // it is one of them
  };
}

function parseText(name: string, value: unknown): string {
  if (typeof value !== "string") throw new OptionError(`${name}: ${show(value)} is not a string`);
  return value;
}

type EntryName = keyof EntryOptionsBase | "memory" | "memoryTtl" | "store" | "consistency";

/** Every entry option, with how it is read. Typed by the names, so that none can be forgotten. */
const ENTRY: { readonly [Name in EntryName]: (name: string, value: unknown) => Partial<ResolvedEntry> } = {
  ttl: (name, value) => ({ ttlMs: parseDuration(name, value) }),
  staleWhileRevalidate: (name, value) => ({ staleWhileRevalidateMs: parseDuration(name, value) }),
  staleIfError: (name, value) => ({ staleIfErrorMs: parseDuration(name, value) }),
  failureBackoff: (name, value) => ({ failureBackoffMs: parseDuration(name, value) }),
  tags: (name, value) => ({ tags: parseTags(name, value) }),
  etag: (name, value) => ({ etag: parseText(name, value) }),
  lastModified: (name, value) => ({ lastModified: parseText(name, value) }),
  memory: (name, value) => ({ memory: oneOf(true, false)(name, value) }),
  memoryTtl: (name, value) => ({ memoryTtlMs: parseDuration(name, value) }),
  store: (name, value) => ({ store: oneOf(true, false)(name, value) }),
  consistency: (name, value) => ({ strong: oneOf("eventual", "strong")(name, value) === "strong" }),
};

const DEFAULTS: ResolvedEntry = {
  ttlMs: 60_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  failureBackoffMs: 5_000,
  tags: [],
  etag: undefined,
  lastModified: undefined,
  memory: true,
  memoryTtlMs: FOREVER,
  store: true,
  strong: false,
};

/** Calls `read` for each option that is given. An unknown one is an OptionError; undefined counts as not given. */
function each(options: unknown, names: object, read: (name: string, value: unknown) => void): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) throw new OptionError(`options: ${show(options)} is not an object`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(names, name)) {
      throw new OptionError(`${name}: unknown option; there are ${Object.keys(names).join(", ")}`);
    }
    if (value !== undefined) read(name, value);
  }
}

/** Entry options over those they are nearer than. Throws an OptionError that names option and value. */
export function resolveEntry(parent: ResolvedEntry, options: EntryOptions | undefined): ResolvedEntry {
  if (options === undefined) return parent;
  const resolved = { ...parent };
  each(options, ENTRY, (name, value) => Object.assign(resolved, ENTRY[name as EntryName](name, value)));
  refuseContradictions(options);
  return resolved;
}

/** The types exclude these; plain JavaScript does not. */
function refuseContradictions(options: { readonly [Name in EntryName]?: unknown }): void {
  if (options.memory === false && options.memoryTtl !== undefined) {
    throw new OptionError("memoryTtl: has no meaning with memory: false");
  }
  if (options.store === false && options.consistency === "strong") {
    throw new OptionError('consistency: "strong" has no meaning with store: false');
  }
}

/** Options of a read without a loader: which tiers, how consistent. */
export type ReadOptions = MemoryUse & StoreUse;

const { memory, memoryTtl, store, consistency } = ENTRY;
const READ = { memory, memoryTtl, store, consistency };

/** Read options over the defaults. Throws an OptionError that names option and value. */
export function resolveRead(parent: ResolvedEntry, options: ReadOptions | undefined): ResolvedEntry {
  each(options, READ, () => undefined);
  return resolveEntry(parent, options);
}

/** Cache options as the cache takes them. */
export interface ResolvedCache {
  readonly entry: ResolvedEntry;
  readonly name: string;
  readonly memory: { readonly maxBytes: number | undefined; readonly maxEntries: number } | undefined;
  readonly values: ValueMode;
  readonly store: Store | undefined;
  readonly maxStalenessMs: number;
  readonly storeTimeoutMs: number;
  readonly leaseMs: number;
  readonly codec: Codec | undefined;
  readonly platform: Platform | undefined;
}

/** A positive duration: one that ends something, and must not end it before it began. */
function parseTimeout(name: string, value: unknown): number {
  const ms = parseDuration(name, value);
  if (ms < 1 || ms > 2 ** 31 - 1) throw new OptionError(`${name}: ${show(value)} is not between 1 ms and 24 days`);
  return ms;
}

function parseMemory(value: unknown): Partial<ResolvedCache> {
  if (value === false) return { memory: undefined };
  let maxBytes: number | undefined;
  let maxEntries = 10_000;
  let values: ValueMode = "frozen";
  const names: { readonly [Name in keyof MemoryOptions]-?: (name: string, value: unknown) => void } = {
    maxBytes: (name, value) => void (maxBytes = parseSize(name, value)),
    maxEntries: (name, value) => {
      if (!Number.isInteger(value) || (value as number) < 1) {
        throw new OptionError(`${name}: ${show(value)} is not a whole number above 0`);
      }
      maxEntries = value as number; // just checked
    },
    values: (name, value) => void (values = oneOf<ValueMode>("frozen", "copied", "shared")(name, value)),
  };
  each(value, names, (name, given) => names[name as keyof MemoryOptions](`memory.${name}`, given));
  return { memory: { maxBytes, maxEntries }, values };
}

/** An object with these methods: a store, codec or platform handed in. */
function having(...methods: readonly string[]): (name: string, value: unknown) => unknown {
  return (name, value) => {
    const methodOf = (method: string): unknown => (value as Record<string, unknown> | null)?.[method]; // any value has members, or none
    if (!methods.every((method) => typeof methodOf(method) === "function")) {
      throw new OptionError(`${name}: ${show(value)} has no ${methods.join(", ")}`);
    }
    return value;
  };
}

type OwnName = Exclude<keyof CacheOptions, keyof EntryOptionsBase | "memoryTtl" | "consistency">;

const OWN: { readonly [Name in OwnName]: (name: string, value: unknown) => object } = {
  name: (option, value) => {
    const fault = faultOfName(value);
    if (fault !== undefined) throw new OptionError(`${option}: ${fault}`);
    return { name: value };
  },
  memory: (_, value) => parseMemory(value),
  store: (name, value) => ({ store: having("connect")(name, value) }),
  maxStaleness: (name, value) => ({ maxStalenessMs: parseDuration(name, value) }),
  storeTimeout: (name, value) => ({ storeTimeoutMs: parseTimeout(name, value) }),
  lease: (name, value) => ({ leaseMs: parseTimeout(name, value) }),
  codec: (name, value) => ({ codec: having("encode", "decode")(name, value) }),
  platform: (name, value) => ({ platform: having("now", "setTimeout", "waitUntil")(name, value) }),
};

const CACHE = { ...ENTRY, ...OWN };

/** Cache options with their defaults. Throws an OptionError that names option and value. */
export function resolveCache(options: CacheOptions): ResolvedCache {
  const entry = { ...DEFAULTS };
  const resolved = {
    name: "default",
    memory: { maxBytes: undefined, maxEntries: 10_000 },
    values: "frozen" as ValueMode,
    store: undefined,
    maxStalenessMs: 5_000,
    storeTimeoutMs: 1_000,
    leaseMs: 10_000,
    codec: undefined,
    platform: undefined,
  };
  each(options, CACHE, (name, value) => {
    const known = name as keyof typeof CACHE; // each() lets only known names through
    Object.assign(Object.hasOwn(OWN, name) ? resolved : entry, CACHE[known](name, value));
  });
  if (resolved.memory === undefined && resolved.store === undefined) {
    throw new OptionError("memory: false leaves nothing to cache in without a store");
  }
  return { ...resolved, entry };
}
