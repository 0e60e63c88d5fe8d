// Reads that wait in a partition until somebody else's lease ends: bounded, never lost, never leaked.
import type { Platform } from "../platform.ts";
import type { CallOptions, ReadReply, ReadRequest } from "./contract.ts";

/** The waiting reads of one partition. */
export interface Waiters {
  /** Answers a read, at once or when it need not wait any longer. */
  read(request: ReadRequest, call: CallOptions): Promise<ReadReply>;
  /** The lease of a key, or without one of all keys, ended or changed: who waits for it asks anew, in the order they came. */
  wake(key?: string): void;
  /** Answers everybody with what they were told last. */
  close(): void;
}

interface Waiter {
  readonly key: string;
  /** Asks anew, and leaves unless it has to wait on; `final`: leaves with whatever the answer is. */
  look(final: boolean): void;
  /** Leaves with the last answer. Idempotent. */
  end(): void;
}

const MAX_WAIT_MS = 60_000;

/** `attempt` answers a read as of now, in one atomic step. At most `maxWaiters` wait; one more is answered at once. */
export function createWaiters(
  { setTimeout, clearTimeout }: Pick<Platform, "setTimeout" | "clearTimeout">,
  maxWaiters: number,
  attempt: (request: ReadRequest) => ReadReply,
): Waiters {
  const waiters = new Set<Waiter>();
  return {
    read: (request, { signal, onHeld }) =>
      new Promise((resolve, reject) => {
        let last = attempt(request);
        let restMs = Math.min(request.waitMs, MAX_WAIT_MS);
        if (!mustWait(last) || restMs <= 0 || waiters.size >= maxWaiters || signal?.aborted) return resolve(last);
        let timer: unknown;
        const waiter: Waiter = {
          key: request.key,
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
            waiters.delete(waiter);
            clearTimeout(timer);
            signal?.removeEventListener("abort", waiter.end);
            resolve(last);
          },
        };
        /** Looks again when the lease may be taken over, or for the last time at the end of the wait. */
        const arm = (): void => {
          const delayMs = Math.max(1, Math.min(restMs, last.busy?.leftMs ?? 0));
          timer = setTimeout(() => {
            restMs -= delayMs;
            waiter.look(restMs <= 0);
            if (waiters.has(waiter)) arm();
          }, delayMs);
        };
        waiters.add(waiter);
        signal?.addEventListener("abort", waiter.end);
        arm();
        onHeld?.();
      }),
    wake(key) {
      for (const waiter of waiters) if (key === undefined || waiter.key === key) waiter.look(false);
    },
    close() {
      for (const waiter of waiters) waiter.end();
    },
  };
}

/** Somebody else is loading, and there is nothing that may be served meanwhile. */
export function mustWait({ busy, entry }: ReadReply): boolean {
  // Of an entry, ttl ends first.
  return busy?.backoff === false && !(entry && entry.freshForMs + entry.staleWhileRevalidateMs > 0);
}
