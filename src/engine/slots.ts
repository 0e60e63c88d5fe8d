// At most so many loads at once, for origins that must be spared: the others wait in line, for a while.
import { TimeoutError } from "../errors.ts";
import { within, type Engine } from "./engine.ts";
import type { Flight } from "./flight.ts";
import { BEAT_MS, isLost } from "./join.ts";

/** More do not wait: they would only fail later. */
const MAX_QUEUE = 1_000;

/**
 * Runs a load as soon as it is its turn. Throws a TimeoutError if that is not within `lease`, which is how long other
 * instances wait for it, or if too many wait already; and the signal's reason if that fires first.
 *
 * A request that was cancelled gives nothing back and wakes nobody (P6): its flight falls silent, and who waits looks
 * for that with a timer of its own.
 */
export async function inTurn<T>(
  engine: Engine,
  flight: Flight,
  signal: AbortSignal,
  run: () => T,
): Promise<Awaited<T>> {
  const { running, queue } = engine.slots;
  if (queue.size > 0 || !isFree(engine)) await turn(engine, flight, signal);
  else running.add(flight);
  try {
    return await run();
  } finally {
    running.delete(flight);
    next(engine)?.[1](); // if that one gives up instead, the one behind it looks within a second
  }
}

/** Waits in line, and is among those that run when it comes back: nobody else may take its place in between. */
async function turn(engine: Engine, flight: Flight, signal: AbortSignal): Promise<void> {
  const { running, queue } = engine.slots;
  const { leaseMs } = engine;
  const untilAt = engine.clock() + leaseMs;
  if (queue.size >= MAX_QUEUE) throw new TimeoutError(`${MAX_QUEUE} loads wait for their turn already`);
  const awake = { call: (): void => undefined };
  queue.set(flight, () => awake.call());
  try {
    while (next(engine)?.[0] !== flight || !isFree(engine)) {
      const leftMs = untilAt - engine.clock();
      if (leftMs <= 0) throw new TimeoutError(`it was not its turn within ${leaseMs} ms`);
      const woken = new Promise<void>((resolve) => (awake.call = resolve));
      await within(engine, woken, Math.min(leftMs, BEAT_MS));
      signal.throwIfAborted();
    }
    running.add(flight);
  } finally {
    queue.delete(flight);
  }
}

/** Whether one more may run. Those whose leader is gone, or hangs, do not count. */
function isFree(engine: Engine): boolean {
  const { running } = engine.slots;
  for (const flight of running) if (isLost(engine, flight)) running.delete(flight);
  return running.size < engine.maxConcurrentLoads;
}

/** Who has waited longest. */
function next(engine: Engine): [Flight, () => void] | undefined {
  const { queue } = engine.slots;
  for (const waiting of queue) {
    if (!isLost(engine, waiting[0])) return waiting;
    queue.delete(waiting[0]);
  }
  return undefined;
}
