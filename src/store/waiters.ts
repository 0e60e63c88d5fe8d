// Reads that wait in a partition until somebody else's lease ends: bounded, never lost, never leaked.
import type { CallOptions, ReadReply, ReadRequest } from "./contract.ts";

/** What `createWaiters` needs. */
export interface WaitersOptions {
  /** Answers a read as of now, in one atomic step. */
  attempt(request: ReadRequest): ReadReply;
  /** How many may wait at once; one more is answered at once. */
  readonly maxWaiters: number;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
}

/** The waiting reads of one partition. */
export interface Waiters {
  /** Answers a read, at once or when it need not wait any longer. */
  read(request: ReadRequest, call: CallOptions): Promise<ReadReply>;
  /** The lease of a key ended or changed: all who wait for it ask anew, in the order they came. */
  wake(key: string): void;
  wakeAll(): void;
  /** Answers everybody with what they were told last. */
  close(): void;
}

interface Waiter {
  /** Asks anew, and leaves unless it has to wait on; `final`: leaves with whatever the answer is. */
  look(final: boolean): void;
  /** Leaves with the last answer. Idempotent. */
  end(): void;
}

const MAX_WAIT_MS = 60_000;

export function createWaiters({ attempt, maxWaiters, setTimer, clearTimer }: WaitersOptions): Waiters {
  const rooms = new Map<string, Set<Waiter>>();
  let count = 0;

  const wake = (key: string): void => {
    for (const waiter of rooms.get(key) ?? []) waiter.look(false);
  };

  const read = (request: ReadRequest, { signal, onHeld }: CallOptions): Promise<ReadReply> =>
    new Promise((resolve, reject) => {
      let last = attempt(request);
      let restMs = Math.min(request.waitMs, MAX_WAIT_MS);
      if (!mustWait(last) || restMs <= 0 || count >= maxWaiters || signal?.aborted === true) return resolve(last);
      const { key } = request;
      const room = rooms.get(key) ?? new Set();
      let timer: unknown;
      const waiter: Waiter = {
        look(final) {
          try {
            last = attempt(request);
            if (final || !mustWait(last)) waiter.end();
          } catch (error) {
            reject(error);
            waiter.end();
          }
        },
        end() {
          if (!room.delete(waiter)) return;
          count--;
          clearTimer(timer);
          signal?.removeEventListener("abort", waiter.end);
          if (room.size === 0) rooms.delete(key);
          resolve(last);
        },
      };
      /** Looks again when the lease may be taken over, or for the last time at the end of the wait. */
      const arm = (): void => {
        const delayMs = Math.max(1, Math.min(restMs, last.busy?.leftMs ?? 0));
        timer = setTimer(() => {
          restMs -= delayMs;
          waiter.look(restMs <= 0);
          if (room.has(waiter)) arm();
        }, delayMs);
      };
      rooms.set(key, room.add(waiter));
      count++;
      signal?.addEventListener("abort", waiter.end);
      arm();
      onHeld?.();
    });

  return {
    read,
    wake,
    wakeAll: () => [...rooms.keys()].forEach(wake),
    close() {
      for (const room of rooms.values()) for (const waiter of room) waiter.end();
    },
  };
}

/** Somebody else is loading, and there is nothing that may be served meanwhile. */
function mustWait({ busy, entry }: ReadReply): boolean {
  if (busy === undefined || busy.backoff) return false;
  return entry === undefined || entry.freshForMs + entry.staleWhileRevalidateMs <= 0; // ttl ends first
}
