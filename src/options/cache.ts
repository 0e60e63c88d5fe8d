// Options of a cache, and their resolved form.
import type { Codec } from "../codec/contract.ts";
import type { ValueMode } from "../codec/walk.ts";
import { OptionError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { Store } from "../store/contract.ts";
import { parseDuration, parseSize, type Duration, type Size } from "./durations.ts";
import { DEFAULTS, ENTRY, type EntryOptionsBase, type ResolvedEntry } from "./entry.ts";
import { faultOfName } from "./names.ts";
import { each, oneOf, show } from "./parse.ts";

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

/** V8's maps throw above 2^24 entries, and under churn well before that. */
const MAX_ENTRIES = 2 ** 23;

function parseMemory(value: unknown): Partial<ResolvedCache> {
  if (value === false) return { memory: undefined };
  let maxBytes: number | undefined;
  let maxEntries = 10_000;
  let values: ValueMode = "frozen";
  const names: { readonly [Name in keyof MemoryOptions]-?: (name: string, value: unknown) => void } = {
    maxBytes: (name, value) => void (maxBytes = parseSize(name, value)),
    maxEntries: (name, value) => {
      if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MAX_ENTRIES) {
        throw new OptionError(`${name}: ${show(value)} is not a whole number from 1 to ${MAX_ENTRIES}`);
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
