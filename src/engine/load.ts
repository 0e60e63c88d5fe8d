// Running the loader: with a lease that is kept alive, and a commit that says whether the value may be kept.
import { resolveEntry, type EntryOptions, type ResolvedEntry } from "../options/entry.ts";
import { CodecError, LoaderError, OptionError } from "../errors.ts";
import { give, hold, type Held } from "../codec/walk.ts";
import type { CacheEvents } from "../observe/events.ts";
import { count } from "../observe/stats.ts";
import { FOREVER, type CommitRequest, type EntryMeta } from "../store/contract.ts";
import { ask, deadlineOf, StartOver } from "./call.ts";
import type { LoaderContext } from "./context.ts";
import { createCopy, isServableOnError, type Copy } from "./copy.ts";
import { background, closedError, every, failOpen, report, type Engine } from "./engine.ts";
import type { Flight, Outcome } from "./flight.ts";
import { entryMeta, install, isStorable, optionsFor, sizeError } from "./install.ts";
import type { Reader } from "./reader.ts";
import { inTurn } from "./slots.ts";

/** The right to store what is loaded. */
export interface Lease {
  readonly epoch: string;
  readonly version: number;
}

/** A lease is renewed for no longer than this, or the hard time-out: a promise that never settles blocks nobody. */
const MAX_RENEWAL_MS = 60_000;

/** The answers of `context.notModified` and `context.skip`. */
const NOT_MODIFIED = Symbol("notModified");
const SKIP = Symbol("skip");

/**
 * Runs the reader's loader once and stores the value: under a lease in the store, and in memory if the commit allows it.
 * Without a lease nothing goes to the store, and memory gets the value only where memory may be its only place (`keep`).
 * If the loader fails, `stale` is the outcome while one of its windows is open; otherwise this throws a LoaderError.
 */
export async function load(
  engine: Engine,
  reader: Reader,
  flight: Flight,
  lease: Lease | undefined,
  stale: Outcome | undefined,
  keep: boolean,
): Promise<Outcome> {
  if (engine.closed) throw closedError();
  const { view, key, name } = reader;
  const { token } = flight;
  flight.stale = stale;
  const old = stale?.copy;
  const began = ++engine.tick;
  const beganAt = engine.clock();
  // What is loaded now knows of everything up to here: the lease says so, or it begins after all that was seen.
  const { epoch, version } = lease ?? { epoch: view.epoch, version: view.newest };
  let { options } = reader;
  count(reader.request.counters, "loads");
  const ended = (outcome: CacheEvents["load"]["outcome"], copy?: Copy): Outcome => {
    engine.events.emit("load", { key: name, durationMs: engine.clock() - beganAt, outcome });
    return { copy, state: "fresh", tier: "loader", began, beganAt };
  };
  /** Gives the lease back, unawaited: nobody should wait for a load that came to nothing. */
  const release = (backoffMs: number): void => {
    if (!lease || engine.closed) return;
    const { request } = reader;
    background(engine, request, "release", ask(engine, request, view, "release", { key, token, backoffMs }));
  };
  try {
    const set = (more: EntryOptions): void => void (options = resolveEntry(options, more));
    const answer = await runLoader(engine, reader, flight, old, lease && token, set);
    if (answer === SKIP || !isStorable(options, answer)) {
      release(0);
      return ended("skipped");
    }
    const renewed = answer === NOT_MODIFIED ? old : undefined;
    const held = renewed?.held ?? holdValue(engine, name, answer);
    options = optionsFor(engine, options, held.value);
    const { ttlMs, memoryTtlMs, memory, store } = options;
    const meta = entryMeta(reader.scope, options);
    const tookMs = engine.clock() - beganAt;
    const meant = lease && store && ttlMs > 0 && (await entryOf(engine, reader, held, options, meta, renewed));
    const takenOver = flight.spent;
    const done = meant && (await commit(engine, reader, flight, { ...lease, entry: meant }));
    // Not stored, or not known to be: nobody keeps the value.
    if (!done && !takenOver) release(0);
    const stored = done && done.reply.outcome === "stored" ? done : undefined;
    if (renewed && meant && !stored) throw new StartOver("the lease was lost");
    // In no store, its life begins when its load ended (not when a commit failed after that), and its proof when it began.
    const sinceMs = stored ? 0 : tookMs;
    const from = stored
      ? { id: token, seq: stored.reply.seq, provedAt: stored.sentAt, freshForMs: stored.reply.freshForMs }
      : { id: "", seq: version, provedAt: beganAt, freshForMs: ttlMs + sinceMs };
    const copy = createCopy(view, held, meta, { ...from, epoch, version, ageMs: -sinceMs }, memoryTtlMs + sinceMs);
    // What was meant for the store and did not get there is kept nowhere, or each instance would have its own.
    const keeps =
      stored || (keep && memory && !(lease && store) && ttlMs > 0 && fits(engine, reader, options, held.bytes));
    const kept = keeps && memory && install(engine, key, copy, stored?.ordered ?? true);
    return ended(stored || kept ? "stored" : "unstored", copy);
  } catch (cause) {
    ended("failed");
    const now = engine.clock();
    const servable =
      flight.callers > 0 &&
      cause instanceof LoaderError &&
      old &&
      (now < old.freshUntil || isServableOnError(old, now));
    const backoffMs = servable ? options.failureBackoffMs : 0;
    if (!flight.spent) release(backoffMs);
    if (backoffMs === 0) throw cause;
    old!.retryAt = now + backoffMs; // it is servable
    report(engine, reader.request, "load", cause, name);
    return { ...stale!, state: "stale" };
  }
}

