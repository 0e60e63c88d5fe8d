// Counters since creation.

/** What `cache.stats()` returns. All counts since the cache was created, in this instance. */
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

/** The counters, as the engine moves them. */
export interface Counters {
  memoryHits: number;
  storeHits: number;
  misses: number;
  loads: number;
  syncs: number;
  roundTrips: number;
  errors: number;
}

export const createCounters = (): Counters => ({
  memoryHits: 0,
  storeHits: 0,
  misses: 0,
  loads: 0,
  syncs: 0,
  roundTrips: 0,
  errors: 0,
});
