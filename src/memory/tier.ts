// The memory tier: a bounded, synchronous map. What is expired leaves before what is live, then the policy chooses.
import { createExpiryWheel } from "./expiry-wheel.ts";
import { createLru } from "./lru.ts";
import { Slot } from "./slot.ts";

/**
 * What an entry holds beside its value and the characters of its key, in bytes: slot, map entry and the key's header.
 * Measured by bench/memory-overhead.mjs: 148 to 180 on Node 24, as the map's table is full or has just doubled.
 */
export const ENTRY_OVERHEAD_BYTES = 160;
/** Strings hold one or two bytes a character; which is not to be seen from outside. */
const CHARACTER_BYTES = 2;
/** No value may hold more than this part of the tier, so that one cannot push out all others. */
const LARGEST_SHARE = 1 / 8;
/** Expired slots that a `set` clears away although it needs no room: more than it brings in, so they run out. */
const SPARE_EVICTIONS = 2;

/** Why a slot was evicted: for lack of room, or because its time was over. */
export type EvictionCause = "size" | "expired";

export interface MemoryTierOptions<T> {
  /** Bound of `bytes`. */
  readonly maxBytes: number;
  /** Bound of `entries`. */
  readonly maxEntries: number;
  /**
   * Told of every slot that the tier evicts, after it is out; not of what was deleted, replaced, refused or cleared. It
   * may call the tier, but a `set` in answer to every eviction would not end. What it throws is ignored.
   */
  readonly onEvict?: ((slot: Slot<T>, cause: EvictionCause) => void) | undefined;
}

/** Everything is synchronous, reads no clock and sets no timer. `now` and `expiresAt`: milliseconds from one origin. */
export interface MemoryTier<T> {
  /** The slot of the key, expired or not, and marks it as used. */
  get(key: string): Slot<T> | undefined;
  /** The same without marking it. */
  peek(key: string): Slot<T> | undefined;
  /**
   * Keeps an item, whatever was there before; `bytes` estimates the item alone. Makes room first, so that the bounds hold
   * at every instant, by evicting expired slots and then those the policy chooses. False, and the key is gone: the item
   * is larger than an eighth of `maxBytes`, or no room could be made. An item that is expired already is kept until the
   * next `set`.
   */
  set(key: string, item: T, bytes: number, expiresAt: number, now: number): boolean;
  /** Whether there was a slot. */
  delete(key: string): boolean;
  clear(): void;
  /** What the slots hold whose keys begin so. Looks at all of them. */
  sizeOf(prefix: string): { readonly entries: number; readonly bytes: number };
  readonly entries: number;
  /** The estimates of all items, and what keys and bookkeeping add. */
  readonly bytes: number;
}

type Writable<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] };

export const createMemoryTier = <T>({ maxBytes, maxEntries, onEvict }: MemoryTierOptions<T>): MemoryTier<T> => {
  const slots = new Map<string, Slot<T>>();
  let policy = createLru<T>();
  let wheel = createExpiryWheel<T>();

  /** What goes in or out passes here. */
  const count = (bytes: number): void => {
    tier.entries = slots.size;
    tier.bytes += bytes;
  };

  const remove = (key: string): Slot<T> | undefined => {
    const slot = slots.get(key);
    if (slot !== undefined) {
      slots.delete(key);
      policy.remove(slot);
      wheel.remove(slot);
      count(-slot.bytes);
    }
    return slot;
  };

  /** Frees what a slot of `bytes` needs and a little more of what is expired; false: there is nothing left to free. */
  const makeRoom = (key: string, bytes: number, now: number): boolean => {
    for (let spare = SPARE_EVICTIONS; ; spare--) {
      remove(key); // in the loop: `onEvict` may have set it again
      const full = slots.size >= maxEntries || tier.bytes + bytes > maxBytes;
      if (!full && spare <= 0) return true;
      const expired = wheel.take(now);
      const slot = expired ?? (full ? policy.victim() : undefined);
      if (slot === undefined) return !full;
      remove(slot.key);
      try {
        onEvict?.(slot, expired === undefined ? "size" : "expired");
      } catch {
        // The slot is out and the tier consistent: a listener's failure is no reason to refuse a value.
      }
    }
  };

  // Two plain numbers, not accessors: a literal with accessors makes every call of `get` a sixth slower in V8.
  const tier: Writable<MemoryTier<T>> = {
    entries: 0,
    bytes: 0,
    get(key) {
      const slot = slots.get(key);
      if (slot !== undefined) policy.hit(slot);
      return slot;
    },
    peek: (key) => slots.get(key),
    set(key, item, bytes, expiresAt, now) {
      const slot = new Slot(key, item, bytes + key.length * CHARACTER_BYTES + ENTRY_OVERHEAD_BYTES, expiresAt);
      // Written so that NaN is refused, too: it would end all counting.
      if (!(bytes <= maxBytes * LARGEST_SHARE && slot.bytes <= maxBytes)) {
        remove(key);
        return false;
      }
      if (!makeRoom(key, slot.bytes, now)) return false;
      slots.set(key, slot);
      policy.insert(slot);
      wheel.insert(slot, now);
      count(slot.bytes);
      return true;
    },
    delete: (key) => remove(key) !== undefined,
    clear() {
      slots.clear();
      policy = createLru();
      wheel = createExpiryWheel();
      count(-tier.bytes);
    },
    sizeOf(prefix) {
      const found = [...slots.values()].filter(({ key }) => key.startsWith(prefix));
      return { entries: found.length, bytes: found.reduce((sum, slot) => sum + slot.bytes, 0) };
    },
  };
  return tier;
};
