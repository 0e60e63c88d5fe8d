// Sets and invalidations: honoured here at once, done in the store in one trip, loud if that fails, and retried until it is done.
import { StoreError } from "../errors.ts";
import { RESERVED_TAG, type LogRecord, type Stamp, type Write } from "../store/contract.ts";
import { ask, deadlineOf, StartOver } from "./call.ts";
import {
  applyRecord,
  background,
  closedError,
  newId,
  pause,
  viewOf,
  within,
  type Engine,
  type RequestScope,
} from "./engine.ts";
import { namedTags, userKey } from "./names.ts";
import { covers, isExpiry, isInDoubt, supersedes, type Pending } from "./pending.ts";
import { drop, proveBy, type View } from "./view.ts";

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

/**
 * One write on the partition of its key. Rejects with a StoreError if it was not acknowledged. Undefined: a later write
 * of the key was acknowledged while the value was still being encoded (`bytes`, in place of those of the entry).
 */
export async function writeKey(
  engine: Engine,
  request: RequestScope,
  write: Write & { readonly key: string },
  bytes?: Promise<Uint8Array>,
): Promise<Acknowledged | undefined> {
  const asked = askFor(engine, write, bytes);
  for (let again = false; ; again = true) {
    try {
      return await writeTo(engine, viewOf(engine, write.key), request, asked, again);
    } catch (error) {
      if (!(error instanceof StartOver)) throw error;
    }
  }
}

/** An invalidation by tags, on all partitions in parallel. Rejects with a StoreError that names those that did not acknowledge. */
export async function writeTags(engine: Engine, request: RequestScope, write: Write): Promise<void> {
  const asked = askFor(engine, write);
  for (let again = false; ; again = true) {
    const { views } = engine;
    const results = await Promise.allSettled(views.map((view) => writeTo(engine, view, request, asked, again)));
    const failed = results.flatMap((result, index) =>
      result.status === "rejected" ? [{ index, cause: result.reason as unknown }] : [],
    );
    const first = failed[0];
    if (!first) return;
    if (failed.some(({ cause }) => cause instanceof StartOver)) continue;
    const { cause } = first;
    if (!(cause instanceof StoreError)) throw cause;
    const where = failed.map(({ index }) => index).join(", ");
    throw new StoreError(
      `${write.kind}: not acknowledged by partitions ${where} of ${views.length}; it is being retried`,
      { cause },
    );
  }
}

/** A write as it is asked for: its place in the order of all stays, however often it starts over. */
type Asked = Omit<Pending, "firstAttempt" | "attempted">;

function askFor(engine: Engine, write: Write, bytes?: Promise<Uint8Array>): Asked {
  bytes?.catch(() => undefined); // whoever sends them hears of it; who must not, hears of something else
  return { write, nonce: newId(engine), tick: ++engine.tick, askedAt: engine.clock(), bytes };
}

/** `again`: it has started over, and is among the writes in doubt, unless a later one has made it pointless. */
async function writeTo(
  engine: Engine,
  view: View,
  request: RequestScope,
  asked: Asked,
  again: boolean,
): Promise<Acknowledged | undefined> {
  if (engine.closed) throw closedError();
  for (const bus of engine.buses) bus.open();
  if (!engine.store) return writeHere(engine, request, view, asked);
  const { write } = asked;
  const pending: Pending = { ...asked, attempted: false };
  if (view.pending.delete(asked.nonce) || !again) view.pending.add(pending);
  if ("key" in write && !isExpiry(write)) engine.tier.delete(write.key);
  const first = attempt(engine, request, view, pending).finally(() => void (pending.attempted = true));
  pending.firstAttempt = first;
  try {
    return await first;
  } catch (error) {
    if (!(error instanceof StoreError) && view.pending.has(pending)) view.pending.delete(pending.nonce);
    // Refused for what it is, it was never sent, and is not in doubt where its key has gone with the partitions, either.
    const isOver = !(error instanceof StoreError || error instanceof StartOver);
    if (isOver && "key" in write) viewOf(engine, write.key).pending.delete(pending.nonce);
    retryAll(engine, request);
    throw error;
  }
}

/** Without a store, this instance is the authority. */
function writeHere(engine: Engine, request: RequestScope, view: View, { write, nonce, tick }: Asked): Acknowledged {
  const seq = view.applied + 1;
  const target = "key" in write ? { key: write.key } : { tags: write.tags };
  const record: LogRecord = { seq, nonce, expire: isExpiry(write), agoMs: 0, ...target };
  applyRecord(engine, view, record, tick);
  announce(engine, request, view, "", record);
  told(engine, write, 0);
  const stamp = { epoch: view.epoch!, seq, tip: nonce, time: 0 }; // a local view has its epoch from the start
  return { view, record, stamp, sentAt: engine.clock(), ordered: true };
}

/** Tells the other instances of an invalidation that is done. */
function announce(engine: Engine, request: RequestScope, view: View, epoch: string, record: LogRecord): void {
  for (const bus of engine.buses) {
    const told = bus.tell({
      kind: "records",
      partition: view.index,
      partitions: engine.views.length,
      epoch,
      records: [record],
    });
    background(engine, request, "publish", told);
  }
}

