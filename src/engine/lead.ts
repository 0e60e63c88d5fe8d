// What the leader of a flight does: ask the store for the value or the right to load it, in one trip, and act on the answer.
import { adopt, hold } from "../codec/walk.ts";
import { CodecError } from "../errors.ts";
import type { FoundEntry, ReadReply } from "../store/contract.ts";
import { ask } from "./call.ts";
import { createCopy, isRevalidable, isServableOnError, type Copy } from "./copy.ts";
import { copyInMemory, failOpen, pause, report, type Answered, type Engine } from "./engine.ts";
import type { Flight, Hit, Outcome } from "./flight.ts";
import { install } from "./install.ts";
import { startFlight } from "./join.ts";
import { load } from "./load.ts";
import type { Reader } from "./reader.ts";
import { sync } from "./sync.ts";

/** Held waits of one follower; then it loads for itself, and stores nothing. */
const MAX_WAITS = 2;
/** For so long nobody asks again for a fresh value that another instance reloads. */
const BUSY_MS = 1_000;
/** Between questions to a store that cannot hold them: from, to. */
const POLL_MS = [25, 500] as const;

/** What came of one question to the store. */
interface StoreRead extends ReadReply {
  readonly outcome: Hit | undefined;
  /** The store kept the question until something happened. */
  readonly held: boolean;
}

/**
 * Leads a flight to its outcome. `stale` may be served if the load fails and the store does not know better. The entry
 * `refresh` is reloaded although the store may find it fresh; its stale value was already served.
 */
export async function lead(
  engine: Engine,
  reader: Reader,
  flight: Flight,
  stale: Outcome | undefined,
  refresh?: string,
): Promise<Outcome> {
  const { options, request, view, key } = reader;
  const { leaseMs } = engine;
  let asked = false;
  if (!engine.store || !options.store) {
    // Memory alone keeps the value: then it must know from where on it would hear of invalidations.
    if (view.epoch === undefined) await sync(engine, view, reader.startedAt, request);
    return load(engine, reader, flight, undefined, stale, true);
  }
  const startedAt = engine.clock();
  // Who followed a flight of this instance until its patience ran out does not begin to wait anew.
  const late = startedAt - reader.startedAt >= MAX_WAITS * leaseMs;
  const alone = (): Promise<Outcome> => load(engine, reader, flight, undefined, stale, false);
  for (let waits = 0, polls = 0; ;) {
    // The first time for no longer than until the soft time-out: what is stale is to be known by then.
    const softMs = Math.max(0, options.softTimeoutMs - (engine.clock() - reader.startedAt));
    const patienceMs = stale || asked ? leaseMs : Math.min(leaseMs, softMs);
    asked = true;
    const read = await readStore(engine, reader, flight, refresh, late ? 0 : patienceMs);
    flight.isOutage = !read;
    if (!read) return alone();
    const { lease, busy, entry, epoch, outcome, held } = read;
    flight.stale = stale = outcome; // the store knows better than memory, also that there is nothing
    const now = engine.clock();
    const servable = outcome && isRevalidable(outcome.copy, now);
    if (lease) {
      const go = (mine: Flight): Promise<Outcome> =>
        load(engine, reader, mine, { epoch, version: lease.version }, outcome, true);
      if (refresh !== undefined || !servable) return go(flight);
      startFlight(engine, reader, go, outcome, Infinity, flight.token);
      return outcome;
    }
    if (outcome) {
      // One that is fresh, and that others reload, is not asked for at each hit.
      if (busy && outcome.state === "fresh") {
        const pauseMs = busy.backoff ? Infinity : Math.min(BUSY_MS, outcome.copy.freshUntil - now);
        outcome.copy.retryAt = now + Math.min(busy.leftMs, pauseMs);
      }
      if (servable || outcome.state === "fresh") return outcome;
      if (busy?.backoff && isServableOnError(outcome.copy, now)) {
        outcome.copy.retryAt = now + busy.leftMs;
        return outcome;
      }
    }
    if (!busy) {
      // An entry that cannot be read is in the way: ask for the lease to replace it, once.
      if (refresh !== undefined || !entry) return alone();
      refresh = entry.id;
    } else if (late || (held && patienceMs === leaseMs && ++waits === MAX_WAITS)) {
      return alone();
    } else if (!held) {
      if (now - startedAt >= leaseMs || engine.closed) return alone();
      const ms = Math.min(POLL_MS[0] * 2 ** polls++, POLL_MS[1], busy.leftMs);
      request.many?.decided(key);
      await (request.many ? request.many.pause(ms) : pause(engine, ms));
    }
  }
}

