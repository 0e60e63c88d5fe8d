// One request to the store: with a witness, a time-out and its place in logical time.
import { OptionError, StoreError, TimeoutError } from "../errors.ts";
import { count } from "../observe/stats.ts";
import type { Answer, BatchItem, CallOptions, Moved, Stamp, StoreConnection, Witnessed } from "../store/contract.ts";
import { admit, answered, failed } from "./breaker.ts";
import { after, closedError, createViews, viewOf, type Answered, type Engine, type RequestScope } from "./engine.ts";
import type { Pending } from "./pending.ts";
import { note, type View } from "./view.ts";

/** The operation is to start over: the number of partitions changed, or a load ended without a value. */
export class StartOver extends Error {}

/** What each operation of a store takes and answers. */
type Operations = Pick<StoreConnection, "read" | "commit" | "renew" | "release" | "write" | "batch" | "changesSince">;
type RequestOf<Name extends keyof Operations> = Omit<Parameters<Operations[Name]>[1], "witness">;
type ReplyOf<Name extends keyof Operations> = Exclude<Awaited<ReturnType<Operations[Name]>>, Moved>;

/**
 * Asks the store, in the round trip of a call for many keys if it is part of one. Rejects with a StoreError when the store
 * fails or does not answer within `storeTimeout`; a read that the store holds gets its `waitMs` more from the moment it
 * says so, and calls `onHeld` then. An OptionError (a missing binding) passes through. A RefusedError: nothing was sent,
 * since the store has kept failing.
 */
export function ask<Name extends BatchItem["operation"]>(
  engine: Engine,
  scope: RequestScope,
  view: View,
  operation: Name,
  request: RequestOf<Name>,
  onHeld?: () => void,
): Promise<Answered<ReplyOf<Name>>> {
  if (!scope.many) return send(engine, scope, view, operation, request, onHeld);
  // An item is answered as its operation is.
  return scope.many.ask(view, { operation, request } as BatchItem) as Promise<Answered<ReplyOf<Name>>>;
}

/** The same, in a round trip of its own. What a batch answers is for those to take in who asked. */
export async function send<Name extends keyof Operations>(
  engine: Engine,
  { counters }: RequestScope,
  view: View,
  operation: Name,
  request: RequestOf<Name>,
  onHeld?: () => void,
): Promise<Answered<ReplyOf<Name>>> {
  const { storeTimeoutMs } = engine;
  if (engine.closed) throw closedError();
  // An answer that came too late may have told the connection of another number of partitions. To a place that a key no
  // longer has, nothing may be sent: it would be done there, and missing where it belongs.
  if (engine.store!.partitions !== engine.views.length) repartition(engine);
  if (engine.views[view.index] !== view) throw new StartOver();
  const probes = admit(engine, view, operation);
  const sentAt = engine.clock();
  const tick = ++engine.tick;
  count(counters, "roundTrips");
  if (operation === "changesSince") count(counters, "syncs");
  else view.usedAt = sentAt;
  // The union of all operations cannot be called, though each of them takes what its name demands.
  const call = engine.store![operation] as unknown as (
    partition: number,
    request: RequestOf<Name> & Witnessed,
    call: CallOptions,
  ) => Answer<ReplyOf<Name>>;
  // The newest position this instance has seen, for the store to compare with its own.
  const { epoch, newest: seq, newestTip: tip } = view;
  const witness = epoch !== undefined && { witness: { epoch, seq, tip } };
  const controller = new AbortController();
  const { signal } = controller;
  let disarm = (): void => undefined;
  let isOpen = true;
  let reply: Moved | ReplyOf<Name>;
  try {
    // Its end: an answer, an error, a time-out, or close(). What comes later is ignored.
    reply = await new Promise<typeof reply>((resolve, reject) => {
      const arm = (ms: number): void => {
        disarm();
        disarm = after(engine, ms, () =>
          reject(engine.closed ? closedError() : new TimeoutError(`no answer within ${ms} ms`)),
        );
      };
      arm(storeTimeoutMs);
      const held = (): void => {
        if (!isOpen) return; // heard of after the answer, it would leave a timer
        answered(engine, view);
        onHeld?.();
        arm(storeTimeoutMs + ("waitMs" in request ? Number(request.waitMs) : 0));
      };
      call(view.index, { ...request, ...witness }, { signal, onHeld: held }).then(resolve, reject);
    });
  } catch (cause) {
    controller.abort();
    if (cause instanceof OptionError) throw cause;
    if (!engine.closed) failed(engine, view, probes);
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${operation}: the store failed: ${String(cause)}`, { cause });
  } finally {
    isOpen = false;
    disarm();
  }
  answered(engine, view);
  if ("moved" in reply) {
    if (engine.views[view.index] === view) repartition(engine);
    throw new StartOver();
  }
  return { reply, sentAt, tick, ordered: "replies" in reply || takeIn(engine, view, reply, sentAt, tick) };
}

/** Notes what every answer carries; see `ordered` of an answer. */
export function takeIn(engine: Engine, view: View, stamp: Stamp, sentAt: number, tick: number): boolean {
  const { epoch } = view;
  const isOrdered = note(view, stamp, sentAt, tick, engine.clock(), ++engine.tick);
  if (view.epoch !== epoch) for (const bus of engine.buses) bus.confirmed(view.index);
  return isOrdered;
}

/**
 * The instant, by the store's clock, after which nobody waits for a write any more: one that arrives later is not done,
 * so that a write that was rejected never takes effect after what came next. Counted from when the store's time arrived
 * here, which can only make it earlier; less one, since clocks show whole milliseconds: the instant of the time-out is late.
 */
export const deadlineOf = (engine: Engine, { storeAheadMs }: View): { deadline?: number } =>
  storeAheadMs === undefined ? {} : { deadline: storeAheadMs + engine.clock() + engine.storeTimeoutMs - 1 };

/** Starts over with the number of partitions that the store has recorded. Own writes go where they belong now. */
function repartition(engine: Engine): void {
  const before = engine.views;
  engine.views = createViews(engine);
  engine.tier.clear();
  engine.flights.clear();
  for (const pending of new Set(before.flatMap((view) => view.pending.all()))) {
    const { write } = pending;
    const views = "key" in write ? [viewOf(engine, write.key)] : engine.views;
    // One for each partition, since each is acknowledged by itself; all in doubt as soon as the first attempt has failed.
    for (const view of views) view.pending.add(Object.create(pending) as Pending);
  }
}
