// The entries of a partition: finding a valid one, storing, and keeping within bounds.
import type { EntryMeta, FoundEntry } from "./contract.ts";
import type { EntryHead, Moment, PartitionStorage } from "./partition-storage.ts";
import { isOpen, since, windowsOf } from "./validity.ts";
import type { Windows } from "./validity.ts";

/** An access is written down at most this often. */
const COARSE_MS = 3_600_000;
/** How many entries may be evicted for one that is stored. */
const EVICT_ROWS = 1_000;
/** What an entry takes besides value, key and tags; about right for a row and for a Map. */
const ENTRY_OVERHEAD = 200;

/** The bounds of the entries of a partition. */
export interface EntryLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** The entries over one storage. To be called inside its `atomic`. */
export interface Entries {
  /** What is left of the windows of an entry, or undefined if it is invalid. */
  windows(head: EntryHead, now: Moment): Windows | undefined;
  /** The entry of a key if it is valid and not over; without its bytes if it is the one that is held. */
  find(key: string, hold: string | undefined, now: Moment): FoundEntry | undefined;
  /** Stores an entry; without bytes it keeps those of `old`. False: it alone is too large, only the old one was removed. */
  store(head: EntryHead, old: EntryHead | undefined, bytes: Uint8Array | undefined): boolean;
  /** Removes what is invalid among the next entries, and evicts at most as many; true if there is more to do. */
  prune(maxRows: number, now: Moment): boolean;
}

export function createEntries(storage: PartitionStorage, { maxBytes, maxEntries }: EntryLimits): Entries {
  const windows = (head: EntryHead, now: Moment): Windows | undefined =>
    windowsOf(head, storage.marks(head.labels.tags), now);

  const valid = (head: EntryHead, now: Moment): Windows | undefined => {
    const left = windows(head, now);
    return left && isOpen(left) ? left : undefined;
  };

  /** Removes at most so many of the least recently used entries; true if the rest does not fit yet. */
  const evict = (maxRows: number): boolean => {
    for (let rows = maxRows; ; rows--) {
      const { entries, bytes } = storage.usage();
      const head = bytes > maxBytes || entries > maxEntries ? storage.oldest() : undefined;
      if (head === undefined) return false;
      if (rows <= 0) return true;
      storage.delete(head);
    }
  };

  return {
    windows,
    find(key, hold, now) {
      const head = storage.head(key);
      const left = head && valid(head, now);
      if (head === undefined || left === undefined) return undefined;
      const { id, version, storedAt, labels } = head;
      const bytes = id === hold ? undefined : storage.bytes(head);
      if (id !== hold && bytes === undefined) return undefined;
      if (isAged(head, now)) storage.touch(head, now.time);
      return { ...labels, id, version, ageMs: since(storedAt, now), ...left, ...(bytes && { bytes }) };
    },
    store(head, old, bytes) {
      if (head.costBytes > maxBytes) {
        if (old !== undefined) storage.delete(old);
        return false;
      }
      if (old !== undefined && old.usedAt !== head.usedAt) storage.touch(old, head.usedAt);
      storage.put(head, old, bytes);
      evict(EVICT_ROWS);
      return true;
    },
    prune(maxRows, now) {
      const { heads, more } = storage.scan(maxRows);
      for (const head of heads) if (valid(head, now) === undefined) storage.delete(head);
      return evict(maxRows) || more;
    },
  };
}

const isAged = ({ usedAt }: EntryHead, now: Moment): boolean => since(usedAt, now) >= COARSE_MS;

/** Makes the head of a new entry. */
export function headOf(
  identity: Pick<EntryHead, "key" | "id" | "epoch" | "version">,
  labels: EntryMeta,
  valueBytes: number,
  old: EntryHead | undefined,
  now: Moment,
): EntryHead {
  const { key } = identity;
  const { tags } = labels;
  return {
    ...identity,
    labels: { ...labels, tags: [...tags] },
    storedAt: now.time,
    usedAt: old === undefined || isAged(old, now) ? now.time : old.usedAt,
    valueBytes,
    costBytes: valueBytes + key.length + tags.join("").length + ENTRY_OVERHEAD,
  };
}
