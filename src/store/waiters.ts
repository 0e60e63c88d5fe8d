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
  /** Answers everybody with what they were told first. */
  close(): void;
}

interface Waiter {
  /** Asks anew, and leaves unless it has to wait on; `final`: leaves with whatever the answer is. */
  look(final: boolean): void;
  /** Leaves with the last answer. */
  end(): void;
}

/** The waiters of one key share the timer that tells when the lease may be taken over. */
interface Room {
  readonly waiters: Set<Waiter>;
  leftMs: number;
  timer: unknown;
}

const MAX_WAIT_MS = 60_000;

export function createWaiters(options: WaitersOptions): Waiters {
  const { attempt, setTimer, clearTimer } = options;
  const rooms = new Map<string, Room>();
  let count = 0;

  const arm = (key: string, room: Room): void => {
    clearTimer(room.timer);
    room.timer = setTimer(() => wake(key), Math.max(1, room.leftMs));
  };

  const wake = (key: string): void => {
    const room = rooms.get(key);
    if (room === undefined) return;
    for (const waiter of room.waiters) waiter.look(false);
    if (rooms.get(key) === room) arm(key, room);
  };

  const enter = (
    request: ReadRequest,
    first: ReadReply,
    { signal, onHeld }: CallOptions,
    resolve: (reply: ReadReply) => void,
    reject: (error: unknown) => void,
  ): void => {
    const { key } = request;
    let last = first;
    const room = rooms.get(key) ?? { waiters: new Set(), leftMs: 0, timer: undefined };
    const leave = (): void => {
      if (!room.waiters.delete(waiter)) return;
      count--;
      clearTimer(timer);
      signal?.removeEventListener("abort", waiter.end);
      if (room.waiters.size > 0) return;
      clearTimer(room.timer);
      rooms.delete(key);
    };
    const waiter: Waiter = {
      look(final) {
        try {
          last = attempt(request);
        } catch (error) {
          leave();
          return reject(error);
        }
        if (last.busy !== undefined) room.leftMs = last.busy.leftMs;
        if (final || !mustWait(last)) waiter.end();
      },
      end() {
        leave();
        resolve(last);
      },
    };
    const timer = setTimer(() => waiter.look(true), Math.min(request.waitMs, MAX_WAIT_MS));
    signal?.addEventListener("abort", waiter.end);
    rooms.set(key, room);
    room.waiters.add(waiter);
    count++;
    room.leftMs = first.busy?.leftMs ?? 0;
    arm(key, room);
    onHeld?.();
  };

  return {
    read: (request, call) =>
      new Promise((resolve, reject) => {
        const reply = attempt(request);
        const held =
          mustWait(reply) && request.waitMs > 0 && count < options.maxWaiters && call.signal?.aborted !== true;
        if (held) enter(request, reply, call, resolve, reject);
        else resolve(reply);
      }),
    wake,
    wakeAll: () => [...rooms.keys()].forEach(wake),
    close() {
      for (const room of [...rooms.values()]) for (const waiter of room.waiters) waiter.end();
    },
  };
}

/** Somebody else is loading, and there is nothing that may be served meanwhile. */
function mustWait({ busy, entry }: ReadReply): boolean {
  if (busy === undefined || busy.backoff) return false;
  return entry === undefined || Math.max(entry.freshForMs, entry.revalidateForMs) <= 0;
}
