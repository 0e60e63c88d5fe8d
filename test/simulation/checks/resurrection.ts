// P1: no value whose load began before an invalidation is visible in the store after it.
import { isExpiry, isOlder, showOp, touches, type History, type Moment, type Value } from "../history.ts";

/** What the store keeps or returns, at the moment it does. `fresh`: as fresh; after an expiry a value may still be stale. */
export interface Visible {
  readonly value: Value;
  readonly fresh: boolean;
  readonly partition: number;
  readonly at: Moment;
  readonly how: "returns" | "stores";
}

/**
 * At once, not after some bound: the store is the authority. (In memory tiers it may be visible until the bound of P2.)
 * What a fail-over has undone is excused until an instance that saw it speaks to the store.
 */
export function checkResurrection(history: History, { value, fresh, partition, at, how }: Visible): void {
  for (const invalidation of history.invalidations) {
    const done = invalidation.done.get(partition);
    if (done === undefined || done.lost || done.step > at.step) continue;
    if (!isOlder(value, done) || !touches(invalidation, value) || (isExpiry(invalidation) && !fresh)) continue;
    history.violate(
      "no resurrection",
      `the store ${how} value ${value.n}, older than ${showOp(invalidation.op)} at ${done.at}`,
    );
  }
}