/** Calls the loader, and renews the lease as long as that is allowed. Throws a LoaderError, or StartOver if it was lost. */
async function runLoader(
  engine: Engine,
  reader: Reader,
  flight: Flight,
  stale: Copy | undefined,
  token: string | undefined,
  set: LoaderContext["set"],
): Promise<unknown> {
  const { view, key, name, request } = reader;
  const { leaseMs } = engine;
  const { hardTimeoutMs } = reader.options;
  const renewalMs = hardTimeoutMs < FOREVER ? hardTimeoutMs : MAX_RENEWAL_MS;
  const controller = new AbortController();
  const { signal } = controller;
  const beganAt = engine.clock();
  flight.cancel = () => {
    // Who comes now wants a value: it does not share this load.
    if (engine.flights.get(key) === flight) engine.flights.delete(key);
    controller.abort();
  };
  const failure: { reason?: unknown } = {};
  let running = true;
  const renew = async (token: string): Promise<void> => {
    const { reply } = await ask(engine, request, view, "renew", { key, token, leaseMs });
    if (!reply.held && running) controller.abort(new StartOver("the lease was lost"));
  };
  const stop = every(engine, request, leaseMs / 2, () => {
    if (engine.closed) controller.abort(closedError());
    else if (token !== undefined && engine.clock() - beganAt < renewalMs)
      background(engine, request, "renew", renew(token));
  });
  const context: LoaderContext = {
    key: name,
    signal,
    stale: stale && {
      value: give(stale.held),
      etag: stale.etag,
      lastModified: stale.lastModified,
      age: beganAt - stale.storedAt,
    },
    set,
    skip: () => SKIP as never, // typed never, so that inference sees only the value
    notModified: () => {
      if (!stale) throw new OptionError("notModified(): there is no stale value to keep");
      return NOT_MODIFIED as never;
    },
    fail: (reason: unknown) => {
      failure.reason = reason;
      return failure as never;
    },
  };
  try {
    if (flight.callers < 1) flight.cancel();
    signal.throwIfAborted();
    const { many } = request;
    const answer: unknown = many
      ? await many.load(key, flight, context)
      : await inTurn(engine, flight, signal, () => reader.loader!(context)); // only such readers load
    if (answer === failure) throw failure.reason;
    return answer;
  } catch (cause) {
    if (signal.reason instanceof StartOver) throw signal.reason;
    throw new LoaderError(`the loader of ${JSON.stringify(name)} failed: ${String(cause)}`, { cause });
  } finally {
    running = false;
    stop();
  }
}

/** The value as callers get it. Throws a CodecError for what can have only one reader. */
function holdValue(engine: Engine, name: string, answer: unknown): Held {
  const held = hold(answer, engine.values);
  if (!held.stream) return held;
  throw new CodecError(
    `${JSON.stringify(name)}: ${held.stream} can be read only once; for responses there is isocache/http`,
  );
}

/** Whether a value is small enough to be stored; an event tells of one that is not. */
function fits(engine: Engine, { request, name }: Reader, options: ResolvedEntry, bytes: number): boolean {
  const error = sizeError(options, name, bytes);
  if (error) report(engine, request, "encode", error, name);
  return !error;
}

/** What is to be stored: the entry there is, with a new life, or the value. Undefined if it cannot be encoded, or is too large. */
async function entryOf(
  engine: Engine,
  reader: Reader,
  held: Held,
  options: ResolvedEntry,
  meta: EntryMeta,
  renewed: Copy | undefined,
) {
  if (renewed) return { ...meta, keep: renewed.id };
  const { key, name, request } = reader;
  try {
    const encoded = engine.codec.encode(held.value, { ...held, cache: engine.name, key });
    if (encoded instanceof Promise) request.many?.waitFor(encoded);
    const bytes = await encoded;
    return fits(engine, reader, options, bytes.length) ? { ...meta, bytes } : undefined;
  } catch (error) {
    report(engine, request, "encode", error, name);
    return undefined;
  }
}

/** Commits; undefined if it is not known whether that was done, or if another flight has taken over the lease. */
async function commit(
  engine: Engine,
  { view, key, name, request }: Reader,
  flight: Flight,
  entry: Pick<CommitRequest, "epoch" | "version" | "entry">,
) {
  if (flight.spent) return undefined;
  flight.spent = true;
  const message = { key, token: flight.token, ...entry, ...deadlineOf(engine, view) };
  return ask(engine, request, view, "commit", message).catch(failOpen(engine, request, "commit", name));
}
