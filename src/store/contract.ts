// The store contract: the shared authority on which values are valid (DESIGN 5). Types only.
//
// A store keeps entries in partitions. Every operation below is atomic within its partition and costs one round trip.
// Numbers of one partition and one epoch may be compared with each other and with nothing else.
import type { Bus } from "../bus/contract.ts";
import type { Platform } from "../platform.ts";
import type { LogRecord, Position } from "./position.ts";

export type { LogRecord, Position } from "./position.ts";

/** What every answer carries. */
export interface Stamp extends Position {
  /** The store's own clock in milliseconds, compared only with itself. */
  readonly time: number;
}

/**
 * The windows and labels an entry is stored with. Durations in milliseconds; `Number.MAX_SAFE_INTEGER` stands for no end.
 */
export interface EntryMeta {
  /** For how long after it was stored it is fresh. */
  readonly ttlMs: number;
  /** A window that starts when ttl ends, or at the instant of an expiry if that comes first: may be served meanwhile. */
  readonly staleWhileRevalidateMs: number;
  /** A window that starts at the same instant: may be served if a load fails. */
  readonly staleIfErrorMs: number;
  /**
   * Opaque, unique strings. Those that start with "@" (one for the cache and one for each enclosing namespace) are
   * reserved and never pruned: an entry is not made invalid by the floor for carrying them.
   */
  readonly tags: readonly string[];
  /** Kept for the loader that refreshes it; no matter of the store. */
  readonly etag?: string;
  /** The same. */
  readonly lastModified?: string;
}

/** The longest duration a store has to keep: stands for Infinity, and survives every encoding of numbers. */
export const FOREVER = Number.MAX_SAFE_INTEGER;

/** Tags that start with this are the reserved tags of a cache and its namespaces. User tags start with another character. */
export const RESERVED_TAG = "@";

/** An entry to be stored. */
export interface NewEntry extends EntryMeta {
  /** The encoded value: opaque to the store, and comes back unchanged. */
  readonly bytes: Uint8Array;
}

/** An entry as the store found it valid. */
export interface FoundEntry extends EntryMeta {
  /** Unique for ever: the lease token of the commit or the nonce of the set that stored it. */
  readonly id: string;
  /** The seq at which its load was allowed to begin, or at which it was set. */
  readonly version: number;
  /** Since it was stored, by the store's clock; never negative. */
  readonly ageMs: number;
  /**
   * What is left until it is stale. Zero or less: it is stale, by age or by an expiry, since so long; its stale windows
   * run from there, and one of them is open.
   */
  readonly freshForMs: number;
  /** Absent if and only if the request's `hold` names this very entry. */
  readonly bytes?: Uint8Array;
}

/** What each request carries so that a store that is behind what its clients saw is found out. */
export interface Witnessed {
  /**
   * The newest position of this partition that the caller has seen. If the store's epoch is the same but its seq is
   * smaller, or its log holds another nonce at that seq, or if its epoch is not known to have come after the caller's, the
   * store lost acknowledged history (a restart from an old snapshot, a fail-over) and starts a new epoch before it answers.
   * Which epochs came before, a store remembers as far as it can: the one it replaces, and that of the caller who made it.
   */
  readonly witness?: Position;
}

/** Asks for the entry of a key; or, in the same step, for the right to load it. */
export interface ReadRequest extends Witnessed {
  /** Which entry: opaque, namespaces included. */
  readonly key: string;
  /**
   * Ask for the lease in the same step, if there is no valid fresh entry. `token` is random and made by the taker: a
   * repeat with the same token gets the same lease. The lease may be taken over `leaseMs` after it was granted or renewed.
   * `scopes` are the reserved tags of the key: a lease older than the invalidation of one of them holds nobody.
   */
  readonly lease?: { readonly token: string; readonly leaseMs: number; readonly scopes: readonly string[] };
  /** The id of an entry that the caller wants reloaded although it is still fresh. Another entry is returned, not reloaded. */
  readonly refresh?: string;
  /** The id of the entry the caller holds: if it is still the one, its bytes are left out. */
  readonly hold?: string;
  /**
   * If another caller holds the lease, and there is no entry that may be served meanwhile (fresh, within its
   * stale-while-revalidate window, or stale during a back-off), the store may keep the request until the lease ends in
   * any way (commit, release, invalidation, deadline) or this time is over, and then answers as if asked anew. It calls
   * `onHeld` when it begins to wait. 0: answer at once. A store that cannot wait, or holds too many, answers `busy` at once.
   */
  readonly waitMs: number;
}

/** What a read found. Neither entry nor lease nor `busy`: there is nothing, and no lease was wanted. */
export interface ReadReply extends Stamp {
  /** A valid entry, fresh or stale. It may come together with a lease (stale, and the caller is to reload it). */
  readonly entry?: FoundEntry;
  /** The lease is the caller's. `version` is the seq at which it was granted. */
  readonly lease?: { readonly version: number };
  /**
   * The lease was wanted and somebody else has it, for `leftMs` more unless renewed. `backoff`: nobody loads; a load
   * failed, and whoever has something stale to serve should serve that until then.
   */
  readonly busy?: { readonly leftMs: number; readonly backoff: boolean };
}

