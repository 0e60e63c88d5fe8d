// The read path: memory if it is proved, else a flight shared with others; and again if what came is not good enough.
import { StoreError } from "../errors.ts";
import { count } from "../observe/stats.ts";
import { StartOver } from "./call.ts";
import { eagerFrom, isRevalidable, isServableOnError, type Copy } from "./copy.ts";
import { closedError, copyInMemory, viewOf, within, type Engine, type RequestScope } from "./engine.ts";
import type { Flight, Hit, Outcome } from "./flight.ts";
import { isJoinable, isSilent, join, startFlight, takeOver, useOf } from "./join.ts";
import { lead, readStore } from "./lead.ts";
import { load } from "./load.ts";
import { patiently } from "./patience.ts";
import { isExpiry } from "./pending.ts";
import { ownWrites, type Reader } from "./reader.ts";
import { sync } from "./sync.ts";
import { retryAll } from "./write.ts";

/** The answer to a read. */
export type Found = Pick<Hit, "copy" | "state" | "tier">;

/** What came is of no use to this reader: it starts over. */
const AGAIN = Symbol("again");
/** The same, but the store cannot help: an own invalidation has not reached it. */
const ALONE = Symbol("alone");

type Attempt = Found | undefined | typeof AGAIN | typeof ALONE;

/**
 * Under steady invalidation what others bring may again and again be too old; then the reader loads for itself, and
 * what is loaded after it began is always good.
 */
const MAX_ATTEMPTS = 8;

/** Answers a read. Undefined: a miss without a loader, or a loader that had no value. */
export async function read(engine: Engine, reader: Reader): Promise<Found | undefined> {
  reader.options.signal?.throwIfAborted();
  const found = await patiently(engine, reader, attempts(engine, reader));
  const durationMs = engine.clock() - reader.startedAt;
  if (found && found.tier !== "loader") {
    countHit(engine, reader.request, reader.name, found.tier, found.state, durationMs);
    const { copy, state } = found;
    const eagerAt = Math.max(copy.retryAt, eagerFrom(copy, reader.options.eagerRefresh));
    if (state === "fresh" && reader.loader && engine.clock() >= eagerAt)
      refresh(engine, reader, { ...found, began: reader.tick, beganAt: reader.startedAt });
  } else {
    count(reader.request.counters, "misses");
    engine.events.emit("miss", { key: reader.name, durationMs });
  }
  return found;
}

/** Tries until what comes is good enough. */
async function attempts(engine: Engine, reader: Reader): Promise<Found | undefined> {
  let alone = false;
  for (let attempt = 1; ; attempt++) {
    if (engine.closed) throw closedError();
    try {
      const found = await tryOnce(engine, reader, alone || attempt > MAX_ATTEMPTS, attempt <= 2 * MAX_ATTEMPTS);
      if (found === ALONE) {
        if (isStrict(engine, reader)) throw new StoreError("read: an own write has not reached the store");
        alone = true;
      } else if (found !== AGAIN) return found;
    } catch (error) {
      if (!(error instanceof StartOver)) throw error;
      reader.view = viewOf(engine, reader.key);
    }
  }
}

export function countHit(
  engine: Engine,
  { counters }: RequestScope,
  key: string,
  tier: "memory" | "store",
  state: "fresh" | "stale",
  durationMs: number,
): void {
  count(counters, tier === "memory" ? "memoryHits" : "storeHits");
  if (engine.events.has("hit")) engine.events.emit("hit", { key, tier, state, durationMs });
}

async function tryOnce(engine: Engine, reader: Reader, alone: boolean, mayJoin: boolean): Promise<Attempt> {
  const { view, loader, options } = reader;
  const { reserved } = reader.scope;
  if (view.pending.size > 0) retryAll(engine, reader.request);
  await firstAttempts(engine, reader, reserved);
  const gone = pendingOn(reader, reserved) === "gone";
  if (gone && isStrict(engine, reader)) return ALONE;
  if (alone || gone) return loader && fly(engine, reader, undefined, true, mayJoin);
  const copy = options.memory && !(options.strong && engine.store) ? await copyFor(engine, reader) : undefined;
  const pending = copy && pendingOn(reader, copy.tags);
  let memory: Hit | undefined;
  if (copy && pending !== "gone") {
    memory = { copy, state: "stale", tier: "memory", began: reader.tick, beganAt: reader.startedAt };
    const now = engine.clock();
    if (isProved(copy, reader) && !pending && now < copy.freshUntil) return { ...memory, state: "fresh" };
    if (isRevalidable(copy, now)) {
      if (loader && now >= copy.freshUntil && now >= copy.retryAt) refresh(engine, reader, memory);
      return memory;
    }
    // Others, or this instance, have just failed to load it.
    if (now < copy.retryAt && isServableOnError(copy, now)) return memory;
  }
  if (loader) return fly(engine, reader, memory, false, mayJoin);
  if (!engine.store || !options.store) return undefined;
  const found = await readStore(engine, reader);
  if (!found) return memory && isServableOnError(memory.copy, engine.clock()) ? memory : undefined;
  return found.outcome && settle(engine, reader, found.outcome, false);
}

/** What own writes in doubt do to what they cover: the strongest of them counts. */
function pendingOn(reader: Reader, tags: readonly string[]): "gone" | "stale" | undefined {
  const found = ownWrites(reader, tags);
  if (found.length === 0) return undefined;
  return found.every(({ write }) => isExpiry(write)) ? "stale" : "gone";
}

