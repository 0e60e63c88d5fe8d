// P2: what was acknowledged longer than the bound before a read began is seen by that read, on any instance.
import {
  forbids,
  isOlder,
  showOp,
  showRead,
  type History,
  type Invalidation,
  type Moment,
  type Read,
} from "../history.ts";
import type { Plan } from "../plan.ts";

/**
 * The bound by mode: none for a strong read, `maxStaleness` for any other (nothing pushes here). On a worker, the time
 * that its request computed before it asked is added: its clock stood still. While the store is out of reach, what is
 * stale may be returned, marked so; but not by a strict instance.
 */
export function checkBound(
  history: History,
  plan: Plan,
  read: Read,
  invalidation: Invalidation,
  mode: "bound" | "strict",
): void {
  const acknowledged = durableFrom(invalidation);
  const done = firstDone(invalidation);
  if (acknowledged === undefined || done === undefined) return;
  const { burnMs, entry } = read.op;
  const boundMs = burnMs + (entry.strong ? 0 : plan.maxStalenessMs);
  // Without a bound it is the order that counts, not the millisecond.
  const mustSee =
    boundMs === 0 && entry.strong ? acknowledged.step < read.begun.step : acknowledged.at + boundMs < read.begun.at;
  if (!mustSee || !isOlder(read.value, done) || !forbids(invalidation, read)) return;
  if (read.outOfReach && read.state === "stale" && mode === "bound") return;
  history.violate(
    read.outOfReach ? mode : "bound",
    `${showRead(read)}; ${showOp(invalidation.op)} was acknowledged at ${acknowledged.at}`,
  );
}

/** Since when it may be relied on; undefined: it was not acknowledged, or a fail-over that nobody could see has undone it. */
function durableFrom({ acknowledged, recovered, done }: Invalidation): Moment | undefined {
  if ([...done.values()].some(({ lost }) => lost)) return undefined;
  return acknowledged && recovered && recovered.step > acknowledged.step ? recovered : acknowledged;
}

function firstDone({ done }: Invalidation): Moment | undefined {
  let first: Moment | undefined;
  for (const each of done.values()) if (first === undefined || each.step < first.step) first = each;
  return first;
}