/** Stores what was loaded under a lease. */
export interface CommitRequest extends Witnessed {
  /** The key of the lease. */
  readonly key: string;
  /** The token by which the lease was taken. */
  readonly token: string;
  /** The epoch that came with the lease. */
  readonly epoch: string;
  /** The version that came with the lease. */
  readonly version: number;
  /** By the store's clock; a commit that arrives later is refused. Absent until the caller knows the store's time. */
  readonly deadline?: number;
  /**
   * The loaded value; or, for "not modified", the id of the entry whose bytes are to be kept with new life under the
   * lease's version, with the labels given. If that entry is gone or another, the commit is refused.
   */
  readonly entry: NewEntry | (EntryMeta & { readonly keep: string });
}

/** What became of a commit. */
export interface CommitReply extends Stamp {
  /**
   * `stored`: it is the entry now (its id is the token) and valid by its final tags. `refused`: the lease was lost,
   * the epoch changed, the deadline passed, or clear, a tag or the floor is newer than the lease; nothing was stored.
   * Either way the lease is gone if it was the caller's, and those who waited for it are woken.
   */
  readonly outcome: "stored" | "refused";
  /** What is left until it is stale: less than its ttl if one of its tags was expired since the lease. */
  readonly freshForMs: number;
}

/** Prolongs a lease. */
export interface RenewRequest extends Witnessed {
  /** The key of the lease. */
  readonly key: string;
  /** The token by which it was taken. */
  readonly token: string;
  /** From now on, nobody takes it over for this long. */
  readonly leaseMs: number;
}

/** Whether there was something to prolong. */
export interface RenewReply extends Stamp {
  /** False: the lease is no longer the caller's, and its commit would be refused. */
  readonly held: boolean;
}

/** Gives a lease back without a value. */
export interface ReleaseRequest extends Witnessed {
  /** The key of the lease. */
  readonly key: string;
  /** The token by which it was taken. */
  readonly token: string;
  /** After a failed load: for this long nobody who has something stale to serve gets the lease. 0: at once. */
  readonly backoffMs: number;
}

/**
 * A set or an invalidation. One of:
 * - `set`: key and entry: stores it at the new seq;
 * - `delete`: removes the entry of the key;
 * - `expire`: marks the entry of the key stale as of now by the store's clock, never extending a window;
 * - `tags`: entries with any of these tags and a smaller version are invalid from now on;
 * - `expireTags`: entries with any of these tags and a smaller version are stale as of now.
 * The first three remove the key's lease and wake those who wait for it.
 */
export type Write =
  | { readonly kind: "set"; readonly key: string; readonly entry: NewEntry }
  | { readonly kind: "delete" | "expire"; readonly key: string }
  | { readonly kind: "tags" | "expireTags"; readonly tags: readonly string[] };

/** Does a write, once, however often it is sent. */
export interface WriteRequest extends Witnessed {
  /** What is to be done. */
  readonly write: Write;
  /**
   * Unique for ever; the same for every retry of one write. A repeat whose first execution is still in the log is
   * acknowledged with the record of the first one and changes nothing.
   */
  readonly nonce: string;
  /** By the store's clock; a write that arrives later is not done. Absent until the caller knows the store's time. */
  readonly deadline?: number;
}

/** What became of a write. */
export interface WriteReply extends Stamp {
  /** The record it made, or the first one's for a repeat. Absent: refused because the deadline had passed. */
  readonly record?: LogRecord;
}

/** Asks what was invalidated since. */
export interface ChangesRequest extends Witnessed {
  /** The caller's applied position. */
  readonly since: Position;
}

/** What was invalidated since, if the log still tells. */
export interface ChangesReply extends Stamp {
  /**
   * The records since+1 .. seq, complete and in order. Absent if the log does not reach back, they are too many for
   * one answer, or the epoch is another: the caller drops what it holds of this partition.
   */
  readonly records?: readonly LogRecord[];
}

/** One operation of a batch: what it takes alone. The witness is the batch's; a read is answered at once (`waitMs` 0). */
export type BatchItem =
  | { readonly operation: "read"; readonly request: ReadRequest }
  | { readonly operation: "commit"; readonly request: CommitRequest }
  | { readonly operation: "renew"; readonly request: RenewRequest }
  | { readonly operation: "release"; readonly request: ReleaseRequest }
  | { readonly operation: "write"; readonly request: WriteRequest };

/** Several operations on one partition. */
export interface BatchRequest extends Witnessed {
  /** At least one, at most 1,000; and with values of together less than 4 MiB, not counting the last one's. */
  readonly items: readonly BatchItem[];
}