/** Tells of an acknowledged write, in the user's own words. */
function told(engine: Engine, write: Write, durationMs: number): void {
  const tags = "tags" in write ? namedTags(write.tags) : undefined;
  const on = "key" in write ? { key: userKey(write.key) } : tags?.length ? { tags } : {};
  engine.events.emit("write", { operation: tags?.length === 0 ? "clear" : write.kind, durationMs, ...on });
}

/** Whether a value is still being encoded that a later write is to replace or to remove. */
const isEncodedFor = ({ write, bytes, attempted }: Pending, later: Write): boolean =>
  write.kind === "set" && bytes !== undefined && !attempted && covers(later, write.key, write.entry.tags, true);

/** Sends a write once, or twice if the first came too late by a store clock that has jumped since. */
async function attempt(
  engine: Engine,
  request: RequestScope,
  view: View,
  pending: Pending,
): Promise<Acknowledged | undefined> {
  const { write, nonce, tick, bytes } = pending;
  const { kind } = write;
  const beganAt = engine.clock();
  // Nobody waits for one that has taken too long: its request may be gone.
  const since = beganAt - engine.storeTimeoutMs;
  const others = (): readonly Pending[] => ("key" in write ? view.pending.touching(write.key) : view.pending.all());
  const encoding = others().flatMap((other) =>
    other.tick < tick && other.askedAt > since && isEncodedFor(other, write) ? (other.bytes ?? []) : [],
  );
  if (encoding.length > 0) await within(engine, Promise.allSettled(encoding), engine.storeTimeoutMs);
  let value = write;
  if (kind === "set" && bytes && !pending.attempted) {
    value = { ...write, entry: { ...write.entry, bytes: await bytes } };
    encoding.push(bytes);
  }
  if (encoding.length > 0 && !view.pending.has(pending)) return undefined;
  // A value that was set before is not set again: who set it was told that it failed, and may have gone on.
  const send = () => {
    const again: Write = kind === "set" ? { kind: "delete", key: write.key } : write;
    const sent = pending.attempted ? again : value;
    return ask(engine, request, view, "write", { write: sent, nonce, ...deadlineOf(engine, view) });
  };
  let answered = await send();
  // Unless a later write made it pointless meanwhile: this one would undo that.
  if (!answered.reply.record && view.pending.has(pending)) answered = await send();
  const { reply, sentAt, ordered } = answered;
  const { record } = reply;
  if (!record) throw new StoreError(`${kind}: the store refused it as too late`);
  view.pending.delete(nonce);
  for (const other of others()) {
    if (other.tick < tick && supersedes(write, other.write)) view.pending.delete(other.nonce);
  }
  if (ordered) {
    applyRecord(engine, view, record, tick);
    proveBy(view, reply, sentAt);
  } else {
    // It took effect in an epoch that may be newer than the one known here: nothing in memory can be vouched for.
    drop(view, undefined, -Infinity, ++engine.tick);
  }
  announce(engine, request, view, reply.epoch, record);
  told(engine, write, engine.clock() - beganAt);
  return { view, record, stamp: reply, sentAt, ordered };
}

/**
 * Retries the writes in doubt, in each partition one after the other, until all are done or the cache is closed. Where
 * processes end with their requests, the next operation that meets such a write goes on with it.
 */
export function retryAll(engine: Engine, request: RequestScope): void {
  for (const view of engine.views) {
    if (engine.clock() < view.retriedUntil || !view.pending.all().some(isInDoubt)) continue;
    const done = (): void => {
      view.retriedUntil = -Infinity;
      // There may be new ones, or new partitions.
      if (!engine.closed) retryAll(engine, request);
    };
    background(engine, request, "retry", retry(engine, request, view).then(done));
  }
}

async function retry(engine: Engine, request: RequestScope, view: View): Promise<void> {
  // Whoever retried until now was cut off: the pause is over, and the request that goes on may be short.
  let overdue = view.retriedUntil > -Infinity;
  for (let failures = 0; ;) {
    if (view.pending.size > MAX_PENDING) collapse(engine, view);
    const delayMs = Math.min(RETRY_MS[0] * 2 ** failures, RETRY_MS[1]);
    view.retriedUntil = engine.clock() + delayMs + 4 * engine.storeTimeoutMs;
    if (!overdue) await pause(engine, delayMs);
    overdue = false;
    const pending = view.pending.all().find(isInDoubt);
    if (!pending || engine.closed || !engine.views.includes(view)) return;
    try {
      await attempt(engine, request, view, pending);
      failures = 0;
      overdue = true; // the store is back: the next one need not wait
    } catch (error) {
      if (error instanceof StartOver) return;
      if (!(error instanceof StoreError)) throw error;
      failures++;
    }
  }
}

/** Replaces the writes in doubt by one that covers them all: everything in the partition. */
function collapse(engine: Engine, view: View): void {
  const last = view.pending.all().findLast(isInDoubt);
  if (!last) return;
  const write: Write = { kind: "tags", tags: [RESERVED_TAG] };
  // A nonce of its own: under that of another write, the store may take it for a repeat, and do nothing.
  const { tick, askedAt } = last;
  const all: Pending = { write, nonce: newId(engine), tick, askedAt, attempted: true, bytes: undefined };
  const others = view.pending.all();
  for (const other of others) view.pending.delete(other.nonce);
  for (const each of [all, ...others.filter(({ attempted }) => !attempted)]) view.pending.add(each);
}
