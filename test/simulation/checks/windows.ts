// Freshness: a value is returned as fresh only within its ttl, as stale only within its windows.
import { showRead, type History, type Read } from "../history.ts";
import type { Plan } from "../plan.ts";

/** Counted from when the read began, by true time; on a worker, by what its clock showed then. */
export function checkWindows(history: History, plan: Plan, read: Read): void {
  // A store whose clock was set back cannot know how old its entries are.
  if (plan.faults.some(({ kind, ms }) => kind === "storeClock" && ms < 0)) return;
  const { ttlMs, staleMs, keptAt } = read.value;
  const endsAt = keptAt + ttlMs + (read.state === "fresh" ? 0 : staleMs) + read.op.burnMs;
  if (read.begun.at > endsAt) history.violate("windows", `${showRead(read)}; its time was over at ${endsAt}`);
}
