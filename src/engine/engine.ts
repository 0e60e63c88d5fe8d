// The state of one cache instance, and the ports it works through.
import type { BusConnection } from "../bus/contract.ts";
import type { Codec } from "../codec/contract.ts";
import type { ValueMode } from "../codec/walk.ts";
import type { MemoryTier } from "../memory/tier.ts";
import { count, type Counters } from "../observe/stats.ts";
import type { Emitter } from "../observe/events.ts";
import { StoreError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { BatchItem, BatchItemReply, LogRecord, StoreConnection } from "../store/contract.ts";
import { partitionOf } from "../store/hash.ts";
import { createClock, type Clock } from "./clock.ts";
import type { LoaderContext } from "./context.ts";
import { expireCopy, isValid, type Copy } from "./copy.ts";
import type { Flight, Slots } from "./flight.ts";
import { createView, learn, type View } from "./view.ts";

export interface EngineOptions {
  readonly platform: Platform;
  /** Undefined: a local cache, in which memory is the authority. */
  readonly store: StoreConnection | undefined;
  readonly tier: MemoryTier<Copy>;
  readonly codec: Codec;
  /** The cache's name: with a stored key, the place that codecs may bind bytes to. */
  readonly name: string;
  readonly values: ValueMode;
  readonly events: Emitter;
  readonly maxStalenessMs: number;
  readonly storeTimeoutMs: number;
  readonly leaseMs: number;
  /** "throw": no read fails open. */
  readonly onStoreError: "load" | "throw";
  /** Failures in a row after which a partition is left alone. Infinity: never. */
  readonly breakerFailures: number;
  readonly breakerCooldownMs: number;
  readonly maxConcurrentLoads: number;
}

export interface Engine extends EngineOptions {
  readonly clock: Clock;
  /** Logical time of this instance: grows with everything whose order matters. */
  tick: number;
  views: View[];
  readonly flights: Map<string, Flight>;
  readonly slots: Slots;
  /** What close() calls to end whatever waits or loads. */
  readonly stops: Set<() => void>;
  closed: boolean;
  /** What carries invalidations to and from other instances as they happen. */
  buses: readonly BusConnection[];
}

/** Whose work it is: on Workers, what outlives the response must be announced to its request. */
export interface RequestScope {
  waitUntil(promise: Promise<unknown>): void;
  /** Until when, in local time, each of the held reads of this request may last. */
  readonly holds: Set<{ readonly until: number }>;
  /** Those of the namespace that was called, which count for what encloses it, too. */
  readonly counters: Counters;
  /** Of a call for many keys. */
  readonly many?: Many;
}

/** An answer, with when its question was sent. */
export interface Answered<Reply> {
  readonly reply: Reply;
  readonly sentAt: number;
  readonly tick: number;
  /** False: its epoch cannot be ordered against the one known here, so it may not be used for memory. */
  readonly ordered: boolean;
}

/** What the keys of one call share: round trips, timers, and the load of what is missing. */
export interface Many {
  /** As `ask`, in one trip with all that the call asks of this partition at the same time. */
  ask(view: View, item: BatchItem): Promise<Answered<BatchItemReply>>;
  /** What is asked next waits for this: a value that is being encoded, which is to go along. */
  waitFor(promise: Promise<unknown>): void;
  /** As `pause`, one for all who begin to wait at the same time. */
  pause(ms: number): Promise<void>;
  /** As `every`, with one timer for all. */
  every(ms: number, step: () => void): () => void;
  /** This key will not be loaded by what it is doing now: others need not wait to be loaded with it. */
  decided(key: string): void;
  /** The value of the flight's key, from the one load of all that are missing. */
  load(key: string, flight: Flight, context: LoaderContext): Promise<unknown>;
}

export function createEngine(options: EngineOptions): Engine {
  return {
    ...options,
    // With no bound at all, an answer of the same millisecond proves nothing: what came after it may have been acknowledged.
    clock: createClock(options.platform, options.maxStalenessMs === 0),
    tick: 0,
    views: createViews(options),
    flights: new Map(),
    slots: { running: new Set(), queue: new Map() },
    stops: new Set(),
    closed: false,
    buses: [],
  };
}

/** Without a store the view is its own authority: it is at its own epoch, and always proved. */
export function createViews({ store }: Pick<EngineOptions, "store">): View[] {
  return Array.from({ length: store?.partitions ?? 1 }, (_, index) => {
    const view = createView(index);
    return store ? view : Object.assign(view, { epoch: "local", provedAt: Infinity });
  });
}

export function viewOf(engine: Engine, key: string): View {
  return engine.views[partitionOf(key, engine.views.length)]!; // the hash is below the length
}

/** An id that nobody else ever makes: about 100 random bits. */
export function newId({ platform }: Engine): string {
  const half = (): string => Math.floor(platform.random() * 2 ** 52).toString(36);
  return `${half()}.${half()}`;
}

/** Why everything ends once close() was called. */
export const closedError = (): StoreError => new StoreError("the cache is closed");

/** A read was not sent, since the store has kept failing. For users it is a StoreError like others. */
export class RefusedError extends StoreError {}

/** Reports a failure that must not stop anything. */
export function report(
  engine: Engine,
  { counters }: RequestScope,
  operation: string,
  error: unknown,
  key?: string,
): void {
  if (error instanceof RefusedError) return; // nothing happened: that the breaker is open was told when it opened
  count(counters, "errors");
  engine.events.emit("error", { operation, error, ...(key !== undefined && { key }) });
}

/** Takes a store's failure for no answer (P5), and reports it. Anything else is thrown on. */
export const failOpen =
  (engine: Engine, request: RequestScope, operation: string, key?: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof StoreError)) throw error;
    report(engine, request, operation, error, key);
  };

