// Pull: one small question to the log for all of the isolate's hits, instead of one per key.
import type { CacheEvents } from "../observe/events.ts";
import { send } from "./call.ts";
import { applyRecord, background, failOpen, RefusedError, within, type Engine, type RequestScope } from "./engine.ts";
import { drop, proveBy, type Sync, type View } from "./view.ts";

/**
 * Brings the view up to date, so that it is proved at or after `needAt` if the store answers. Shared by concurrent
 * hits if the one under way was sent late enough. After a failure the next one waits as long as that took, lest every
 * hit waits for a store that is out of reach. Never rejects; the caller looks at `view.provedAt`.
 */
export async function sync(engine: Engine, view: View, needAt: number, request: RequestScope): Promise<void> {
  const running = view.syncing;
  if (running && !running.done && running.sentAt >= needAt) {
    // The one who asked may be a request that ended, so that the promise hangs or rejects: never longer than a question
    // may take. Its silence says nothing of the store, so this one asks for itself.
    await within(engine, running.promise, engine.storeTimeoutMs).catch((error: unknown) => {
      if (running.done) throw error;
    });
    if (running.done) return;
    if (view.syncing === running) view.syncing = undefined;
    return sync(engine, view, needAt, request);
  }
  const sentAt = engine.clock();
  if (sentAt < view.syncAgainAt) return;
  const promise = question(engine, view, request).catch((error: unknown) => {
    failOpen(engine, request, "changesSince")(error);
    if (error instanceof RefusedError) return;
    view.syncAgainAt = engine.clock() + engine.storeTimeoutMs;
    told(engine, view, sentAt, "failed");
  });
  const mine: Sync = { sentAt, promise: promise.finally(() => void (mine.done = true)), done: false };
  view.syncing = mine;
  background(engine, request, "changesSince", mine.promise);
  await promise;
}

async function question(engine: Engine, view: View, request: RequestScope): Promise<void> {
  const { epoch, applied, tip } = view;
  const since = { epoch: epoch ?? "", seq: applied, tip };
  const { reply, sentAt, ordered } = await send(engine, request, view, "changesSince", { since });
  const { records } = reply;
  // Nothing of an answer that cannot be ordered; and one that began a new epoch has already emptied the view.
  if (!ordered || reply.epoch !== epoch) return;
  if (!records) {
    if (reply.seq > view.applied) drop(view, reply, sentAt, ++engine.tick);
  } else {
    for (const record of records) applyRecord(engine, view, record, ++engine.tick);
  }
  proveBy(view, reply, sentAt);
  told(engine, view, sentAt, records ? "current" : "dropped");
}

const told = (engine: Engine, { index }: View, sentAt: number, outcome: CacheEvents["sync"]["outcome"]): void =>
  engine.events.emit("sync", { partition: index, durationMs: engine.clock() - sentAt, outcome });
