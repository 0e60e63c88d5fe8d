// `hardTimeout` and `signal`: a caller waits no longer than it said; and a load that everybody has left is ended.
import { showOp } from "../history.ts";
import { isRead, type Op } from "../plan.ts";
import type { Call, World } from "../world.ts";
import { checkNothingStale } from "./reloads.ts";

/** Why a caller's signal fires. */
export class CallerLeft extends Error {
  override readonly name = "CallerLeft";
}

/** The last caller of a load may leave it to its next sign of life, within a second. */
const BEAT_MS = 1_000;

/** How long a caller waits at most, by its own options. */
export function patienceOf({ kind, entry: { hardTimeout }, leavesAfterMs }: Op): number | undefined {
  if (!isRead(kind)) return undefined;
  const patienceMs = Math.min(leavesAfterMs ?? Infinity, (kind === "getOrSet" ? hardTimeout : undefined) ?? Infinity);
  return patienceMs === Infinity ? undefined : patienceMs;
}

const tookMs = ({ begun, ended }: Call): number => ended!.at - begun.at; // it has ended

/** A call has ended. */
export function checkInTime({ history }: World, call: Call): void {
  const { op, life, request } = call;
  const patienceMs = patienceOf(op);
  const { softTimeout = 0, hardTimeout } = op.entry;
  if (softTimeout > 0 && request.hit?.state === "stale" && tookMs(call) === softTimeout)
    history.struck("caller past its soft time-out");
  if (patienceMs === undefined || request.cancelled) return;
  const frozenMs = life.frozenMs - call.frozenMs;
  if (tookMs(call) <= patienceMs + frozenMs) return;
  const why = hardTimeout === patienceMs ? "its hard time-out" : "its caller";
  history.violate("in time", `${showOp(op)} on ${life.name} took ${tookMs(call)} ms, ${why} ${patienceMs} ms`);
}

/** A read was told that its hard time-out is over. */
export function checkGivenUp(world: World, call: Call): void {
  const { history } = world;
  const { kind, entry } = call.op;
  const { hardTimeout = Infinity } = entry;
  if (kind !== "getOrSet" || tookMs(call) < hardTimeout) {
    history.violate("in time", `${showOp(call.op)} gave up after ${tookMs(call)} ms`);
  } else history.struck("caller past its hard time-out");
  checkNothingStale(world, call);
}

/** A caller has left. If it led a load that nobody else waits for, that is to end. */
export function checkLeft({ history, base, calls }: World, call: Call): void {
  const { op, life, request } = call;
  const name = [...op.path, op.key].join("/");
  call.left = true;
  history.struck("caller left");
  const { leavesAfterMs = Infinity } = op;
  if (tookMs(call) < leavesAfterMs) {
    history.violate("in time", `${showOp(op)} left after ${tookMs(call)} ms, before its signal fired`);
  }
  // What is reloaded for something stale may be reloaded for nobody.
  const mine = [...life.loading].filter((each) => each.request === request && each.name === name && !each.hadStale);
  if (mine.length === 0) return;
  const { frozenMs } = life;
  base.setTimeout(() => {
    if (life.dead || life.closedEarly || life.frozenMs > frozenMs || request.over) return;
    for (const loading of mine) {
      if (loading.aborted) history.struck("loader had no caller left");
      if (loading.aborted || !life.loading.has(loading)) continue;
      const isWanted = (name: string): boolean =>
        calls.some(
          (other) =>
            other.life === life &&
            other.op.kind === "getOrSet" &&
            [...other.op.path, other.op.key].join("/") === name &&
            !other.left &&
            // Whose hard time-out was over before the loader began has not left.
            (other.ended === undefined || other.ended.at >= request.begunAt),
        );
      if (!loading.together.some((each) => each.hadStale || isWanted(each.name)))
        history.violate("in time", `the load of ${showOp(op)} on ${life.name} goes on, and nobody waits for it`);
    }
  }, BEAT_MS + 50);
}
