// Sets and invalidations: honoured here at once, done in the store in one trip, loud if that fails, and retried until it is done.
import { StoreError } from "../errors.ts";
import { RESERVED_TAG, type LogRecord, type Stamp, type Write } from "../store/contract.ts";
import { ask, deadlineOf, moveInDoubt, StartOver, type Answered } from "./call.ts";
import { applyRecord, background, newId, pause, viewOf, type Engine, type RequestScope } from "./engine.ts";
import { isExpiry, supersedes, type Pending } from "./pending.ts";
import { drop, type View } from "./view.ts";

/** An acknowledged write on one partition. */
export interface Acknowledged {
  readonly view: View;
  readonly record: LogRecord;
  readonly stamp: Stamp;
  readonly sentAt: number;
  readonly ordered: boolean;
}

/** Writes in doubt beyond this become one that covers them all: memory stays bounded, and nothing is forgotten. */
const MAX_PENDING = 1_000;
/** Retries of a write in doubt: first after, at most every. */
const RETRY_MS = [100, 5_000] as const;

/** One write on the partition of its key. Rejects with a StoreError if it was not acknowledged. */
export async function writeKey(
  engine: Engine,
  request: RequestScope,
  write: Write & { readonly key: string },
): Promise<Acknowledged> {
  for (;;) {
    try {
      return await writeTo(engine, viewOf(engine, write.key), request, write);
    } catch (error) {
      if (!(error instanceof StartOver)) throw error;
    }
  }
}

/** An invalidation by tags, on all partitions in parallel. Rejects with a StoreError that names those that did not acknowledge. */
export async function writeTags(engine: Engine, request: RequestScope, write: Write): Promise<void> {
  for (;;) {
    const { views } = engine;
    const results = await Promise.allSettled(views.map((view) => writeTo(engine, view, request, write)));
    const failed = results.flatMap((result, index) =>
      result.status === "rejected" ? [{ index, cause: result.reason as unknown }] : [],
    );
    if (failed.length === 0) return;
    if (failed.some(({ cause }) => cause instanceof StartOver)) continue;
    const where =
      views.length > 1 ? ` by partitions ${failed.map(({ index }) => index).join(", ")} of ${views.length}` : "";
    const { cause } = failed[0]!; // at least one failed
    if (!(cause instanceof StoreError)) throw cause;
    throw new StoreError(`${write.kind}: not acknowledged${where}; it goes on being retried`, { cause });
  }
}

async function writeTo(engine: Engine, view: View, request: RequestScope, write: Write): Promise<Acknowledged> {
  if (engine.closed) throw new StoreError(`${write.kind}: the cache is closed`);
  const tick = ++engine.tick;
  const nonce = newId(engine.platform);
  if (engine.store === undefined) return writeHere(engine, view, write, nonce, tick);
  let attempted = (): void => undefined;
  const firstAttempt = new Promise<void>((resolve) => void (attempted = resolve));
  const pending: Pending = { write, nonce, tick, firstAttempt, attempted: false };
  view.pending.push(pending);
  if ("key" in write && !isExpiry(write)) engine.tier?.delete(write.key);
  try {
    return await attempt(engine, view, pending);
  } catch (error) {
    const retried = error instanceof StoreError && view.pending.includes(pending); // no later write made it pointless
    pending.attempted = true;
    if (!retried) view.pending = view.pending.filter((other) => other !== pending);
    else if (!engine.views.includes(view)) moveInDoubt(engine, [view]);
    if (retried) retryAll(engine, request);
    throw error;
  } finally {
    attempted();
  }
}

/** Without a store, this instance is the authority. */
function writeHere(engine: Engine, view: View, write: Write, nonce: string, tick: number): Acknowledged {
  const seq = view.applied + 1;
  const target = "key" in write ? { key: write.key } : { tags: write.tags };
  const record: LogRecord = { seq, nonce, expire: isExpiry(write), agoMs: 0, ...target };
  applyRecord(engine, view, record, tick);
  const stamp = { epoch: view.epoch!, seq, tip: nonce, time: 0 }; // a local view has its epoch from the start
  return { view, record, stamp, sentAt: engine.clock(), ordered: true };
}