/** Asks once; for the lease too, if a flight is given. Installs what it finds. Undefined, and an event, if the store fails and reads fail open. */
export async function readStore(
  engine: Engine,
  reader: Reader,
  flight?: Flight,
  refresh?: string,
  patienceMs = 0,
): Promise<StoreRead | undefined> {
  const { key, name, view, request, scope, options } = reader;
  const { leaseMs } = engine;
  const kept = options.memory ? copyInMemory(engine, key) : undefined;
  const beganAt = engine.clock();
  // A count would leak with each request that is cancelled while it waits; instants run out by themselves.
  const { holds } = request;
  for (const old of holds) if (old.until <= beganAt) holds.delete(old);
  const canWait = !request.many && holds.size < engine.store!.heldReadsPerRequest; // callers have looked for a store
  const waitMs = canWait ? patienceMs : 0;
  const hold = { until: beganAt + waitMs + engine.storeTimeoutMs };
  if (canWait) holds.add(hold);
  let held = false;
  const answered = await ask(
    engine,
    request,
    view,
    "read",
    {
      key,
      waitMs,
      ...(flight && { lease: { token: flight.token, leaseMs, scopes: scope.reserved } }),
      ...(refresh !== undefined && { refresh }),
      ...(kept?.id && { hold: kept.id }),
    },
    () => void (held = true),
  )
    .catch((error: unknown) => {
      failOpen(engine, request, "read", name)(error);
      if (engine.onStoreError === "throw") throw error;
    })
    .finally(() => void holds.delete(hold));
  if (!answered) return undefined;
  const { reply, tick, ordered } = answered;
  const { entry } = reply;
  const copy = entry && (await toCopy(engine, reader, answered, entry, kept));
  if (!copy) return { ...reply, outcome: undefined, held };
  if (options.memory) install(engine, key, copy, ordered);
  const state = entry!.freshForMs > 0 ? "fresh" : "stale"; // there is a copy, so there was an entry
  return { ...reply, outcome: { copy, state, tier: "store", began: tick, beganAt }, held };
}

/** Decodes an entry, or takes the value already held. Undefined, and an event, if the bytes cannot be read, or are not valid. */
async function toCopy(
  engine: Engine,
  reader: Reader,
  answered: Answered<ReadReply>,
  entry: FoundEntry,
  kept: Copy | undefined,
): Promise<Copy | undefined> {
  const { reply, sentAt } = answered;
  const { values, codec } = engine;
  const { validate, memoryTtlMs } = reader.options;
  let held = kept?.held;
  if (entry.bytes || !held) {
    let operation = "decode";
    try {
      const decoded = await codec.decode(entry.bytes ?? new Uint8Array(), { cache: engine.name, key: reader.key });
      operation = "validate";
      // Not yet frozen: there are schemas that transform in place.
      const output = validate ? await validate(decoded) : decoded;
      held = output === decoded ? adopt(decoded, values) : hold(output, values);
      operation = "decode";
      if (output === decoded && held.uncarried !== undefined) throw new CodecError(`no value: ${held.uncarried}`);
    } catch (error) {
      report(engine, reader.request, operation, error, reader.name);
      return undefined;
    }
  }
  const { epoch, seq } = reply;
  return createCopy(reader.view, held, entry, { ...entry, epoch, seq, provedAt: sentAt }, memoryTtlMs);
}
