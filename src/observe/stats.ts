// Counters since creation, of the cache and of each of its namespaces.

/**
 * What `stats()` returns: counts since the cache or the namespace object was created, in this instance, and what its memory
 * holds now. A namespace counts what is asked of it and of those in it.
 */
export interface CacheStats {
  /** Reads answered from memory, from the store. */
  readonly hits: { readonly memory: number; readonly store: number };
  /** Reads that found nothing usable. */
  readonly misses: number;
  /** Loaders run. */
  readonly loads: number;
  /** Questions to the log. */
  readonly syncs: number;
  /** Requests sent to the store, of any kind. */
  readonly roundTrips: number;
  /** `error` events. */
  readonly errors: number;
  /** What the entries in memory take now, by an estimate: what `memory.maxBytes` bounds. */
  readonly bytes: number;
  /** How many entries are in memory now. */
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
