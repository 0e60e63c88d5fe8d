// Counters since creation, of the cache and of each of its namespaces.

/**
 * What `stats()` returns. All counts since the cache or namespace object was created, in this instance; a namespace counts
 * what is asked of it and of those in it.
 */
export interface CacheStats {
  /** Reads answered from memory, from the store. */
  readonly hits: { readonly memory: number; readonly store: number };
  readonly misses: number;
  /** Loaders run. */
  readonly loads: number;
  /** Questions to the log. */
  readonly syncs: number;
  /** Requests sent to the store, of any kind. */
  readonly roundTrips: number;
  /** `error` events. */
  readonly errors: number;
  /** What the memory tier holds, by its own account. */
  readonly bytes: number;
  readonly entries: number;
}

/** What is counted, as the engine moves it. */
interface Counts {
  memoryHits: number;
  storeHits: number;
  misses: number;
  loads: number;
  syncs: number;
  roundTrips: number;
  errors: number;
}

/** The counters of a cache or namespace; what counts there counts for what encloses it, too. */
export interface Counters extends Counts {
  readonly enclosing: Counters | undefined;
}

export const createCounters = (enclosing?: Counters): Counters => ({
  memoryHits: 0,
  storeHits: 0,
  misses: 0,
  loads: 0,
  syncs: 0,
  roundTrips: 0,
  errors: 0,
  enclosing,
});

export function count(counters: Counters, what: keyof Counts): void {
  for (let each: Counters | undefined = counters; each; each = each.enclosing) each[what]++;
}