/** Lets own writes that cover the reader's key or these tags have their first attempt. True if there was one to wait for. */
async function firstAttempts(engine: Engine, reader: Reader, tags: readonly string[]): Promise<boolean> {
  const fresh = ownWrites(reader, tags).filter(({ attempted }) => !attempted);
  for (const own of fresh) {
    // It is there since the write was asked for; the promise of a request that ended may reject, or never settle.
    await within(engine, own.firstAttempt!, 2 * engine.storeTimeoutMs).catch(() => undefined);
    // No attempt takes longer: whoever asked for it was cut off, and others go on with it (P6).
    own.attempted = true;
  }
  if (fresh.length === 0) return false;
  retryAll(engine, reader.request);
  return true;
}

const isProved = (copy: Copy, { view, needAt }: Reader): boolean => Math.max(copy.provedAt, view.provedAt) >= needAt;

/** Whether a read that needs the store fails with it. */
const isStrict = (engine: Engine, { options }: Reader): boolean =>
  engine.onStoreError === "throw" && engine.store !== undefined && options.store;

/**
 * The copy in memory, after asking the log if it is not proved for this reader. It may still not be: the store is out of
 * reach. Then a strict reader has none, and asks for the entry, or learns why that fails.
 */
async function copyFor(engine: Engine, reader: Reader): Promise<Copy | undefined> {
  let copy = copyInMemory(engine, reader.key);
  if (copy && !isProved(copy, reader)) {
    reader.view.usedAt = engine.clock();
    await sync(engine, reader.view, reader.needAt, reader.request);
    copy = copyInMemory(engine, reader.key);
    if (copy && !isProved(copy, reader) && isStrict(engine, reader)) return undefined;
    reader.isUnproved = copy !== undefined && !isProved(copy, reader);
  }
  return copy && engine.clock() < copy.memoryUntil && copy.view === reader.view ? copy : undefined;
}

/** Reloads what was served, without anybody waiting. */
function refresh(engine: Engine, reader: Reader, memory: Hit): void {
  if (reader.hasLeft) return;
  const running = engine.flights.get(reader.key);
  const joinable = running && isJoinable(engine, reader, running);
  if (joinable && !isSilent(engine, running)) return;
  // A dead flight still has its lease: this one goes on with it.
  const token = joinable ? takeOver(running) : undefined;
  startFlight(
    engine,
    reader,
    (flight) => lead(engine, reader, flight, memory, memory.copy.id),
    memory,
    Infinity,
    token,
  );
}

/** Joins the flight of the key, or starts one. `alone`: without the store, which still has what was invalidated here. */
async function fly(
  engine: Engine,
  reader: Reader,
  memory: Outcome | undefined,
  alone: boolean,
  mayJoin: boolean,
): Promise<Attempt> {
  const { key } = reader;
  if (reader.hasLeft) return undefined;
  const running = engine.flights.get(key);
  let flight;
  let token;
  if (mayJoin && running?.alone === alone && isJoinable(engine, reader, running)) {
    const { stale } = running;
    const now = engine.clock();
    const isThere = stale?.copy && (stale.tier !== "memory" || now < stale.copy.memoryUntil);
    if (isThere && (isRevalidable(stale.copy, now) || now < stale.copy.freshUntil)) {
      const found = await settle(engine, reader, stale, true);
      if (typeof found === "object") return found;
    }
    running.callers++;
    reader.leave = () => void running.callers--;
    reader.request.many?.decided(key);
    if (await join(engine, key, running)) flight = running;
    else if (engine.flights.has(key))
      return AGAIN; // another caller took over first
    else token = takeOver(running);
  }
  if (!flight) {
    const work = (mine: Flight): Promise<Outcome> =>
      alone ? load(engine, reader, mine, undefined, undefined, false) : lead(engine, reader, mine, memory);
    flight = startFlight(engine, reader, work, memory, 1, token, alone);
    const mine = flight;
    reader.leave = () => void (--mine.callers || mine.cancel?.());
    await flight.promise;
  }
  if (!flight.outcome) {
    // A strict one has failed with the store, which this reader does not need.
    if (flight === running && flight.error instanceof StoreError && !isStrict(engine, reader)) return AGAIN;
    throw flight.error; // one of both is there once it is done
  }
  return settle(engine, reader, flight.outcome, flight === running);
}

/** Hands an outcome to a reader, if it is good for this one. */
async function settle(engine: Engine, reader: Reader, outcome: Outcome, joined: boolean): Promise<Attempt> {
  const { copy, tier } = outcome;
  const use = useOf(engine, reader, outcome, joined);
  if (!use) return AGAIN;
  if (!copy) return undefined;
  const servable = isRevalidable(copy, engine.clock());
  // What came as stale is there because a load failed, or to be a miss: to ask again would bring the same.
  if (use === "pending" || (use === "as stale" && outcome.state === "fresh" && !servable)) {
    if (await firstAttempts(engine, reader, copy.tags)) return AGAIN;
    return use === "pending" || pendingOn(reader, copy.tags) ? ALONE : AGAIN;
  }
  const state = use === "as stale" ? "stale" : outcome.state;
  return state === "fresh" || servable || reader.loader ? { copy, state, tier } : undefined;
}
