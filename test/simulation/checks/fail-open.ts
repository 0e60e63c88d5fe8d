// P5, reads: a store that is slow, broken or gone never fails a read that the origin can answer.
import { showOp } from "../history.ts";
import { OriginDown } from "../loaders.ts";
import { partsOf } from "../plan.ts";
import type { Call, World } from "../world.ts";
import { CallerLeft, checkGivenUp, checkLeft } from "./in-time.ts";
import { checkTurn } from "./load-limit.ts";
import { checkStrictRejection, isStrict } from "./strict.ts";

/**
 * A failure is shared with those who joined the load. A read of an open cache may besides fail as its options say: its
 * caller leaves or gives up, it is not its turn to load, or the instance is strict.
 */
export function checkRejection(world: World, call: Call, error: unknown): void {
  const { history, ending } = world;
  const { op, life } = call;
  const { code, cause } = error as { code?: string; cause?: { code?: string } }; // any error may lack both
  if (code === "ISOCACHE_LOADER" && cause instanceof OriginDown) return;
  if (life.closedEarly || ending) return;
  if (error instanceof CallerLeft) return checkLeft(world, call);
  if (code === "ISOCACHE_TIMEOUT") return checkGivenUp(world, call);
  if (code === "ISOCACHE_LOADER" && cause?.code === "ISOCACHE_TIMEOUT") return checkTurn(world, call);
  if (code === "ISOCACHE_STORE" && isStrict(world.plan, op)) return checkStrictRejection(world, call);
  history.violate("fail open", `${showOp(op)} failed: ${String(error)}`);
}

/** A loader that has a value gives it to whoever asked for it. One that skips gives nothing, to those who joined it, too. */
export function checkNothing({ history, plan }: World, { op }: Call): void {
  const skipped = plan.ops
    .flatMap(partsOf)
    .some(({ loader, key, yields }) => key === op.key && (loader.kind === "skip" || yields === "undefined"));
  if (op.kind === "getOrSet" && !skipped) {
    history.violate("fail open", `${showOp(op)} got nothing from a loader that has a value`);
  }
}
