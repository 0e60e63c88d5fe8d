// One entry of the memory tier: a single object of fixed shape that carries its own links, so nothing else is allocated for it.

/**
 * An entry, made anew for every `set`: the same slot means the same copy. Its links belong to the tier's structures,
 * each a ring closed by a sentinel; a slot that is in no ring is linked to itself, so that removing it twice is harmless
 * and a slot held from outside keeps no others alive.
 *
 * The fields are declared, not defined: a field defined as undefined before it gets its number costs V8 a wider shape.
 */
export class Slot<T> {
  declare readonly key: string;
  declare readonly item: T;
  /** What the tier counts for it: the value's estimate, the key, and the overhead. */
  declare readonly bytes: number;
  /** By the clock of whoever passes `now`, in milliseconds; Infinity: never. */
  declare readonly expiresAt: number;
  /** Neighbours in the order of the eviction policy. */
  declare newer: Slot<T>;
  declare older: Slot<T>;
  /** Neighbours in a bucket of the expiry wheel, in no order. */
  declare next: Slot<T>;
  declare previous: Slot<T>;

  constructor(key: string, item: T, bytes: number, expiresAt: number) {
    this.key = key;
    this.item = item;
    this.bytes = bytes;
    this.expiresAt = expiresAt;
    this.newer = this.older = this.next = this.previous = this;
  }
}

/** The node that closes a ring. It has the shape of all others, which keeps the code that walks them monomorphic. */
export const createSentinel = <T>(): Slot<T> =>
  new Slot("", undefined as T /* a sentinel's item is never read */, 0, Infinity);
