// Sharing a load: how a flight begins, who may join it, and how a caller lives on if the one who leads does not.
import { isValid } from "./copy.ts";
import { every, newId, within, type Engine } from "./engine.ts";
import type { Flight, Outcome } from "./flight.ts";
import { covers, isExpiry } from "./pending.ts";
import { ownWrites, type Reader } from "./reader.ts";
import { judge } from "./view.ts";

/** A leader shows signs of life this often; one that was silent for SILENCE_MS is taken to be dead. */
export const BEAT_MS = 1_000;
const SILENCE_MS = 2_500;
/** An older flight is joined by nobody: its loader hangs, or is slower than a lease may be kept alive. */
const MAX_AGE_MS = 60_000;

/**
 * Starts a flight and makes it the one for its key. The work never rejects into the void: its error is kept for its
 * callers. `stale` is what may be served meanwhile; `callers` is 1 or, if nobody waits, Infinity; with the `token` of a dead
 * flight it goes on with that one's lease.
 */
export function startFlight(
  engine: Engine,
  reader: Reader,
  work: (flight: Flight) => Promise<Outcome>,
  stale: Outcome | undefined,
  callers: number,
  token = newId(engine),
  alone = false,
): Flight {
  const { flights } = engine;
  const { key, request } = reader;
  const startedAt = engine.clock();
  const run = async (): Promise<void> => {
    const stop = every(engine, request, BEAT_MS, () => {
      flight.beatAt = engine.clock();
      if (flight.callers < 1) flight.cancel?.();
    });
    try {
      flight.outcome = await work(flight);
    } catch (error) {
      flight.error = error;
    }
    stop();
    flight.done = true;
    if (flights.get(key) === flight) flights.delete(key);
  };
  const flight: Flight = {
    began: ++engine.tick,
    startedAt,
    token,
    promise: Promise.resolve().then(run), // which has the flight, and whose loader may ask for the same key
    spent: false,
    callers,
    done: false,
    beatAt: startedAt,
    alone,
    stale,
  };
  // Those of requests that were cancelled are in nobody's care. The map is in the order of their starts.
  for (const [old, { startedAt: began }] of flights) {
    if (startedAt - began <= MAX_AGE_MS) break;
    flights.delete(old);
  }
  flights.delete(key);
  flights.set(key, flight);
  request.waitUntil(flight.promise);
  return flight;
}

/** The token of a dead flight, for the one who goes on with its lease; undefined if a commit was already sent with it. */
export function takeOver(flight: Flight): string | undefined {
  const token = flight.spent ? undefined : flight.token;
  flight.spent = true;
  return token;
}

/** Whether the one who leads is taken to be dead. */
export const isSilent = (engine: Engine, flight: Flight): boolean => engine.clock() - flight.beatAt > SILENCE_MS;

/** Whether nobody may expect anything of it any more: its leader is gone, or its loader hangs. */
export const isLost = (engine: Engine, flight: Flight): boolean =>
  isSilent(engine, flight) || engine.clock() - flight.startedAt > MAX_AGE_MS;

/**
 * Waits for a flight of another caller. False if its leader died or is too slow: it is no longer the flight of its key.
 *
 *   A: leads ──────── cancelled, its promise never settles
 *   B:       joins ── own timer ── A silent ── B removes the record (if it is still A's) and leads on with A's lease
 */
export async function join(engine: Engine, key: string, flight: Flight): Promise<boolean> {
  // A leader that follows another instance loads for itself after two leases: whoever waited that long waits for that.
  const giveUpAt = engine.clock() + 2 * engine.leaseMs + engine.storeTimeoutMs;
  // The promise of a request that ended may reject instead of hanging.
  let dead = false;
  const landed = flight.promise.catch(() => void (dead = true));
  while (!flight.done) {
    await within(engine, landed, BEAT_MS);
    if (!flight.done && (dead || isSilent(engine, flight) || engine.clock() >= giveUpAt || engine.closed)) {
      if (engine.flights.get(key) === flight) engine.flights.delete(key);
      return false;
    }
  }
  return true;
}

/** Whether nothing known or asked for here since the flight began could cover what it will bring (joining, DESIGN 5). */
export function isJoinable(engine: Engine, { view, key, scope }: Reader, flight: Flight): boolean {
  const since = (tick = -1): boolean => tick > flight.began;
  return !(
    engine.clock() - flight.startedAt > MAX_AGE_MS ||
    since(view.keys.get(key)?.tick) ||
    since(view.userTagTick) ||
    scope.reserved.some((tag) => since(view.tags.get(tag)?.tick)) ||
    view.pending.touching(key).some(({ tick, write }) => since(tick) && covers(write, key, scope.reserved, false))
  );
}

/** What a reader may do with an outcome. `pending`: nothing, because of an own write that the store has not acknowledged. */
export type Use = "as it is" | "as stale" | "pending";

/**
 * Whether an outcome is good for a reader (P1, P2); undefined: not at all. What was loaded after the reader began always
 * is: whatever was acknowledged before, its origin knew. Anything else needs a proof young enough, and no record known
 * here may cover it.
 */
export function useOf(engine: Engine, reader: Reader, outcome: Outcome, joined: boolean): Use | undefined {
  const { view, key, needAt } = reader;
  const { copy, began } = outcome;
  const loaded = outcome.tier === "loader";
  if (loaded && began >= reader.tick) return "as it is";
  if (!copy) return joined && outcome.beganAt < needAt ? undefined : "as it is";
  const sameEpoch = copy.epoch === view.epoch;
  if (engine.store) {
    const provedAt = Math.max(copy.provedAt, isValid(copy) ? view.provedAt : -Infinity);
    if (joined && provedAt < needAt) return undefined;
    // What was invalidated between its seq and there is forgotten, and may have been asked for here. Without an epoch
    // nothing has a seq: then all that was known may have been forgotten since it began.
    const isCovered = sameEpoch && view.epoch !== undefined;
    if (isCovered ? copy.seq < view.coveredFrom : (joined && !sameEpoch) || began < view.epochTick) return undefined;
  }
  // One that was expired while it was loaded may have been so before this reader began: only the last expiry is known.
  const freshFrom = Math.max(reader.startedAt, copy.provedAt);
  if (joined && outcome.state === "fresh" && copy.freshUntil < freshFrom) return undefined;
  const known = sameEpoch ? judge(view, copy, key) : undefined;
  if (known?.gone) return undefined;
  const own = ownWrites(reader, copy.tags).filter(({ tick }) => !loaded || began <= tick);
  if (!own.every(({ write }) => isExpiry(write))) return "pending";
  return own.length > 0 || (known && known.staleAt < Infinity) ? "as stale" : "as it is";
}
