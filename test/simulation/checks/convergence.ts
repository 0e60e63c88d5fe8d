// P3, in the end: once nothing fails any more, all instances soon agree, and each key is loaded once.
import { showOp } from "../history.ts";
import type { Op } from "../plan.ts";
import type { Call, World } from "../world.ts";

/** The loads of each key so far. */
export type Loads = ReadonlyMap<string, number>;

const nameOf = ({ path, key }: Op): string => [...path, key].join("/");

/**
 * Whether the store has room for what is read in the end: it may evict what it has just stored. A Durable Object counts
 * an entry that it has lost as if it were there, until its next tour.
 */
export function hasRoom({ plan }: World, keys: number): boolean {
  const lost = plan.faults.filter(({ kind }) => kind === "loseEntry").length;
  return plan.limits.maxEntries >= keys * (1 + lost);
}

/** Each instance reads each key: one of them may load it, the others get that. */
export function checkLoadedOnce({ history }: World, calls: readonly Call[], before: Loads): void {
  for (const name of new Set(calls.map(({ op }) => nameOf(op)))) {
    const count = (history.loads.get(name) ?? 0) - (before.get(name) ?? 0);
    if (count > 1) history.violate("convergence", `${count} loads of ${name} although nothing fails any more`);
  }
}

/** And once more: nobody loads, all have the same value, and nobody waits for more than the network. */
export function checkAgreement({ history, plan, base }: World, calls: readonly Call[], before: Loads): void {
  const limitMs = 6 * plan.network.delay[1] + 50;
  const first = new Map<string, number | undefined>();
  for (const { op, begun, ended, returned, life } of calls) {
    const name = nameOf(op);
    const tookMs = (ended?.at ?? base.monotonic()) - begun.at;
    if (tookMs > limitMs)
      history.violate("convergence", `${showOp(op)} on ${life.name} took ${tookMs} ms, and nothing fails any more`);
    if (!first.has(name)) first.set(name, returned);
    if (first.get(name) !== returned) {
      history.violate(
        "convergence",
        `${life.name} reads value ${returned} of ${name}, another value ${first.get(name)}, in the end`,
      );
    }
    const count = (history.loads.get(name) ?? 0) - (before.get(name) ?? 0);
    if (count > 0) history.violate("convergence", `${name} is loaded again although all have read it`);
  }
}
