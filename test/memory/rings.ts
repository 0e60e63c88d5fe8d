// Walks the links of slots and throws at the first one that is wrong.
import type { Slot } from "../../src/memory/slot.ts";

type Links = readonly ["older", "newer"] | readonly ["next", "previous"];
const ORDER = ["older", "newer"] as const;
const BUCKET = ["next", "previous"] as const;

/** The ring through `start`, which must be closed and agree in both directions. */
const walk = <T>(start: Slot<T>, [forward, backward]: Links, limit: number): Slot<T>[] => {
  const ring = [start];
  for (let slot = start[forward]; slot !== start; slot = slot[forward]) {
    if (slot[forward][backward] !== slot) throw new Error(`${slot.key}: ${forward} and ${backward} disagree`);
    if (ring.push(slot) > limit) throw new Error(`${start.key}: ${forward} never comes back`);
  }
  if (start[forward][backward] !== start) throw new Error(`${start.key}: ${forward} and ${backward} disagree`);
  return ring;
};

/** In no ring at all. */
export const isUnlinked = (slot: Slot<unknown>): boolean =>
  slot.older === slot && slot.newer === slot && slot.next === slot && slot.previous === slot;

/**
 * Checks that the given slots, all that a tier holds, are linked to each other and to nothing else: one ring in the
 * policy's order, and one bucket for each that can expire. Returns the keys, oldest first.
 */
export const checkRings = (slots: readonly Slot<unknown>[]): string[] => {
  const all = new Set(slots);
  /** A ring without its sentinel, which must be the only stranger in it; from the slot after the sentinel onwards. */
  const members = (start: Slot<unknown>, links: Links): Slot<unknown>[] => {
    const ring = walk(start, links, slots.length + 1);
    const sentinel = ring.findIndex((slot) => !all.has(slot));
    const inside = [...ring.slice(sentinel + 1), ...ring.slice(0, sentinel)];
    if (sentinel < 0 || inside.some((slot) => !all.has(slot)))
      throw new Error(`${start.key}: a ring with strangers or none`);
    return inside;
  };
  for (const slot of slots) {
    if (slot.expiresAt !== Infinity) members(slot, BUCKET);
    else if (slot.next !== slot || slot.previous !== slot)
      throw new Error(`${slot.key}: waits though it never expires`);
  }
  const [first] = slots;
  const newestFirst = first === undefined ? [] : members(first, ORDER);
  if (newestFirst.length !== slots.length) throw new Error("not all slots are in the policy's ring");
  return newestFirst.map((slot) => slot.key).reverse();
};
