// Reads that wait for somebody else's load: woken by what the script publishes, and looking for themselves where it cannot.
import type { Platform } from "../../platform.ts";
import type { Answer, CallOptions, ReadReply, ReadRequest } from "../contract.ts";
import { mustWait } from "../waiters.ts";
import { toText } from "./text.ts";
import type { Subscription, SubscriptionEvents } from "./transport.ts";

type Read = (partition: number, request: ReadRequest, call: CallOptions) => Answer<ReadReply>;

/** What waiting needs. */
export interface WaitingOptions {
  readonly platform: Platform;
  /** The most commands that one read may cost, its first included. */
  readonly budget: number;
  /** Listens to what the script publishes of a partition; undefined if that cannot be. */
  subscribe(partition: number, events: SubscriptionEvents): Subscription | undefined;
  /** One command, and the same again: in the partition that the caller meant at first. */
  reader(): Read;
  /** Gives back a lease that came when its taker had gone. Its outcome is nobody's concern. */
  release(partition: number, key: string, token: string): void;
}

/** The reads of one connection that wait. */
export interface Waiting {
  readonly read: Read;
  /** Answers all with what they were told last, and ends the subscriptions. */
  close(): Promise<void>;
}

interface Waiter {
  readonly text: string;
  /** Ends the present pause, or, if there is none, the next. */
  wake(): void;
}

interface Channel {
  up: boolean;
  readonly waiters: Set<Waiter>;
  subscription?: Subscription | undefined;
}

const MAX_WAITERS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Between looks while no messages come: from, to. */
const LOOK_MS = [10, 250] as const;
/** While they do, where looks cost nothing but their trip: a message may be lost without a sign. */
const DOUBT_MS = 1_000;

/** A pause of its own for each waiter. */
function createWaiter({ setTimeout, clearTimeout }: Platform, key: string) {
  let woken = false;
  let resume: (() => void) | undefined;
  return {
    text: toText(key),
    wake() {
      woken = true;
      resume?.();
    },
    async pause(delayMs: number): Promise<void> {
      if (!woken) {
        let timer: unknown;
        await new Promise<void>((resolve) => {
          resume = resolve;
          timer = setTimeout(resolve, delayMs);
        });
        clearTimeout(timer);
      }
      // Whatever is published from here on is asked about once more.
      woken = false;
      resume = undefined;
    },
  };
}

/** At most 1,000 reads wait, and none for more than a minute; one more is answered at once. */
export function createWaiting({ platform, budget, subscribe, reader, release }: WaitingOptions): Waiting {
  const channels = new Map<number, Channel>();
  let waiting = 0;
  let closed = false;

  const channelOf = (partition: number): Channel => {
    const known = channels.get(partition);
    if (known !== undefined) return known;
    const channel: Channel = { up: false, waiters: new Set() };
    channels.set(partition, channel);
    channel.subscription = subscribe(partition, {
      message(text) {
        for (const waiter of channel.waiters) if (text === "*" || text === `=${waiter.text}`) waiter.wake();
      },
      state(up) {
        channel.up = up;
        for (const waiter of channel.waiters) waiter.wake();
      },
    });
    return channel;
  };

  const wait = async (
    partition: number,
    request: ReadRequest,
    call: CallOptions,
    first: ReadReply,
    read: Read,
  ): Promise<Awaited<ReturnType<Read>>> => {
    const { signal } = call;
    const untilMs = platform.monotonic() + Math.min(request.waitMs, MAX_WAIT_MS);
    const waiter = createWaiter(platform, request.key);
    const channel = channelOf(partition);
    channel.waiters.add(waiter);
    signal?.addEventListener("abort", waiter.wake);
    // Asks once more when the messages come: what ended the lease before that was told to nobody here.
    //   read: busy | the lease ends, published | subscribed | nothing to wait for
    if (channel.up) waiter.wake();
    call.onHeld?.();
    try {
      let last = first;
      let left = budget - 1;
      for (let lookMs: number = LOOK_MS[0]; ; lookMs = Math.min(lookMs * 2, LOOK_MS[1])) {
        const restMs = untilMs - platform.monotonic();
        // Each step twice as long as the one before, such that what is left of the budget lasts; the last look is at the end.
        const stepMs = Math.max(lookMs, restMs / (2 ** left - 1)) * (0.5 + platform.random() / 2);
        const heardMs = left === Infinity ? DOUBT_MS : Infinity;
        const look = channel.up ? heardMs : left <= 1 ? Infinity : stepMs;
        await waiter.pause(Math.max(1, Math.min(restMs, last.busy?.leftMs ?? 0, look)));
        if (closed || signal?.aborted) return last;
        const reply = await read(partition, request, call);
        if ("moved" in reply) return reply;
        if (signal?.aborted && reply.lease && request.lease) release(partition, request.key, request.lease.token);
        // Answered after the end, it was the last: one more would take longer than the engine waits for it.
        if (platform.monotonic() >= untilMs || --left < 1 || !mustWait(reply)) return reply;
        last = reply;
      }
    } finally {
      channel.waiters.delete(waiter);
      signal?.removeEventListener("abort", waiter.wake);
    }
  };

  return {
    async read(partition, request, call) {
      const read = reader();
      const first = await read(partition, request, call);
      if ("moved" in first || !mustWait(first) || request.waitMs <= 0) return first;
      if (waiting >= MAX_WAITERS || closed || call.signal?.aborted) return first;
      waiting++;
      try {
        return await wait(partition, request, call, first, read);
      } finally {
        waiting--;
      }
    },
    async close() {
      closed = true;
      const open = [...channels.values()];
      channels.clear();
      for (const { waiters } of open) for (const waiter of waiters) waiter.wake();
      await Promise.all(open.map(async ({ subscription }) => subscription?.close()));
    },
  };
}
