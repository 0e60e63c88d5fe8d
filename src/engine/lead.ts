// What the leader of a flight does: ask the store for the value or the right to load it, in one trip, and act on the answer.
import { adopt } from "../codec/walk.ts";
import { CodecError, StoreError } from "../errors.ts";
import type { FoundEntry, ReadReply } from "../store/contract.ts";
import { ask, type Answered } from "./call.ts";
import { createCopy, isRevalidable, isServableOnError, type Copy } from "./copy.ts";
import { copyInMemory, pause, report, type Engine } from "./engine.ts";
import type { Flight, Outcome } from "./flight.ts";
import { install } from "./install.ts";
import { startFlight } from "./join.ts";
import { load } from "./load.ts";
import type { Reader } from "./reader.ts";
import { sync } from "./sync.ts";

/** Held waits of one follower; then it loads for itself, and stores nothing. */
const MAX_WAITS = 2;
/** Between questions to a store that cannot hold them: from, to. */
const POLL_MS = [25, 500] as const;

/** What a leader knows from memory before it asks. */
export interface Before {
  /** Reload this one although the store may find it fresh; its stale value was already served. */
  readonly refresh: string | undefined;
  /** What may be served if the load fails and the store does not know better. */
  readonly stale: Outcome | undefined;
}

/** What came of one question to the store. */
interface StoreRead {
  readonly reply: ReadReply;
  readonly outcome: Outcome | undefined;
  /** The store kept the question until something happened. */
  readonly held: boolean;
}

/** Leads a flight to its outcome. */
export async function lead(engine: Engine, reader: Reader, flight: Flight, before: Before): Promise<Outcome> {
  const { options, request } = reader;
  if (engine.store === undefined || !options.store) {
    // Memory alone keeps the value: then it must know from where on it would hear of invalidations.
    if (engine.store !== undefined && reader.view.epoch === undefined) {
      await sync(engine, reader.view, reader.startedAt, request);
    }
    return load(engine, reader, flight, undefined, before.stale, true);
  }
  let { stale, refresh } = before;
  const startedAt = engine.clock();
  // Who followed a flight of this instance until its patience ran out does not begin to wait anew.
  const late = startedAt - reader.startedAt >= MAX_WAITS * engine.leaseMs;
  const alone = (): Promise<Outcome> => load(engine, reader, flight, undefined, stale, false);
  for (let waits = 0, polls = 0; ;) {
    let read: StoreRead;
    try {
      read = await readStore(engine, reader, flight, refresh, late ? 0 : engine.leaseMs);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      report(engine, "read", error, reader.name);
      return alone();
    }
    const { reply, outcome, held } = read;
    stale = outcome; // the store knows better than memory, also that there is nothing
    const copy = outcome?.copy;
    const now = engine.clock();
    if (reply.lease !== undefined) {
      const lease = { epoch: reply.epoch, version: reply.lease.version };
      if (before.refresh !== undefined || copy === undefined || !isRevalidable(copy, now)) {
        return load(engine, reader, flight, lease, outcome, true);
      }
      startFlight(engine, reader, (next) => load(engine, reader, next, lease, outcome, true), {
        token: flight.token,
        stale: outcome,
      });
      return outcome!; // it has the copy
    }
    if (outcome !== undefined && copy !== undefined) {
      if (outcome.state === "fresh" || isRevalidable(copy, now)) return outcome;
      if (reply.busy?.backoff && isServableOnError(copy, now)) {
        copy.retryAt = now + reply.busy.leftMs;
        return outcome;
      }
    }
    if (reply.busy === undefined) {
      // An entry that cannot be read is in the way: ask for the lease to replace it, once.
      if (refresh !== undefined || reply.entry === undefined) return alone();
      refresh = reply.entry.id;
    } else if (late) {
      return alone();
    } else if (held) {
      if (++waits === MAX_WAITS) return alone();
    } else {
      if (now - startedAt >= engine.leaseMs || engine.closed) return alone();
      const ms = Math.min(POLL_MS[0] * 2 ** polls++, POLL_MS[1], reply.busy.leftMs);
      await pause(engine, ms * (0.5 + engine.platform.random() / 2));
    }
  }
}

/** A read without a loader: what the store has. Undefined if it is out of reach. */
export async function lookUp(engine: Engine, reader: Reader): Promise<Outcome | undefined> {
  const miss: Outcome = {
    copy: undefined,
    state: "fresh",
    tier: "store",
    began: ++engine.tick,
    beganAt: engine.clock(),
  };
  if (engine.store === undefined || !reader.options.store) return miss;
  try {
    const { outcome } = await readStore(engine, reader, undefined, undefined, 0);
    return outcome ?? miss;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    report(engine, "read", error, reader.name);
    return undefined;
  }
}

/** Asks once; for the lease too, if a flight is given. Installs what it finds. */
async function readStore(
  engine: Engine,
  reader: Reader,
  flight: Flight | undefined,
  refresh: string | undefined,
  patienceMs: number,
): Promise<StoreRead> {
  const { key, view, request, scope, options } = reader;
  const { leaseMs } = engine;
  const store = engine.store!; // callers have looked
  const kept = options.memory ? copyInMemory(engine, key) : undefined;
  const beganAt = engine.clock();
  // A count would leak with each request that is cancelled while it waits; instants run out by themselves.
  request.holds = request.holds.filter((until) => until > beganAt);
  const waitMs = request.holds.length < store.heldReadsPerRequest ? patienceMs : 0;
  const until = beganAt + waitMs + engine.storeTimeoutMs;
  let held = false;
  request.holds = [...request.holds, until];
  try {
    const answered = await ask(
      engine,
      view,
      "read",
      {
        key,
        waitMs,
        ...(flight && { lease: { token: flight.token, leaseMs, scopes: scope.reserved } }),
        ...(refresh !== undefined && { refresh }),
        ...(kept && kept.id !== "" && { hold: kept.id }),
      },
      () => void (held = true),
    );
    const { entry } = answered.reply;
    const copy = entry && (await toCopy(engine, reader, answered, entry, kept));
    if (copy === undefined) return { reply: answered.reply, outcome: undefined, held };
    if (options.memory) install(engine, key, copy, answered.ordered);
    const state = entry!.freshForMs > 0 ? "fresh" : "stale"; // there is a copy, so there was an entry
    return { reply: answered.reply, outcome: { copy, state, tier: "store", began: answered.tick, beganAt }, held };
  } finally {
    const index = request.holds.indexOf(until);
    request.holds = request.holds.filter((_, other) => other !== index);
  }
}

/** Decodes an entry, or takes the value already held. Undefined, and an event, if the bytes cannot be read. */
async function toCopy(
  engine: Engine,
  reader: Reader,
  answered: Answered<ReadReply>,
  entry: FoundEntry,
  kept: Copy | undefined,
): Promise<Copy | undefined> {
  const { reply, sentAt } = answered;
  let held = kept?.held;
  if (entry.bytes !== undefined || held === undefined) {
    try {
      held = adopt(await engine.codec.decode(entry.bytes ?? new Uint8Array()), engine.values);
      if (held.uncarried !== undefined) throw new CodecError(`decoded to what no codec carries: ${held.uncarried}`);
    } catch (error) {
      report(engine, "decode", error, reader.name);
      return undefined;
    }
  }
  const { epoch, seq } = reply;
  return createCopy(reader.view, held, entry, { ...entry, epoch, seq, provedAt: sentAt }, reader.options.memoryTtlMs);
}
