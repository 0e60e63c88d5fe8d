// Options of one entry: what users may give, and the resolved form that is all the engine accepts.
import { OptionError } from "../errors.ts";
import { FOREVER } from "../store/contract.ts";
import { duration, parseSize, type Duration, type Size } from "./durations.ts";
import { parseTags } from "./names.ts";
import { each, having, oneOf, taking, type Parser } from "./parse.ts";
import { validator, type Validator } from "./validate.ts";

/** Options of one entry. Each may be a default of the cache, of a namespace, or given per call; the nearer one wins. */
export interface EntryOptionsBase {
  /** How long the value is fresh. Default "1m". 0: not stored. Infinity: until it is invalidated or evicted. */
  readonly ttl?: Duration | undefined;
  /**
   * How long "there is none" is fresh: null is stored for this instead of `ttl`, and undefined, which is not stored
   * otherwise, for this. A stored undefined is a hit that yields undefined. 0: not stored. Default none: null has `ttl`.
   */
  readonly negativeTtl?: Duration | undefined;
  /**
   * Each entry's ttl is shortened by a random share of at most this fraction, 0 to 1, so that entries stored together do not
   * end together. 0.1: by up to a tenth. Default 0.
   */
  readonly jitter?: number | undefined;
  /**
   * The fraction of its ttl, 0 to 1, after which a hit reloads a value in the background, once for all instances, so that
   * one in demand does not end. If that fails, nobody tries again for `failureBackoff`. Default 1: not before its end.
   */
  readonly eagerRefresh?: number | undefined;
  /**
   * For how long after `ttl` a read gets the stale value at once while it is reloaded in the background (RFC 5861).
   * Default 0.
   */
  readonly staleWhileRevalidate?: Duration | undefined;
  /** For how long after `ttl` the stale value is served if the loader fails (RFC 5861). Default 0. */
  readonly staleIfError?: Duration | undefined;
  /** After a failed load with something stale to serve, nobody tries again for this long. Default "5s". */
  readonly failureBackoff?: Duration | undefined;
  /**
   * A caller that has waited this long for a load is given a stale value, if there is one within a stale window; the load
   * goes on and fills the cache. 0: at once. Default Infinity: callers wait.
   */
  readonly softTimeout?: Duration | undefined;
  /**
   * A caller that has waited this long is given a stale value, if there is one within a stale window; else it rejects with
   * a TimeoutError. The load goes on and fills the cache, with a lease that is renewed no longer. Default Infinity.
   */
  readonly hardTimeout?: Duration | undefined;
  /**
   * A larger value is not stored: encoded, or estimated where nothing is encoded. Its loader's callers get it, and an
   * `error` event says why it was not stored; `set` rejects with a CodecError. Default "8mb".
   */
  readonly maxValueBytes?: Size | undefined;
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

/** What a caller may say of any operation on an entry. */
export interface CallerOptions {
  /**
   * When it fires, this caller's promise rejects with its reason. A load that others wait for goes on; when the last caller
   * has left, the loader's `context.signal` fires. A `set` looks at it before it begins, and is not cut short after that.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * A Standard Schema (zod, valibot, arktype, ...) or a predicate, run on what comes from the store, for instance from an
   * older version of the program. What fails is a miss, and an `error` event says why; what a schema outputs is the value.
   * A value already in memory is not looked at again, nor one that another caller is just reading: to have all of them
   * checked, give it as a default of the cache or namespace. Default none.
   */
  readonly validate?: Validator | undefined;
}

/** All options of one entry. */
export type EntryOptions = EntryOptionsBase & CallerOptions & MemoryUse & StoreUse;

/** Entry options as the engine takes them: milliseconds, nothing missing, nothing to check. */
export interface ResolvedEntry {
  readonly ttlMs: number;
  readonly negativeTtlMs: number | undefined;
  readonly jitter: number;
  readonly eagerRefresh: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly failureBackoffMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly maxValueBytes: number;
  readonly tags: readonly string[];
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly memory: boolean;
  readonly memoryTtlMs: number;
  readonly store: boolean;
  readonly strong: boolean;
  readonly signal: AbortSignal | undefined;
  /** The value that is right; rejects if there is none. */
  readonly validate: ((value: unknown) => Promise<unknown>) | undefined;
}

const flag = oneOf(true, false);
const fraction = taking("a number from 0 to 1", (value) => typeof value === "number" && value >= 0 && value <= 1);
const text = taking("a string", (value) => typeof value === "string");
const consistency = oneOf("eventual", "strong");

/** Read options, with how each is read. Typed by the names, so that none can be forgotten. */
const READ: { readonly [Name in keyof ReadOptions]-?: Parser } = {
  memory: flag,
  memoryTtl: duration,
  store: flag,
  signal: having("addEventListener", "throwIfAborted"),
  validate: validator,
  consistency(name, value) {
    consistency(name, value);
    return { strong: value === "strong" };
  },
};

/** The same for every entry option. */
export const ENTRY: { readonly [Name in keyof EntryOptions]-?: Parser } = {
  ...READ,
  ttl: duration,
  negativeTtl: duration,
  jitter: fraction,
  eagerRefresh: fraction,
  staleWhileRevalidate: duration,
  staleIfError: duration,
  failureBackoff: duration,
  softTimeout: duration,
  hardTimeout: duration,
  maxValueBytes: (name, value) => ({ maxValueBytes: parseSize(name, value) }),
  tags: (name, value) => ({ tags: parseTags(name, value) }),
  etag: text,
  lastModified: text,
};

export const DEFAULTS: ResolvedEntry = {
  ttlMs: 60_000,
  negativeTtlMs: undefined,
  jitter: 0,
  eagerRefresh: 1,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  failureBackoffMs: 5_000,
  softTimeoutMs: FOREVER,
  hardTimeoutMs: FOREVER,
  maxValueBytes: 8 * 1024 ** 2,
  tags: [],
  etag: undefined,
  lastModified: undefined,
  memory: true,
  memoryTtlMs: FOREVER,
  store: true,
  strong: false,
  signal: undefined,
  validate: undefined,
};

/** Options over those they are nearer than. Throws an OptionError that names option and value. */
export function resolveEntry(
  parent: ResolvedEntry,
  options: EntryOptions | undefined,
  parsers: Readonly<Record<string, Parser>> = ENTRY,
): ResolvedEntry {
  if (options === undefined) return parent;
  const resolved = { ...parent };
  each("options", options, parsers, (parsed) => Object.assign(resolved, parsed));
  // The types exclude these; plain JavaScript does not.
  const { memory, memoryTtl, store, consistency }: { readonly [Name in keyof ReadOptions]?: unknown } = options;
  if (memory === false && memoryTtl !== undefined) throw new OptionError("memoryTtl: needs memory, which is false");
  if (!resolved.store && consistency === "strong")
    throw new OptionError('consistency: "strong" needs store, which is false');
  // Who wants to do without the store does not mean to ask it, whatever the defaults are.
  return store === false ? { ...resolved, strong: false } : resolved;
}

/** Options of a read without a loader: which tiers, how consistent, for how long, what is right. */
export type ReadOptions = CallerOptions & MemoryUse & StoreUse;

/** Read options over the defaults. Throws an OptionError that names option and value. */
export const resolveRead = (parent: ResolvedEntry, options: ReadOptions | undefined): ResolvedEntry =>
  resolveEntry(parent, options, READ);
