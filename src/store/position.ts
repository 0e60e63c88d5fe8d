// Logical time: positions in a partition's log, and the records that it is made of. Types only.

/**
 * A point in a partition's logical time. Every answer carries it, taken in the same atomic step as the answer.
 *
 * `epoch` is random and names one life of the partition's metadata; it changes when that was lost or contradicts a
 * witness, and then every older entry, lease and log position is void. Epochs have no order. `seq` counts the
 * invalidations of the epoch. `tip` is the nonce of the record with that seq ("" at seq 0), so that a history that was
 * rewritten under the same epoch is recognised.
 */
export interface Position {
  /** The random name of this life of the metadata. */
  readonly epoch: string;
  /** How many invalidations the epoch has seen: a whole number. */
  readonly seq: number;
  /** The nonce of the invalidation with that number. */
  readonly tip: string;
}

/** One invalidation in the log: of a key, or of tags. A `set` invalidates its key, as a `delete` does. */
export interface LogRecord {
  /** Its number; the first one of an epoch is 1. */
  readonly seq: number;
  /** The id of the write that made it, unique for ever. */
  readonly nonce: string;
  /** True for `expire` and `expireTags`: what it covers is stale, not gone. */
  readonly expire: boolean;
  /** Of `set`, `delete` and `expire`. */
  readonly key?: string;
  /** Of `tags` and `expireTags`. */
  readonly tags?: readonly string[];
  /** How long ago it was done when the answer was made, in milliseconds of the store's clock. */
  readonly agoMs: number;
}