/** Sends a write once, or twice if the first came too late by a store clock that has jumped since. */
async function attempt(engine: Engine, view: View, pending: Pending): Promise<Acknowledged> {
  const { write, nonce } = pending;
  const beganAt = engine.clock();
  const send = (kind: Write) => ask(engine, view, "write", { write: kind, nonce, ...deadlineOf(engine, view) });
  // A value that was set before is not set again: who set it was told that it failed, and may have gone on.
  const again: Write = write.kind === "set" ? { kind: "delete", key: write.key } : write;
  let answered = await send(pending.attempted ? again : write);
  // Unless a later write made it pointless meanwhile: this one would undo that.
  if (answered.reply.record === undefined && view.pending.includes(pending))
    answered = await send(pending.attempted ? again : write);
  const { reply, sentAt, ordered } = answered;
  const { record } = reply;
  if (record === undefined) throw new StoreError(`${write.kind}: the store refused it as too late, twice`);
  acknowledge(engine, view, pending, answered, record);
  engine.events.emit("write", {
    operation: write.kind,
    durationMs: engine.clock() - beganAt,
    ...("key" in write ? { key: write.key } : { tags: write.tags }),
  });
  return { view, record, stamp: reply, sentAt, ordered };
}

function acknowledge(
  engine: Engine,
  view: View,
  pending: Pending,
  { reply, sentAt, ordered }: Answered<Stamp>,
  record: LogRecord,
): void {
  view.pending = view.pending.filter(
    (other) => other !== pending && !(other.tick < pending.tick && supersedes(pending.write, other.write)),
  );
  if (!ordered) {
    // It took effect in an epoch that may be newer than the one known here: nothing in memory can be vouched for.
    drop(view, undefined, -Infinity, ++engine.tick);
    return;
  }
  applyRecord(engine, view, record, pending.tick);
  if (reply.seq <= view.applied) view.provedAt = Math.max(view.provedAt, sentAt);
}

/**
 * Retries the writes in doubt, in each partition one after the other, until all are done or the cache is closed. Where
 * processes end with their requests, the next operation that meets such a write goes on with it.
 */
export function retryAll(engine: Engine, request: RequestScope): void {
  for (const view of engine.views) {
    if (engine.clock() < view.retriedUntil || !view.pending.some(({ attempted }) => attempted)) continue;
    const done = (): void => {
      view.retriedUntil = -Infinity;
      if (!engine.closed && !engine.views.includes(view)) retryAll(engine, request);
    };
    background(engine, request, "retry", retry(engine, view).finally(done));
  }
}

async function retry(engine: Engine, view: View): Promise<void> {
  for (let failures = 0; ;) {
    if (view.pending.length > MAX_PENDING) collapse(view);
    const delayMs = Math.min(RETRY_MS[0] * 2 ** failures, RETRY_MS[1]);
    view.retriedUntil = engine.clock() + delayMs + 4 * engine.storeTimeoutMs;
    await pause(engine, delayMs);
    const pending = view.pending.find(({ attempted }) => attempted);
    if (pending === undefined || engine.closed || !engine.views.includes(view)) return;
    try {
      await attempt(engine, view, pending);
      failures = 0;
    } catch (error) {
      if (error instanceof StartOver) return;
      if (!(error instanceof StoreError)) throw error;
      failures++;
    }
  }
}

/** Replaces the writes in doubt by the one that covers them all: everything in the partition. */
function collapse(view: View): void {
  const inDoubt = view.pending.filter(({ attempted }) => attempted);
  const last = inDoubt.at(-1);
  if (last === undefined) return;
  const write: Write = { kind: "tags", tags: [RESERVED_TAG] };
  view.pending = [{ ...last, write }, ...view.pending.filter(({ attempted }) => !attempted)];
}