/** Runs work that nobody awaits: it outlives the request, and what it throws is reported, never unhandled. */
export function background(engine: Engine, request: RequestScope, operation: string, work: Promise<unknown>): void {
  request.waitUntil(work.catch((error: unknown) => report(engine, request, operation, error)));
}

/** Beyond that the oldest are forgotten: a request that was cancelled takes nothing back, and what they would end is over. */
const MAX_STOPS = 10_000;

/** Calls back once after `ms`, or as soon as the cache is closed. Returns how to call that off. */
export function after(engine: Engine, ms: number, callback: () => void): () => void {
  const { platform, stops } = engine;
  const cancel = (): void => {
    platform.clearTimeout(timer);
    stops.delete(stop);
  };
  const stop = (): void => {
    cancel();
    callback();
  };
  const timer = platform.setTimeout(stop, ms);
  stops.add(stop);
  if (stops.size > MAX_STOPS) stops.delete(stops.values().next().value!); // it has that many
  if (engine.closed) stop();
  return cancel;
}

/** Calls a function every `ms`, and a last time when the cache is closed. Returns how to stop that. */
export function every(engine: Engine, { many }: Pick<RequestScope, "many">, ms: number, step: () => void): () => void {
  if (many) return many.every(ms, step);
  const again = (): void => {
    step();
    if (!engine.closed) cancel = after(engine, ms, again);
  };
  let cancel = after(engine, ms, again);
  return () => cancel();
}

/** A pause of half to all of `ms`, so that instances do not act in step. close() cuts it short. */
export const pause = (engine: Engine, ms: number): Promise<void> =>
  new Promise((resolve) => void after(engine, ms * (0.5 + engine.platform.random() / 2), resolve));

/** Between looks at a promise that must not be awaited: from, to. */
const LOOK_MS = [4, 100] as const;

/** Waits for a promise for at most `ms`: nobody waits on what may never settle without a timer of its own (P6). */
export async function within(engine: Engine, promise: Promise<unknown>, ms: number): Promise<void> {
  const timer = (ms: number, callback: () => void): (() => void) => after(engine, ms, callback);
  if (engine.platform.crossRequestPromises ?? true) {
    return new Promise((resolve, reject) => {
      const cancel = timer(ms, resolve);
      promise.finally(cancel).then(() => resolve(), reject);
    });
  }
  const seen: { isOver?: boolean; error?: unknown } = {};
  promise.then(
    () => (seen.isOver = true),
    (error: unknown) => Object.assign(seen, { isOver: true, error }),
  );
  await Promise.resolve(); // for what has settled already
  for (let leftMs = ms, stepMs: number = LOOK_MS[0]; !seen.isOver && leftMs > 0 && !engine.closed;) {
    const lookMs = Math.min(stepMs, leftMs);
    await new Promise<void>((resolve) => void timer(lookMs, resolve));
    leftMs -= lookMs;
    stepMs = Math.min(2 * stepMs, LOOK_MS[1]);
  }
  if ("error" in seen) throw seen.error;
}

/** The copy in memory, if there is one that no invalidation known here makes void. Its age is the caller's to judge. */
export function copyInMemory(engine: Engine, key: string): Copy | undefined {
  const copy = engine.tier.get(key)?.item;
  if (!copy || isValid(copy)) return copy;
  engine.tier.delete(key);
  return undefined;
}

/** Applies an invalidation to what is known and to the copies in memory. */
export function applyRecord(engine: Engine, view: View, record: LogRecord, tick: number): void {
  const nowAt = engine.clock();
  learn(view, record, nowAt, tick);
  if (record.key === undefined) return; // copies are compared with tags when they are used, not now
  const copy = engine.tier.peek(record.key)?.item;
  if (!copy || copy.version >= record.seq) return;
  if (record.expire) expireCopy(copy, nowAt - record.agoMs);
  else engine.tier.delete(record.key);
}
