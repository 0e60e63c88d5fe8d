// A connection to a store that other processes share: it waits for their locks and loads with timers, never blocking.
import { StoreError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { CallOptions, Moved, ReadReply, ReadRequest, StoreConnection } from "./contract.ts";
import { isLocked } from "./sqlite-database.ts";
import { mustWait } from "./waiters.ts";

/** Between attempts to get the lock: from, to. */
const LOCK_MS = [4, 50] as const;
/** Between looks at what another process loads: from, to. */
const LOOK_MS = [10, 100] as const;

type Operation<Request, Reply> = (partition: number, request: Request, call: CallOptions) => Promise<Reply>;

/**
 * Wraps a connection within this process. An operation that finds the database locked is done again until the time-out,
 * and rejects with a StoreError then. A held read is woken at once by what happens in this process; what another process
 * does it sees when it looks: after 10 ms, then less and less often, at last every 100 ms.
 */
export function sharedConnection(
  inner: StoreConnection,
  { monotonic, setTimeout }: Platform,
  busyTimeoutMs: number,
): StoreConnection {
  let closed = false;

  const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, delayMs));

  const unlocked =
    <Request, Reply>(operation: Operation<Request, Reply>): Operation<Request, Reply> =>
    async (partition, request, call) => {
      const startedAt = monotonic();
      for (let delayMs: number = LOCK_MS[0]; ; delayMs = Math.min(delayMs * 2, LOCK_MS[1])) {
        try {
          return await operation(partition, request, call);
        } catch (cause) {
          if (!(cause instanceof StoreError) || !isLocked(cause.cause)) throw cause;
          const waitedMs = monotonic() - startedAt;
          if (waitedMs + delayMs > busyTimeoutMs || closed || call.signal?.aborted) {
            throw new StoreError(`The database was locked for ${Math.round(waitedMs)} ms`, { cause });
          }
          await pause(delayMs);
        }
      }
    };

  const readOnce = unlocked(inner.read);

  /** Holds a read for short whiles, and looks anew after each. */
  const read = async (partition: number, request: ReadRequest, call: CallOptions): Promise<ReadReply | Moved> => {
    const { signal, onHeld } = call;
    let restMs = request.waitMs;
    let held = false;
    for (let lookMs: number = LOOK_MS[0]; ; lookMs = Math.min(lookMs * 2, LOOK_MS[1])) {
      const waitMs = Math.min(lookMs, restMs);
      let waited = false;
      const reply = await readOnce(
        partition,
        { ...request, waitMs },
        {
          ...call,
          onHeld() {
            waited = true;
            if (!held) onHeld?.();
            held = true;
          },
        },
      );
      restMs -= waitMs;
      // A read that is not held, though it would have to be, is one too many.
      if (!waited || restMs <= 0 || closed || signal?.aborted || "moved" in reply || !mustWait(reply)) return reply;
    }
  };

  return {
    ...inner,
    read,
    commit: unlocked(inner.commit),
    renew: unlocked(inner.renew),
    release: unlocked(inner.release),
    write: unlocked(inner.write),
    batch: unlocked(inner.batch),
    changesSince: unlocked(inner.changesSince),
    async close() {
      closed = true;
      await inner.close();
    },
  };
}
