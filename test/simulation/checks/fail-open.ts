// P5, reads: a store that is slow, broken or gone never fails a read that the origin can answer.
import { showOp } from "../history.ts";
import { OriginDown } from "../loaders.ts";
import type { Call, World } from "../world.ts";

/** A failure is shared with those who joined the load; nothing else may fail a read of an open cache. */
export function checkRejection({ history, ending }: World, { op, life }: Call, error: unknown): void {
  const { code, cause } = error as { code?: string; cause?: unknown }; // any error may lack both
  const ofLoader = code === "ISOCACHE_LOADER" && cause instanceof OriginDown;
  if (!ofLoader && !life.closedEarly && !ending) history.violate("fail open", `${showOp(op)} failed: ${String(error)}`);
}

/** A loader that has a value gives it to whoever asked for it. One that skips gives nothing, to those who joined it, too. */
export function checkNothing({ history, plan }: World, { op }: Call): void {
  const skipped = plan.ops.some(({ loader, key }) => key === op.key && loader.kind === "skip");
  if (op.kind === "getOrSet" && !skipped) {
    history.violate("fail open", `${showOp(op)} got nothing from a loader that has a value`);
  }
}
