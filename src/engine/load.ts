// Running the loader: with a lease that is kept alive, and a commit that says whether the value may be kept.
import { resolveEntry, type EntryOptions, type ResolvedEntry } from "../options/entry.ts";
import { CodecError, LoaderError, OptionError, StoreError } from "../errors.ts";
import { give, hold, type Held } from "../codec/walk.ts";
import type { EntryMeta, NewEntry } from "../store/contract.ts";
import { ask, deadlineOf } from "./call.ts";
import { Failure, NOT_MODIFIED, SKIP, type LoaderContext } from "./context.ts";
import { createCopy, isServableOnError, type Copy } from "./copy.ts";
import { background, every, onClose, report, type Engine } from "./engine.ts";
import type { Flight, Outcome } from "./flight.ts";
import { entryMeta, install } from "./install.ts";
import type { Reader } from "./reader.ts";

/** The right to store what is loaded. */
export interface Lease {
  readonly epoch: string;
  readonly version: number;
}

/** A renewed lease outlives its loader by no more than this: a promise that never settles blocks nobody for longer. */
const MAX_RENEWAL_MS = 60_000;

/** The load is of no use any more and ended without a value; the reader is to start over. */
export class LoadLost extends Error {
  override readonly name = "LoadLost";
}

interface Run {
  readonly engine: Engine;
  readonly reader: Reader;
  readonly flight: Flight;
  readonly lease: Lease | undefined;
  readonly stale: Copy | undefined;
  readonly began: number;
  readonly beganAt: number;
  /** What is loaded now knows of everything up to here: the lease says so, or it begins after all that was seen. */
  readonly epoch: string | undefined;
  readonly version: number;
}

/** What the loader came to, before anything is stored. */
interface Loaded {
  readonly answer: unknown;
  readonly options: ResolvedEntry;
}

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
  if (engine.closed) throw new StoreError("the cache is closed");
  const run: Run = {
    engine,
    reader,
    flight,
    lease,
    stale: stale?.copy,
    began: ++engine.tick,
    beganAt: engine.clock(),
    epoch: lease?.epoch ?? reader.view.epoch,
    version: lease?.version ?? reader.view.newest,
  };
  engine.counters.loads++;
  const ended = (outcome: "stored" | "unstored" | "skipped" | "failed"): void =>
    engine.events.emit("load", { key: reader.name, durationMs: engine.clock() - run.beganAt, outcome });
  let loaded: Loaded;
  try {
    loaded = await runLoader(run);
  } catch (cause) {
    ended("failed");
    const copy = stale?.copy;
    const now = engine.clock();
    const backoffMs = copy !== undefined && isServableOnError(copy, now) ? reader.options.failureBackoffMs : 0;
    release(run, backoffMs);
    if (cause instanceof LoadLost || backoffMs === 0) throw cause;
    stale!.copy!.retryAt = now + backoffMs; // there is one, or there would be no back-off
    report(engine, "load", cause, reader.name);
    return { ...stale!, state: "stale" };
  }
  const { answer, options } = loaded;
  const how = { state: "fresh", tier: "loader", began: run.began, beganAt: run.beganAt } as const;
  if (answer === SKIP || answer === undefined) {
    ended("skipped");
    release(run, 0);
    return { copy: undefined, ...how };
  }
  const { copy, stored } = await store(run, answer, options, keep);
  ended(stored ? "stored" : "unstored");
  return { copy, ...how };
}

/** Calls the loader, and renews the lease as long as that is allowed. Throws a LoaderError, or LoadLost. */
async function runLoader(run: Run): Promise<Loaded> {
  const { engine, reader } = run;
  const controller = new AbortController();
  const close = (): void => controller.abort(new StoreError("the cache was closed"));
  onClose(engine, close);
  let options = reader.options;
  const { stale } = run;
  const context: LoaderContext = {
    key: reader.name,
    signal: controller.signal,
    stale: stale && {
      value: give(stale.held),
      etag: stale.etag,
      lastModified: stale.lastModified,
      age: engine.clock() - stale.storedAt,
    },
    set: (more: EntryOptions) => void (options = resolveEntry(options, more)),
    skip: () => SKIP as never, // typed never, so that inference sees only the value
    notModified: () => {
      if (stale === undefined) throw new OptionError("notModified(): there is no stale value to keep");
      return NOT_MODIFIED as never;
    },
    fail: (reason: unknown) => new Failure(reason) as never,
  };
  const stop = keepLease(run, controller);
  try {
    const answer: unknown = await reader.loader!(context); // only readers with a loader load
    if (answer instanceof Failure) throw answer.reason;
    return { answer, options };
  } catch (cause) {
    if (controller.signal.aborted && !engine.closed) throw new LoadLost("the lease was lost");
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LoaderError(`the loader of ${JSON.stringify(reader.name)} failed: ${reason}`, { cause });
  } finally {
    stop();
    engine.stops.delete(close);
  }
}

