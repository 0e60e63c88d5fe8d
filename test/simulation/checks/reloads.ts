// `eagerRefresh` and the time-outs: what is fresh is reloaded only when its time has come; and what is stale is served to
// who has waited for long enough.
import { isExpiry, showOp, touches, type History, type Value } from "../history.ts";
import type { Life, Loading, Request } from "../life.ts";
import type { Origin } from "../loaders.ts";
import type { FaultKind, Op } from "../plan.ts";
import type { Call, World } from "../world.ts";

/** A loader is called, and offered something that is there. */
export interface Reload {
  readonly op: Op;
  readonly life: Life;
  readonly request: Request | undefined;
  readonly loading: Loading;
  readonly old: Value;
  /** By the reckoning of its instance. */
  readonly ageMs: number;
}

/** Whoever waits for what is not yet known looks again so often. */
const LOOK_MS = 100;

const wasTouched = ({ invalidations }: History, value: Value, byExpiry: boolean): boolean =>
  invalidations.some((each) => (!byExpiry || isExpiry(each)) && touches(each, value));

/**
 * What nobody has made stale is not reloaded before it is, unless its reader asks for that, or cannot ask the store. Who
 * waited for a value counts its age from when it asked, which is before it was made; and clocks that jump count wrong.
 */
export function checkReloaded({ history, plan, base }: Origin, { op, life, request, old, ageMs }: Reload): void {
  const { instances, storeTimeoutMs, leaseMs, faults } = plan;
  const { heldReads, validates } = instances[op.instance]!; // it is one of them
  if (request?.lastRead !== "answered" || !old.isExact || wasTouched(history, old, true) || validates) return;
  if (life.jumpedAhead || faults.some(({ kind }) => kind === "storeClock")) return;
  const { eagerRefresh = 1 } = op.entry;
  const madeAt = old.readAt?.at ?? 0;
  const atMostMs = base.monotonic() - madeAt + storeTimeoutMs + (heldReads > 0 ? leaseMs : 0);
  if (atMostMs < Math.floor(eagerRefresh * old.ttlMs)) {
    const what = `${showOp(op)} on ${life.name} reloads value ${old.n}`;
    history.violate("windows", `${what}, ${ageMs} ms old, whose ttl is ${old.ttlMs}, refresh at ${eagerRefresh}`);
  } else if (ageMs < old.ttlMs) history.struck("refreshed before its end");
}

/** After these the store begins a new epoch; after a fail-over, when somebody finds out. */
const EPOCH_FAULTS: readonly FaultKind[] = ["restart", "restartEmpty", "loseMeta"];

/** Whether there is something else to serve than what the loader will bring, for one who is not waiting for it any more. */
function isServable(
  { history, plan }: Pick<Origin, "history" | "plan">,
  { jumpedAhead }: Life,
  { servable, beganAt }: Loading,
  nowMs: number,
): boolean {
  if (servable === undefined || nowMs >= servable.untilMs || jumpedAhead) return false;
  // With a new epoch all is void that was there before.
  const isVoid = plan.faults.some(
    ({ kind, at }) => kind === "failOver" || (at >= beganAt && at <= nowMs && EPOCH_FAULTS.includes(kind)),
  );
  return !isVoid && !wasTouched(history, servable.value, false);
}

/** The store has said what is stale: as long as that may be served, its reader waits for its soft time-out, and no longer. */
export function checkServedMeanwhile(origin: Origin, reload: Reload): void {
  const { history, base } = origin;
  const { op, life, request, loading, old, ageMs } = reload;
  const { softTimeout } = op.entry;
  if (request?.lastRead !== "answered" || !old.isExact) return;
  const now = base.monotonic();
  loading.servable = { value: old, untilMs: now - ageMs + old.ttlMs + old.staleMs };
  if (softTimeout === undefined) return;
  const servedAt = Math.max(request.begunAt + op.burnMs + softTimeout, now) + LOOK_MS + 1;
  const { frozenMs } = life;
  const look = (): void => {
    // Of many keys it may be among those that have their answer.
    if (request.answered || request.hit || request.over || life.dead || life.closedEarly || life.frozenMs > frozenMs)
      return;
    if (!life.loading.has(loading) || !isServable(origin, life, loading, servedAt)) return;
    const what = `${showOp(op)} on ${life.name} waits for its loader`;
    history.violate("in time", `${what}, its soft time-out ${softTimeout} ms`);
  };
  base.setTimeout(look, servedAt - now);
}

/** A reader was told that its hard time-out is over: its loader runs, and there is nothing stale. */
export function checkNothingStale(world: World, { op, life, request }: Call): void {
  const { history, base } = world;
  for (const loading of life.loading) {
    if (loading.request !== request || !isServable(world, life, loading, base.monotonic() + 1)) continue;
    history.violate("in time", `${showOp(op)} on ${life.name} gave up, and there was something stale to serve`);
  }
}