/** The most operations in one batch. */
export const MAX_BATCH_ITEMS = 1_000;
/** A batch to be sent ends with the item that brings its values to this; what is left goes with the next. */
export const MAX_BATCH_BYTES = 4 * 1_048_576;

/** The answer to one of them; or why this one, which alone would have been refused for what it is, was not done. */
export type BatchItemReply = ReadReply | CommitReply | RenewReply | Stamp | WriteReply | { readonly error: string };

/** What came of a batch. */
export interface BatchReply {
  /** In the order of the items, from the first on, at least one. Those of the end may be missing: they were not done. */
  readonly replies: readonly BatchItemReply[];
}

/** For operators and tests: what a partition holds. */
export interface InfoReply extends Stamp {
  /** Entries, whether valid or only not yet removed. */
  readonly entries: number;
  /** What they count for against the size limit of the store. */
  readonly bytes: number;
  /** Leases that are held, and marks of failed loads. */
  readonly leases: number;
  /** Invalidated and expired tags that are remembered, reserved ones apart. */
  readonly tags: number;
  /** Invalidations in the log. */
  readonly logRecords: number;
}

/** Passed with every call. */
export interface CallOptions {
  /** Fires when the caller no longer waits; the transport should let go of the request. What it did stays done. */
  readonly signal?: AbortSignal;
  /**
   * To be called at most once, as soon as it is known that the store has a read and holds it (`waitMs`). Until then the
   * usual time-out applies, so that a store that is out of reach is not mistaken for one that waits.
   */
  readonly onHeld?: () => void;
}

/**
 * The number of partitions is not what the caller believed; `partitions` of the connection has been set to what the
 * store recorded first. Nothing was done; the caller drops what it holds and asks anew.
 */
export interface Moved {
  /** What tells this answer from a reply. */
  readonly moved: true;
}

/** The answer to any operation. */
export type Answer<Reply> = Promise<Reply | Moved>;

/**
 * One cache name's view of a store.
 *
 * - **Atomicity**: each operation is one atomic step in its partition; entry, lease, tags, log and position agree.
 * - **Errors**: an operation that may or may not have been done rejects with a StoreError. Bytes that were damaged are
 *   returned as they are (the codec finds out); metadata that cannot be read counts as lost (a new epoch).
 * - **Time-outs**: the engine puts a time-out on every call (and adds `waitMs` to that of a read) and stops
 *   listening; a store need not have its own. An answer that comes later is ignored.
 * - **Races**: between any two operations on a partition, the store's order decides; replies carry it as `seq`.
 * - **Size**: the store bounds itself: it evicts entries, prunes tags (raising the floor) and trims its log. All that is safe.
 */
export interface StoreConnection {
  /** How many partitions there are, at least 1. Changes only when an operation answers `moved`. */
  readonly partitions: number;
  /** How many held reads (`waitMs` above 0) one request may have open at once; Infinity if the transport does not mind. */
  readonly heldReadsPerRequest: number;
  /** Validity and entry, or the lease, or who is busy. */
  read(partition: number, request: ReadRequest, call: CallOptions): Answer<ReadReply>;
  /** Stores what a lease holder loaded, and gives the lease back. */
  commit(partition: number, request: CommitRequest, call: CallOptions): Answer<CommitReply>;
  /** Prolongs a lease that is still held. */
  renew(partition: number, request: RenewRequest, call: CallOptions): Answer<RenewReply>;
  /** Gives a lease back without a value. A lease that is not the caller's is left alone. */
  release(partition: number, request: ReleaseRequest, call: CallOptions): Answer<Stamp>;
  /** A set or an invalidation. */
  write(partition: number, request: WriteRequest, call: CallOptions): Answer<WriteReply>;
  /**
   * Several operations on one partition in one round trip, in their order, each as if it came alone. A store that would
   * have to answer too much answers the first of them, and the caller asks for the rest again.
   */
  batch(partition: number, request: BatchRequest, call: CallOptions): Answer<BatchReply>;
  /** The log since a position. */
  changesSince(partition: number, request: ChangesRequest, call: CallOptions): Answer<ChangesReply>;
  /** What the partition holds. Changes nothing. */
  info(partition: number, call: CallOptions): Answer<InfoReply>;
  /** What tells of this store's invalidations as they happen, where the store itself can: its own bus. */
  readonly bus?: Bus;
  /** Releases what the connection itself opened. Idempotent. */
  close(): Promise<void>;
}

/** What a store learns from the cache that uses it. */
export interface ConnectOptions {
  /** The cache's name: caches of different names share nothing. */
  readonly name: string;
  /** The runtime: the clock of a store in this process, its timers and its randomness. */
  readonly platform: Platform;
}

/** A store, as users hand it to `createCache`. Creating one does no I/O: it may be made at module scope. */
export interface Store {
  /** For events and messages: "memory", "durable-object". */
  readonly kind: string;
  /** Called once by each cache that is given the store, when it is created: does no I/O. */
  connect(options: ConnectOptions): StoreConnection;
}
