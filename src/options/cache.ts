// Options of a cache, and their resolved form.
import type { Bus } from "../bus/contract.ts";
import type { Codec } from "../codec/contract.ts";
import type { ValueMode } from "../codec/walk.ts";
import { OptionError } from "../errors.ts";
import type { Logger } from "../observe/logger.ts";
import type { Platform } from "../platform.ts";
import type { Store } from "../store/contract.ts";
import { duration, parseDuration, parseSize, type Duration, type Size } from "./durations.ts";
import { DEFAULTS, ENTRY, type CallerOptions, type EntryOptionsBase, type ResolvedEntry } from "./entry.ts";
import { isName, NAME } from "./names.ts";
import { each, having, oneOf, refuse, taking, type Parser } from "./parse.ts";

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

/** When a partition of the store that keeps failing is left alone. */
export interface BreakerOptions {
  /** After so many failed requests in a row. Default 5. */
  readonly failures?: number | undefined;
  /** For how long, and up to a tenth more; then one read is sent, to see whether it is answered. Default "10s". */
  readonly cooldown?: Duration | undefined;
}

/** Options of `createCache`. */
export interface CacheOptions extends EntryOptionsBase, CallerOptions {
  /** Namespace in the store: caches of one name and store share their entries. Default "default". */
  readonly name?: string | undefined;
  /** The memory tier, or false for none. */
  readonly memory?: MemoryOptions | false | undefined;
  /** Default for entries: at most this long in memory. Default: as long as they are useful. */
  readonly memoryTtl?: Duration | undefined;
  /** The shared store. Without one the cache is local: no sync, no timers. */
  readonly store?: Store | undefined;
  /** Carries invalidations to other instances as they happen; with `maxStaleness` the log still bounds what that misses. */
  readonly bus?: Bus | undefined;
  /** Default for reads; see `StoreUse`. */
  readonly consistency?: "eventual" | "strong" | undefined;
  /** How long an acknowledged invalidation by another instance may be unseen here. Default "5s". 0: every hit asks. */
  readonly maxStaleness?: Duration | undefined;
  /** For each request to the store. Default "1s". */
  readonly storeTimeout?: Duration | undefined;
  /**
   * While the store keeps failing, reads do as if it were out of reach, at once instead of after `storeTimeout`. Writes
   * are sent all the same. False: reads are, too. Each partition of the store has a breaker of its own.
   */
  readonly storeBreaker?: BreakerOptions | false | undefined;
  /**
   * What a read does for which the store was needed and failed. "load" (default): it fails open, with the loader or
   * something stale. "throw": it rejects with the StoreError, so that the origin is spared, and nothing is served that
   * could not be checked. Writes reject either way.
   */
  readonly onStoreError?: "load" | "throw" | undefined;
  /** How long an instance that loads is left alone before another takes over. Default "10s"; renewed while it loads. */
  readonly lease?: Duration | undefined;
  /**
   * How many loaders may run at once in this instance, for origins that must be spared. Default Infinity. Others wait in
   * line, up to 1,000 of them, each for as long as `lease`; beyond that the load fails with a LoaderError whose cause is a
   * TimeoutError.
   */
  readonly maxConcurrentLoads?: number | undefined;
  /** Value to bytes and back. Default: extended JSON. */
  readonly codec?: Codec | undefined;
  /** Where events are logged: `console`, a pino logger, or any like them. Never values. Default none. */
  readonly logger?: Logger | undefined;
  /** The runtime. Default: detected. */
  readonly platform?: Platform | undefined;
}

/** Cache options as the cache takes them. */
export interface ResolvedCache {
  readonly entry: ResolvedEntry;
  readonly name: string;
  /** Of the memory tier. Undefined: as the platform says; 0: it holds nothing. */
  readonly maxBytes: number | undefined;
  readonly maxEntries: number;
  readonly values: ValueMode;
  readonly store: Store | undefined;
  readonly bus: Bus | undefined;
  readonly maxStalenessMs: number;
  readonly storeTimeoutMs: number;
  readonly onStoreError: "load" | "throw";
  readonly leaseMs: number;
  /** Infinity: it never opens. */
  readonly breakerFailures: number;
  readonly breakerCooldownMs: number;
  readonly maxConcurrentLoads: number;
  readonly codec: Codec | undefined;
  readonly logger: Logger | undefined;
  readonly platform: Platform | undefined;
}

/** Reads a duration that ends something, and must not end it before it began. */
const timeout: Parser = (name, value) => {
  const ms = parseDuration(name, value);
  return ms >= 1 && ms < 2 ** 31 ? duration(name, ms) : refuse(name, value, "between 1 ms and 24 days");
};

/** V8's maps throw above 2^24 entries, and under churn well before that. */
const MAX_ENTRIES = 2 ** 23;

const whole = taking(
  `a whole number from 1 to ${MAX_ENTRIES}`,
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_ENTRIES,
);

const MEMORY: { readonly [Name in keyof MemoryOptions]-?: Parser } = {
  maxBytes: (name, value) => ({ maxBytes: parseSize(name, value) }),
  maxEntries: whole,
  values: oneOf("frozen", "copied", "shared"),
};

const BREAKER: { readonly [Name in keyof BreakerOptions]-?: Parser } = {
  failures(name, value) {
    whole(name, value);
    return { breakerFailures: value };
  },
  cooldown: (name, value) => ({ breakerCooldownMs: parseDuration(name, value) }),
};

/** Reads an object of options into one object. */
const nested = (name: string, value: unknown, parsers: Readonly<Record<string, Parser>>): object => {
  const resolved = {};
  each(name, value, parsers, (parsed) => Object.assign(resolved, parsed));
  return resolved;
};

/** What is not the default of an entry option. Typed by the names, so that none can be forgotten. */
const OWN: {
  readonly [
    Name in Exclude<keyof CacheOptions, keyof EntryOptionsBase | keyof CallerOptions | "memoryTtl" | "consistency">
  ]: Parser;
} = {
  name: taking(NAME, isName),
  memory: (name, value) => (value === false ? { maxBytes: 0 } : nested(name, value, MEMORY)),
  store: having("connect"),
  bus: having("connect"),
  maxStaleness: duration,
  storeTimeout: timeout,
  storeBreaker: (name, value) => (value === false ? { breakerFailures: Infinity } : nested(name, value, BREAKER)),
  onStoreError: oneOf("load", "throw"),
  lease: timeout,
  maxConcurrentLoads: (name, value) => (value === Infinity ? { [name]: value } : whole(name, value)),
  codec: having("encode", "decode"),
  logger: having("debug", "info", "warn", "error"),
  platform: having("now", "setTimeout", "waitUntil"),
};

/** Cache options with their defaults. Throws an OptionError that names option and value. */
export function resolveCache(options: CacheOptions): ResolvedCache {
  const entry = { ...DEFAULTS };
  const resolved: ResolvedCache = {
    entry,
    name: "default",
    maxBytes: undefined,
    maxEntries: 10_000,
    values: "frozen",
    store: undefined,
    bus: undefined,
    maxStalenessMs: 5_000,
    storeTimeoutMs: 1_000,
    onStoreError: "load",
    leaseMs: 10_000,
    breakerFailures: 5,
    breakerCooldownMs: 10_000,
    maxConcurrentLoads: Infinity,
    codec: undefined,
    logger: undefined,
    platform: undefined,
  };
  each("options", options, { ...ENTRY, ...OWN }, (parsed, name) =>
    Object.assign(name in OWN ? resolved : entry, parsed),
  );
  if (options.memory === false && !options.store) throw new OptionError("memory: false needs a store");
  return resolved;
}
