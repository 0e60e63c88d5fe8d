// Counters since creation.

/** What `cache.stats()` returns: counts since the cache was created, in this instance; and what its memory holds now. */
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
