// What the memory tier asks of an eviction policy. Types only.
import type { Slot } from "./slot.ts";

/** Chooses which live slot goes when room is needed. Every method is O(1), amortised. It reads no clock and draws no number. */
export interface EvictionPolicy<T> {
  /** A slot came in. It is in no policy yet. */
  insert(slot: Slot<T>): void;
  /** A slot that is in was used. The hottest path of the library: a few pointer writes, none if nothing changes. */
  hit(slot: Slot<T>): void;
  /** A slot that is in goes, for whatever reason. */
  remove(slot: Slot<T>): void;
  /** The slot to evict next, which stays in until `remove`; undefined only if there is none. */
  victim(): Slot<T> | undefined;
}
