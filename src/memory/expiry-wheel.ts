// Finds expired slots in O(1) amortised, without timers or scans: a hierarchical timing wheel moved on by its callers.
//
// G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 7; used for the same end by Caffeine.
// Level n has 64 buckets of 64^n ms; a slot waits in the level that fits the time it has left, in the bucket of its due
// time. Unlike there, a bucket that time reaches is not worked off but appended, whole, to the ring of the due; whoever
// takes from that ring looks at the slot's time and puts it into a finer bucket if it has some left. So moving on costs at
// most 64 splices a level however far time jumps, and a clock that goes back does no harm: what is found early waits again.
import { createSentinel, type Slot } from "./slot.ts";

/** 64 of the coarsest buckets are 12 days. What lasts longer is put back once in that time. */
const LEVELS = 5;
const BUCKETS = 64;

export interface ExpiryWheel<T> {
  /** Puts a slot that is in no bucket where its `expiresAt` belongs. One that never expires is in none. */
  insert(slot: Slot<T>, now: number): void;
  remove(slot: Slot<T>): void;
  /** A slot that has expired (`expiresAt` at or before `now`, at most a millisecond late), taken out; undefined: there is none. */
  take(now: number): Slot<T> | undefined;
}

/** Both `now` and `expiresAt` are milliseconds from one origin, whichever. */
export const createExpiryWheel = <T>(): ExpiryWheel<T> => {
  const due = createSentinel<T>();
  const buckets = new Array<Slot<T> | undefined>(LEVELS * BUCKETS); // made when first used: most stay empty
  let time = 0;

  /** Appends the ring `from` first to last, which may be the same slot. */
  const append = (ring: Slot<T>, first: Slot<T>, last: Slot<T>): void => {
    first.previous = ring.previous;
    first.previous.next = first;
    last.next = ring;
    ring.previous = last;
  };

  /** Moves time to `now`; every bucket begun since becomes due. */
  const advance = (now: number): void => {
    let from = time;
    let to = (time = Math.floor(now));
    for (let level = 0; to > from && level < LEVELS; level++) {
      for (let back = Math.min(to - from, BUCKETS); back-- > 0;) {
        const bucket = buckets[level * BUCKETS + ((to - back) & (BUCKETS - 1))];
        if (bucket === undefined || bucket.next === bucket) continue;
        append(due, bucket.next, bucket.previous);
        bucket.next = bucket.previous = bucket;
      }
      from = Math.floor(from / BUCKETS);
      to = Math.floor(to / BUCKETS);
    }
  };

  const insert = (slot: Slot<T>, now: number): void => {
    advance(now);
    if (slot.expiresAt === Infinity) return;
    let tick = Math.ceil(slot.expiresAt); // rounded up, so that a slot with time left is never due at once, again and again
    let left = tick - time;
    if (left <= 0) return append(due, slot, slot);
    let level = 0;
    for (; left >= BUCKETS && level < LEVELS - 1; level++) {
      left /= BUCKETS;
      tick = Math.floor(tick / BUCKETS);
    }
    append((buckets[level * BUCKETS + (tick & (BUCKETS - 1))] ??= createSentinel()), slot, slot);
  };

  const remove = (slot: Slot<T>): void => {
    slot.previous.next = slot.next;
    slot.next.previous = slot.previous;
    slot.next = slot.previous = slot;
  };

  return {
    insert,
    remove,
    take(now) {
      advance(now);
      for (;;) {
        const slot = due.next;
        if (slot === due) return;
        remove(slot);
        if (slot.expiresAt <= now) return slot;
        insert(slot, now);
      }
    },
  };
};
