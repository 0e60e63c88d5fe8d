// The breaker of one partition: a store that keeps failing is left alone for a while, until one request finds it answering.
import type { CacheEvents } from "../observe/events.ts";
import { RefusedError, type Engine } from "./engine.ts";
import type { View } from "./view.ts";

/** The cooldown is longer by up to this part, so that instances do not probe in step. */
const JITTER = 0.1;

/**
 * Lets a request go to the store, or throws a RefusedError while the breaker is open. True: it is the one that probes.
 * Only what begins something is refused. A write is worth a time-out, and the sooner it is done the better (P5); what
 * belongs to a lease (renew, commit, release) ends with its load, and others wait for that.
 *
 *   closed ── failures in a row ──> open ── cooldown ──> half-open: one read is sent ── it fails ──> open
 *      ^                             │                          │
 *      └── any answer, whoever asked ┴──────────────────────────┘
 */
export function admit(engine: Engine, view: View, operation: string): boolean {
  if ((operation !== "read" && operation !== "changesSince") || !isTripped(engine, view)) return false;
  const now = engine.clock();
  if (now < view.openUntil) throw new RefusedError(`${operation}: not sent, since the store has kept failing`);
  // The others wait for how it ends; but if its request is cancelled nobody hears of that, and then another probes (P6).
  view.openUntil = now + 2 * engine.storeTimeoutMs;
  tell(engine, view, "half-open");
  return true;
}

/** The store has answered, whatever it said. */
export function answered(engine: Engine, view: View): void {
  const wasTripped = isTripped(engine, view);
  view.failures = 0;
  if (wasTripped) tell(engine, view, "closed");
}

/** The store has failed, or has not answered in time. */
export function failed(engine: Engine, view: View, probed: boolean): void {
  const wasTripped = isTripped(engine, view);
  view.failures++;
  // What is sent all the same, or was before it opened, does not keep it open for longer.
  if (wasTripped ? !probed : !isTripped(engine, view)) return;
  view.openUntil = engine.clock() + engine.breakerCooldownMs * (1 + JITTER * engine.platform.random());
  tell(engine, view, "open");
}

const isTripped = (engine: Engine, { failures }: View): boolean => failures >= engine.breakerFailures;

const tell = (engine: Engine, { index }: View, state: CacheEvents["breaker"]["state"]): void =>
  engine.events.emit("breaker", { partition: index, state });
