// `maxConcurrentLoads`: never more loaders run in one instance, and no load goes without its turn while there is room.
import { showOp } from "../history.ts";
import type { Origin } from "../loaders.ts";
import type { Life } from "../life.ts";
import type { Op, Plan } from "../plan.ts";
import type { Call, World } from "../world.ts";

/** A load that takes longer, what it waited for included, is taken for one that hangs, and gives way. */
const MAX_AGE_MS = 60_000;
/** Who was frozen for longer may find all its loads silent, and take them for dead. */
const MAX_FROZEN_MS = 1_000;

const limitOf = ({ instances }: Plan, { instance }: Op): number => instances[instance]!.maxConcurrentLoads; // it is one of them

/** Those that run. A request that was cancelled never tells how its load ended. */
const runningIn = ({ loading }: Life, nowMs: number): number => {
  const running = [...loading].filter(
    ({ request }) => request !== undefined && !request.over && nowMs - request.begunAt <= MAX_AGE_MS,
  );
  // The load of many keys counts as one.
  return new Set(running.map(({ together }) => together)).size;
};

/** Whether its own clock tells it how long its loads take. */
const isSteady = ({ jumpedAhead, frozenMs }: Life): boolean => !jumpedAhead && frozenMs < MAX_FROZEN_MS;

/** A loader has just been called. */
export function checkLoadLimit({ plan, history, base }: Origin, life: Life, op: Op): void {
  const running = runningIn(life, base.monotonic());
  if (running <= limitOf(plan, op) || !isSteady(life)) return;
  history.violate("load limit", `${showOp(op)} is load ${running} of ${limitOf(plan, op)} on ${life.name}`);
}

/** A read was told that it was not its turn to load. */
export function checkTurn({ plan, history, base }: World, { op, life, request }: Call): void {
  const limit = limitOf(plan, op);
  history.struck("not its turn to load");
  if (limit === Infinity) history.violate("load limit", `${showOp(op)} has waited for its turn, and there is no limit`);
  // Of many keys, this one may have been told long before the call ended.
  if ((request.whole?.parts?.size ?? 1) > 1) return;
  // Who was cancelled in line, or has left it, lets the others wait until they look for themselves.
  const isLeft = plan.ops.some(
    ({ leavesAfterMs, instance }) => leavesAfterMs !== undefined && instance === op.instance,
  );
  if (life.cancelled || isLeft || life.hung.length > 0 || !isSteady(life)) return;
  const nowMs = base.monotonic();
  if (runningIn(life, nowMs) < limit && life.loadEndedAt < nowMs - 1) {
    history.violate("load limit", `${showOp(op)} on ${life.name} was not let in although there was room`);
  }
}