/** Renews the lease whenever half of it is over. Aborts the loader when it is lost. Returns how to stop. */
function keepLease(run: Run, controller: AbortController): () => void {
  const { engine, reader, flight, lease, beganAt } = run;
  const { leaseMs } = engine;
  const { view, key, request } = reader;
  if (lease === undefined) return () => undefined;
  let stopped = false;
  const renew = async (): Promise<void> => {
    const { reply } = await ask(engine, view, "renew", { key, token: flight.token, leaseMs });
    if (!reply.held && !stopped) controller.abort(new LoadLost("the lease was lost"));
  };
  const stop = every(engine, leaseMs / 2, () => {
    if (engine.clock() - beganAt < MAX_RENEWAL_MS) background(engine, request, "renew", renew());
  });
  return () => {
    stopped = true;
    stop();
  };
}

/** Gives the lease back, unawaited: nobody should wait for a load that came to nothing. */
function release(run: Run, backoffMs: number): void {
  const { engine, reader, flight, lease } = run;
  if (lease === undefined || engine.closed) return;
  const { key, view } = reader;
  const released = ask(engine, view, "release", { key, token: flight.token, backoffMs });
  background(engine, reader.request, "release", released);
}

/** The value as callers get it, and, if it can be stored, its bytes. Throws a CodecError for what can have only one reader. */
async function prepare(run: Run, answer: unknown, options: ResolvedEntry): Promise<{ held: Held; bytes?: Uint8Array }> {
  const { engine, reader, lease } = run;
  const held = hold(answer, engine.values);
  if (held.stream !== undefined) {
    release(run, 0);
    throw new CodecError(
      `${JSON.stringify(reader.name)}: ${held.stream} can be read only once and is not a value to cache; ` +
        "for whole responses there is isocache/http",
    );
  }
  if (lease === undefined || options.ttlMs === 0 || !options.store) return { held };
  try {
    return { held, bytes: await engine.codec.encode(held.value, held) };
  } catch (error) {
    report(engine, "encode", error, reader.name);
    return { held };
  }
}

async function store(run: Run, answer: unknown, options: ResolvedEntry, keep: boolean) {
  const { engine, reader, lease, flight, stale, beganAt } = run;
  const { view, key } = reader;
  const meta = entryMeta(reader.scope, options);
  const renewed = answer === NOT_MODIFIED ? stale : undefined;
  const { held, bytes } = renewed ? { held: renewed.held, bytes: undefined } : await prepare(run, answer, options);
  /** Its life begins `sinceMs` after the instant that proves it. */
  const copyFrom = (freshForMs: number, id: string, seq: number, provedAt: number, sinceMs: number): Copy => {
    const { epoch, version } = run;
    const origin = { id, epoch, version, seq, provedAt, ageMs: -sinceMs, freshForMs: freshForMs + sinceMs };
    return createCopy(view, held, meta, origin, options.memoryTtlMs + sinceMs);
  };
  const unstored = (): Copy => copyFrom(meta.ttlMs, "", run.version, beganAt, engine.clock() - beganAt);
  if (lease === undefined || options.ttlMs === 0 || !options.store || !(bytes || renewed)) {
    release(run, 0);
    const copy = unstored();
    // What was meant for the store and could not be encoded is kept nowhere, or each instance would have its own.
    const alone = lease === undefined || !options.store;
    const stored = keep && alone && options.ttlMs > 0 && options.memory && install(engine, key, copy, true);
    return { copy, stored };
  }
  const committed = await commit(run, renewed ? { ...meta, keep: renewed.id } : { ...meta, bytes: bytes! }); // one of both is there
  if (committed === undefined || committed.reply.outcome === "refused") {
    if (renewed) throw new LoadLost("what was not modified has been invalidated");
    return { copy: unstored(), stored: false };
  }
  const { reply, sentAt, ordered } = committed;
  const copy = copyFrom(reply.freshForMs, flight.token, reply.seq, sentAt, 0);
  if (options.memory) install(engine, key, copy, ordered);
  return { copy, stored: true };
}

/**
 * Commits; undefined if it is not known whether that was done: then nobody keeps the value, and the lease is given back.
 * The same if another flight has taken over the lease.
 */
async function commit(run: Run, entry: NewEntry | (EntryMeta & { readonly keep: string })) {
  const { engine, reader, flight, epoch, version } = run;
  const { key, view } = reader;
  if (flight.spent) return undefined;
  flight.spent = true;
  try {
    const request = { key, token: flight.token, epoch: epoch!, version, entry }; // a lease has an epoch
    return await ask(engine, view, "commit", { ...request, ...deadlineOf(engine, view) });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    report(engine, "commit", error, reader.name);
    release(run, 0);
    return undefined;
  }
}
