// What the partition protocol needs of a storage: small synchronous operations that suit Maps and SQL rows. Types only.
import type { EntryMeta, Position, Stamp } from "./contract.ts";

/** The metadata of a partition. `floor`: entries with a tag of a user and a smaller version are invalid. */
export interface PartitionMeta extends Omit<Position, "epoch"> {
  /** The present epoch; and after it, with spaces between, those known to have been before it, the latest first. */
  readonly epochs: string;
  readonly floor: number;
}

/** The metadata, and the instant by the store's clock, that one atomic step sees. */
export interface Moment extends Stamp {
  readonly floor: number;
}

/** A log record as it is kept; `at` is the store's clock when it was done. */
export interface StoredRecord {
  readonly seq: number;
  readonly nonce: string;
  readonly at: number;
  readonly expire: boolean;
  readonly key?: string;
  readonly tags?: readonly string[];
}

/** That entries with a tag and a version below `seq` are invalid; or, with an instant, that they are stale since then. */
export interface TagMark {
  readonly seq: number;
  readonly staleAt: number | undefined;
}

/** An entry without its bytes. */
export interface EntryHead {
  readonly key: string;
  readonly id: string;
  readonly epoch: string;
  readonly version: number;
  readonly storedAt: number;
  /** The coarse instant of the last use: orders eviction, and is written at most once an hour. */
  readonly usedAt: number;
  /** The instant of the first `expire` of this entry. */
  readonly expiredAt?: number;
  readonly valueBytes: number;
  /** What it counts for against the partition's size limit: value, key, tags and a constant. */
  readonly costBytes: number;
  readonly labels: EntryMeta;
}

/** The right to load a key; or, without a token, the mark that a load failed and is not to be tried again so soon. */
export interface StoredLease {
  readonly key: string;
  readonly token: string | undefined;
  readonly version: number;
  /** Granted or renewed at this instant, for this long. */
  readonly at: number;
  readonly spanMs: number;
  /** The reserved tags of the key: an invalidation of one of them makes the lease void. */
  readonly scopes: readonly string[];
}

/** What the entries take. */
export interface StorageUsage {
  readonly entries: number;
  /** The sum of their `costBytes`. */
  readonly bytes: number;
}

/** How much there is of the rest. `tags` counts the marks of those that are not reserved. */
export interface StorageCounts {
  readonly tags: number;
  readonly logRecords: number;
  readonly leases: number;
}

/**
 * The leases of a partition in its epoch, at least the newest ones. Losing one is safe: it only refuses a commit. One
 * that was put by a step that failed is harmless: nobody was told of it, and it ends by its time.
 */
export interface LeaseStorage {
  lease(key: string): StoredLease | undefined;
  putLease(lease: StoredLease): void;
  deleteLease(key: string): void;
}

/**
 * The rows of one partition. Everything is synchronous; every method but `atomic` is called inside `atomic`.
 *
 * - What cannot be read counts as lost: an entry is a miss, a log record is missing, metadata is undefined. A tag mark
 *   that cannot be read has an infinite `seq`, so that nothing is resurrected. Methods throw only if the storage failed.
 * - Entries have an order of use: a new one goes to its end, `touch` moves one there, overwriting leaves it in its place.
 * - Nothing returned may be changed by the caller or by the storage later, and bytes are copied in and out.
 */
export interface PartitionStorage extends LeaseStorage {
  /** Runs one step: all of it is done, or, if it throws, nothing (leases excepted). Never nested. */
  atomic<T>(step: () => T): T;

  /** The epochs and the floor, with seq and nonce of the last log record (0 and "" if there is none). */
  meta(): PartitionMeta | undefined;
  /** A new life: forgets log, tags and leases; the floor is 0. Entries stay, foreign by their epoch. See `PartitionMeta`. */
  reset(epochs: string): void;

  /** Appends the record with the next seq, which becomes the position. */
  append(record: StoredRecord): void;
  recordAt(seq: number): StoredRecord | undefined;
  recordOf(nonce: string): StoredRecord | undefined;
  /** The records with a greater seq, in order. */
  recordsAfter(seq: number): StoredRecord[];
  /** Removes the records up to and with this seq, which is never the last one's. */
  trimLog(seq: number): void;

  /** The marks of these tags, in any order. */
  marks(tags: readonly string[]): TagMark[];
  /**
   * Marks tags as invalidated at `seq`, or, with `staleAt`, as expired at `seq` and at that instant. A tag has one mark of
   * each kind, the last one.
   */
  mark(tags: readonly string[], seq: number, staleAt?: number): void;
  /**
   * If there are more than `keep` marks of tags that are not reserved: raises the floor to the seq that at most `keep` of
   * them are above, and removes those at or below it.
   */
  pruneTags(keep: number): void;

  head(key: string): EntryHead | undefined;
  /** The bytes of this entry, or undefined if they are lost or of another length. */
  bytes(head: EntryHead): Uint8Array | undefined;
  /** Stores an entry in place of `old`, which is what `head` gave for its key. Without bytes: those of `old` stay. */
  put(head: EntryHead, old: EntryHead | undefined, bytes?: Uint8Array): void;
  delete(head: EntryHead): void;
  /** Moves the entry to the end of the order of use. */
  touch(head: EntryHead, usedAt: number): void;
  /** The first entry in order of use. */
  oldest(): EntryHead | undefined;
  /**
   * Visits the next `limit` entries of an endless tour in order of use, and deletes those that are over. False when the
   * tour has come to its end.
   */
  sweep(limit: number, isOver: (head: EntryHead) => boolean): boolean;
  /** Cheap: called for every entry stored. Right at the end of each tour; in between a storage may know it only roughly. */
  usage(): StorageUsage;
  /** For `info`. */
  counts(): StorageCounts;
}
