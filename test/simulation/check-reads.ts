// What a read may return: nothing invalidated before its bound (P2), nothing this instance gave up itself (P5), nothing past its time.
import { isExpiry, isOlder, showOp, touches, type History, type Invalidation, type Read } from "./history.ts";
import type { Plan } from "./plan.ts";

export function checkRead(history: History, plan: Plan, read: Read): void {
  for (const invalidation of history.invalidations) {
    if (!touches(invalidation, read.value)) continue;
    checkBound(history, plan, read, invalidation);
    checkOwn(history, read, invalidation);
  }
  checkWindows(history, plan, read);
}

/** Whether what was returned is what the invalidation forbids: after an expiry, only a fresh value is. */
function forbids(invalidation: Invalidation, { state, value }: Read): boolean {
  if (!isExpiry(invalidation)) return true;
  // The cache does not say how stale a value is that came from a shared load; one that has no such window is fresh.
  return state === "fresh" || (state === "unknown" && value.revalidateMs === 0);
}

/**
 * P2: an invalidation that was acknowledged longer than the bound before the read began (for a strong read: at all) is
 * seen by it. While the store is out of reach, a stale value may be returned, and is marked so.
 */
function checkBound(history: History, plan: Plan, read: Read, invalidation: Invalidation): void {
  const { acknowledged, done, op } = invalidation;
  const first = [...done.values()].reduce<{ step: number; at: number } | undefined>(
    (a, b) => (a === undefined || b.step < a.step ? b : a),
    undefined,
  );
  if (acknowledged === undefined || first === undefined) return;
  const { strong } = read.op.entry;
  const mustSee = strong ? acknowledged.step < read.begun.step : acknowledged.at + plan.maxStalenessMs < read.begun.at;
  if (!mustSee || !isOlder(read.value, first) || !forbids(invalidation, read)) return;
  if (read.outOfReach && read.state === "stale") return;
  history.violate("P2", `${showRead(read)}; ${showOp(op)} was acknowledged at ${acknowledged.at}`);
}

/** P5: what an instance itself asked for is honoured by it at once, acknowledged or not. */
function checkOwn(history: History, read: Read, invalidation: Invalidation): void {
  const { by, asked, op } = invalidation;
  if (by !== read.by || asked.step > read.begun.step) return;
  if (isOlder(read.value, asked) && forbids(invalidation, read)) {
    history.violate("P5", `${showRead(read)}; it asked for ${showOp(op)} itself at ${asked.at}`);
  }
}

/** Fresh only within ttl, stale only within its windows, counted from when the read began. */
function checkWindows(history: History, plan: Plan, read: Read): void {
  // A store whose clock was set back cannot know how old its entries are.
  if (plan.faults.some(({ kind, ms }) => kind === "storeClock" && ms < 0)) return;
  const { ttlMs, staleMs, keptAt } = read.value;
  const endsAt = keptAt + ttlMs + (read.state === "fresh" ? 0 : staleMs);
  if (read.begun.at > endsAt) history.violate("ttl", `${showRead(read)}; its time was over at ${endsAt}`);
}

const showRead = ({ op, value, state, tier, begun }: Read): string =>
  `${showOp(op)}${op.entry.strong ? ", strong," : ""} begun at ${begun.at} returns value ${value.n} ` +
  `(born ${value.born?.at ?? "later"}) ${state} from ${tier}`;
