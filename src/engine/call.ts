// One request to the store: with a witness, a time-out and its place in logical time.
import { OptionError, StoreError, TimeoutError } from "../errors.ts";
import type { Answer, CallOptions, Moved, Stamp, StoreConnection, Witnessed } from "../store/contract.ts";
import type { Timer } from "../platform.ts";
import { createViews, onClose, viewOf, type Engine } from "./engine.ts";
import { note, witnessOf, type View } from "./view.ts";

/** An answer, with when its question was sent. */
export interface Answered<Reply> {
  readonly reply: Reply;
  readonly sentAt: number;
  readonly tick: number;
  /** False: its epoch cannot be ordered against the one known here, so it may not be used for memory. */
  readonly ordered: boolean;
}

/** The number of partitions changed: every view was made anew, and the operation starts over. */
export class Repartitioned extends Error {
  override readonly name = "Repartitioned";
}

/** What each operation of a store takes and answers. */
type Operations = Pick<StoreConnection, "read" | "commit" | "renew" | "release" | "write" | "changesSince">;
type RequestOf<Name extends keyof Operations> = Omit<Parameters<Operations[Name]>[1], "witness">;
type ReplyOf<Name extends keyof Operations> = Exclude<Awaited<ReturnType<Operations[Name]>>, Moved>;

/**
 * Sends one request. Rejects with a StoreError when the store fails or does not answer within `storeTimeout`; a read
 * that the store holds gets its `waitMs` more from the moment it says so, and calls `onHeld` then. An OptionError (a
 * missing binding) passes through.
 */
export async function ask<Name extends keyof Operations>(
  engine: Engine,
  view: View,
  operation: Name,
  request: RequestOf<Name>,
  onHeld?: () => void,
): Promise<Answered<ReplyOf<Name>>> {
  const sentAt = engine.clock();
  const tick = ++engine.tick;
  engine.counters.roundTrips++;
  // The union of all operations cannot be called, though each of them takes what its name demands.
  const send = engine.store![operation] as unknown as (
    partition: number,
    request: RequestOf<Name> & Witnessed,
    call: CallOptions,
  ) => Answer<Stamp & ReplyOf<Name>>;
  const reply = await bounded(
    engine,
    operation,
    (call) => send(view.index, { ...request, ...witnessOf(view) }, call),
    "waitMs" in request ? Number(request.waitMs) : 0,
    onHeld,
  );
  if ("moved" in reply) {
    repartition(engine);
    throw new Repartitioned(`${operation}: the store has another number of partitions`);
  }
  return { reply, sentAt, tick, ordered: note(view, reply, sentAt, tick, engine.clock(), ++engine.tick) };
}

/** Gives a request its end: an answer, an error, a time-out, or close(). What comes later is ignored. */
function bounded<T>(
  engine: Engine,
  operation: string,
  send: (call: CallOptions) => Promise<T>,
  holdMs: number,
  held?: () => void,
): Promise<T> {
  const { platform, stops } = engine;
  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    let timer: Timer;
    let settled = false;
    const finish = (settle: () => void): void => {
      settled = true;
      platform.clearTimeout(timer);
      stops.delete(stop);
      settle();
    };
    const fail = (cause: unknown): void =>
      finish(() => {
        const known = cause instanceof StoreError || cause instanceof OptionError;
        reject(known ? cause : new StoreError(`${operation}: the store failed: ${String(cause)}`, { cause }));
        controller.abort();
      });
    const stop = (): void => fail(new StoreError(`${operation}: the cache is closed`));
    const arm = (ms: number): void => {
      platform.clearTimeout(timer);
      if (settled) return;
      timer = platform.setTimeout(() => fail(new TimeoutError(`no answer within ${ms} ms`)), ms);
    };
    onClose(engine, stop);
    arm(engine.storeTimeoutMs);
    if (engine.closed) return stop();
    const onHeld = (): void => {
      held?.();
      arm(holdMs + engine.storeTimeoutMs);
    };
    try {
      send({ signal: controller.signal, onHeld }).then((value) => finish(() => resolve(value)), fail);
    } catch (cause) {
      fail(cause);
    }
  });
}

/**
 * The instant, by the store's clock, after which nobody waits for a write any more: one that arrives later is not done,
 * so that a write that was rejected never takes effect after what came next. Counted from when the store's time arrived
 * here, which can only make it earlier; less one, since clocks show whole milliseconds: the instant of the time-out is late.
 */
export function deadlineOf(engine: Engine, view: View): { deadline?: number } {
  if (view.storeTime === undefined) return {};
  return { deadline: view.storeTime + (engine.clock() - view.storeTimeAt) + engine.storeTimeoutMs - 1 };
}

/** Starts over with the number of partitions that the store has recorded. */
function repartition(engine: Engine): void {
  const before = engine.views;
  engine.views = createViews(engine.store!.partitions, false); // only a store answers
  engine.tier?.clear();
  engine.flights.clear();
  moveInDoubt(engine, before);
}

/** Own writes in doubt go where their keys and tags belong now. */
export function moveInDoubt(engine: Engine, from: readonly View[]): void {
  const inDoubt = from.flatMap((view) => view.pending.filter(({ attempted }) => attempted));
  for (const pending of new Map(inDoubt.map((each) => [each.nonce, each])).values()) {
    const { write } = pending;
    const views = "key" in write ? [viewOf(engine, write.key)] : engine.views;
    for (const view of views) view.pending.push(pending);
  }
}
