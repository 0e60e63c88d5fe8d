// The least recently used slot goes first: a ring through the slots, newest to oldest.
import type { EvictionPolicy } from "./policy.ts";
import { createSentinel, type Slot } from "./slot.ts";

/** LRU. Four pointer writes per insert or removal, six per hit, none for a hit on the newest. */
export const createLru = <T>(): EvictionPolicy<T> => {
  const ring = createSentinel<T>(); // its `older` is the newest slot, its `newer` the oldest

  const unlink = (slot: Slot<T>): void => {
    slot.newer.older = slot.older;
    slot.older.newer = slot.newer;
  };
  const insert = (slot: Slot<T>): void => {
    const second = ring.older;
    slot.newer = ring;
    slot.older = second;
    second.newer = ring.older = slot;
  };

  return {
    insert,
    hit(slot) {
      if (ring.older === slot) return;
      unlink(slot);
      insert(slot);
    },
    remove(slot) {
      unlink(slot);
      slot.newer = slot.older = slot;
    },
    victim: () => (ring.newer === ring ? undefined : ring.newer),
  };
};
