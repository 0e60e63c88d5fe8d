// Local time: milliseconds that have really passed here, whatever the wall clock does and however long the process slept.
import type { Platform } from "../platform.ts";

/** Reads local time. It never goes backwards and means nothing outside its instance. */
export type Clock = () => number;

/** Below this, two clocks that tick in different steps are taken to agree. */
const TOLERANCE_MS = 5;

/**
 * The larger of what the monotonic and the wall clock say has passed (DESIGN 5, elapsedMax). A process that was
 * suspended may find its monotonic clock stopped but its wall clock moved on: the difference is added. A wall clock that
 * is set back adds nothing; one that jumps ahead makes copies look older than they are, which costs a question to the
 * store and never serves a stale value.
 *
 * `isPrecise`: what happens within a millisecond is told apart as well, as far as the monotonic clock does.
 */
export function createClock(platform: Platform, isPrecise = false): Clock {
  let lastWall: number | undefined;
  let anchorWall = 0;
  let anchorMonotonic = 0;
  let addedMs = 0;
  let local = -Infinity;
  return () => {
    const wall = platform.now();
    // Every memory hit reads the clock: as long as the wall clock shows the same millisecond, this is all it costs.
    if (wall === lastWall && !isPrecise) return local;
    const monotonic = platform.monotonic();
    const driftMs = lastWall === undefined ? Infinity : wall - anchorWall - (monotonic - anchorMonotonic);
    if (Math.abs(driftMs) > TOLERANCE_MS) {
      if (driftMs > 0 && lastWall !== undefined) addedMs += driftMs;
      anchorWall = wall;
      anchorMonotonic = monotonic;
    }
    lastWall = wall;
    return (local = Math.max(local, monotonic + addedMs));
  };
}
