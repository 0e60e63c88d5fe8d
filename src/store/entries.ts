// The entries of a partition: finding a valid one, storing, and keeping within bounds. To be called inside a step.
import type { EntryMeta, FoundEntry } from "./contract.ts";
import type { EntryHead, Moment, PartitionStorage } from "./partition-storage.ts";
import { freshFor, since } from "./validity.ts";

/** An access is written down at most this often. */
const COARSE_MS = 3_600_000;
/** How many entries may be evicted for one that is stored. */
const EVICT_ROWS = 1_000;
/** What an entry takes besides value, key and tags; about right for a row and for a Map. */
const ENTRY_OVERHEAD = 200;

/** The bounds of the entries of a partition. */
export interface EntryLimits {
  /** Of all entries together, keys and tags included. Beyond it the least recently used ones go. Default 256 MB. */
  readonly maxBytes: number;
  /** Default 100,000. */
  readonly maxEntries: number;
}

/** What is to be stored under its lease's token or its write's nonce. */
export interface EntryToStore {
  readonly key: string;
  readonly id: string;
  readonly version: number;
  /** Either with bytes, or with the id of the entry whose bytes are kept. */
  readonly entry: EntryMeta & { readonly bytes?: Uint8Array; readonly keep?: string };
}

/** What is left until an entry is stale; undefined if it is invalid or over. */
const leftOf = (storage: PartitionStorage, head: EntryHead, now: Moment): number | undefined =>
  freshFor(head, storage.marks(head.labels.tags), now);

const isAged = ({ usedAt }: EntryHead, now: Moment): boolean => since(usedAt, now) >= COARSE_MS;

/** The entry of a key if it is valid and not over; without its bytes if it is the one that is held. */
export function findEntry(
  storage: PartitionStorage,
  key: string,
  hold: string | undefined,
  now: Moment,
): FoundEntry | undefined {
  const head = storage.head(key);
  const freshForMs = head && leftOf(storage, head, now);
  if (head === undefined || freshForMs === undefined) return undefined;
  const { id, version, storedAt, labels } = head;
  const isHeld = id === hold;
  const bytes = isHeld ? undefined : storage.bytes(head);
  if (!isHeld && bytes === undefined) return undefined;
  if (isAged(head, now)) storage.touch(head, now.time);
  return { ...labels, id, version, ageMs: since(storedAt, now), freshForMs, ...(bytes && { bytes }) };
}

/** Removes at most so many of the least recently used entries; true if the rest does not fit yet. */
function evict(storage: PartitionStorage, { maxBytes, maxEntries }: EntryLimits, maxRows: number): boolean {
  for (let rows = maxRows; ; rows--) {
    const { entries, bytes } = storage.usage();
    const head = bytes > maxBytes || entries > maxEntries ? storage.oldest() : undefined;
    if (head === undefined) return false;
    if (rows <= 0) return true;
    storage.delete(head);
  }
}

/**
 * Stores an entry in the current epoch, and gives its `freshForMs`. Does nothing and gives undefined if it is invalid or
 * over from the start, if the entry whose bytes it was to keep is gone or another, or if it alone is too large.
 */
export function storeEntry(
  storage: PartitionStorage,
  limits: EntryLimits,
  { key, id, version, entry }: EntryToStore,
  now: Moment,
): number | undefined {
  const { epoch, time } = now;
  const { bytes, keep, ...labels } = entry;
  const tags = [...labels.tags];
  const old = storage.head(key);
  const valueBytes = bytes?.length ?? (old?.id === keep ? old?.valueBytes : undefined) ?? Infinity;
  const usedAt = old === undefined || isAged(old, now) ? time : old.usedAt;
  const costBytes = valueBytes + key.length + tags.join("").length + ENTRY_OVERHEAD;
  const head = { key, id, epoch, version, storedAt: time, usedAt, valueBytes, costBytes, labels: { ...labels, tags } };
  const freshForMs = costBytes > limits.maxBytes ? undefined : leftOf(storage, head, now);
  if (freshForMs === undefined) return undefined;
  if (old !== undefined && old.usedAt !== usedAt) storage.touch(old, usedAt);
  storage.put(head, old, bytes);
  evict(storage, limits, EVICT_ROWS);
  return freshForMs;
}

/** Removes what is invalid among the next entries, and evicts at most as many; true if there is more to do. */
export function pruneEntries(storage: PartitionStorage, limits: EntryLimits, maxRows: number, now: Moment): boolean {
  const more = storage.sweep(maxRows, (head) => leftOf(storage, head, now) === undefined);
  return evict(storage, limits, maxRows) || more;
}
