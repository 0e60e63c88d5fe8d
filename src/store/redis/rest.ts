// Redis over HTTP, as Upstash serves it: a transport of nothing but `fetch`.
import { pause } from "../../pause.ts";
import type { Platform } from "../../platform.ts";
import type { listenToStream } from "./event-stream.ts";
import { createExchange } from "./exchange.ts";
import type { Send } from "./exchange.ts";
import type { Command } from "./plain.ts";
import { carriedPreludes } from "./preludes.ts";
import type { Outcome } from "./resp.ts";
import type { RedisTransport } from "./transport.ts";

/** Where the server is, and what lets one in. */
export interface RestSettings {
  readonly url: string;
  readonly token: string;
}

interface Call {
  readonly command: Command;
  readonly signal: AbortSignal | undefined;
  settle(outcome: Outcome): void;
}

/** A request is sent so often at most, with pauses from here on. */
const TRIES = 4;
const AGAIN_MS = 40;
/** Whoever is asked to wait for longer fails at once. */
const MAX_REST_MS = 10_000;
/** Commands in one pipeline; and a command of this size, in characters and bytes, travels by itself. */
const MAX_PIPELINE = 100;
const LARGE = 4_096;

const isLarge = ({ command }: Call): boolean => command.reduce((sum, { length }) => sum + length, 0) > LARGE;

/** `fetch` with address and token. Rejects where `settings` throws. */
function createSend(settings: () => RestSettings): Send {
  return async (path, init) => {
    const { url, token } = settings();
    return fetch(url.replace(/\/+$/, "") + path, {
      // Some frameworks keep answers unless told not to, and runtimes that do not know how to be told refuse to be.
      ...("cache" in Request.prototype && { cache: "no-store" }),
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
  };
}

/**
 * `exchange`, tried again while that may help.
 *
 * A request that may have been done is repeated: a lease is known by its token and a write by its nonce, and a repeat of
 * either gets the answer of the first. A commit that was done is refused the second time, as if its answer were lost: the
 * value is in the store, and not in this memory. All else changes nothing.
 */
function createTries(send: Send, platform: Platform) {
  let notBeforeMs = 0;
  const exchange = createExchange(send, platform, (restMs) => (notBeforeMs = platform.monotonic() + restMs));
  return async (commands: readonly Command[], signal: AbortSignal): Promise<Outcome[]> => {
    let restMs = 0;
    for (let tries = 1; ; tries++) {
      restMs += Math.max(0, notBeforeMs - platform.monotonic());
      if (restMs > MAX_REST_MS) throw new Error(`The server wants no requests for ${Math.ceil(restMs / 1_000)} s`);
      if (restMs > 0) await pause(platform, restMs, signal);
      try {
        return await exchange(commands, signal);
      } catch (cause) {
        if (signal.aborted || tries === TRIES) throw cause;
      }
      restMs = AGAIN_MS * 2 ** tries * (0.5 + platform.random() / 2);
    }
  };
}

/**
 * `settings` is asked until it gives some; `listen` reads event streams, if any are to be read. Commands of one tick share a
 * request, which ends when none of their callers waits any more.
 */
export function restTransport(
  settings: () => RestSettings,
  platform: Platform,
  listen?: typeof listenToStream,
): RedisTransport {
  const send = createSend(settings);
  const persist = createTries(send, platform);
  let queue: Call[] = [];

  const run = async (calls: readonly Call[]): Promise<void> => {
    const ended = new AbortController();
    let waiting = calls.length;
    for (const { signal, settle } of calls) {
      const leave = (): void => {
        settle(new Error("The call was aborted"));
        if (--waiting === 0) ended.abort();
      };
      if (signal?.aborted) leave();
      signal?.addEventListener("abort", leave, { signal: ended.signal });
    }
    try {
      settings(); // what is missing there will not be there at the next try
      const commands = calls.map(({ command }) => command);
      const outcomes = await persist(commands, ended.signal);
      calls.forEach(({ settle }, index) => settle(outcomes[index] as Outcome)); // as many
    } catch (cause) {
      for (const { settle } of calls) settle(cause as Error); // of the runtime, or one of ours
    }
    ended.abort(); // nobody listens to callers any more
  };

  /** What is sent until nothing is added any more goes together. No timer: on some runtimes it would belong to one request. */
  const gather = async (): Promise<void> => {
    for (let size = 0; size < queue.length; await Promise.resolve()) size = queue.length;
    const calls = queue;
    queue = [];
    const small = calls.filter((call) => !isLarge(call));
    for (const call of calls.filter(isLarge)) void run([call]);
    for (let at = 0; at < small.length; at += MAX_PIPELINE) void run(small.slice(at, at + MAX_PIPELINE));
  };

  return {
    preludes: carriedPreludes,
    incarnation: false,
    send: (command, signal) =>
      new Promise((resolve, reject) => {
        const settle = (outcome: Outcome): void => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
        queue.push({ command, signal, settle });
        if (queue.length === 1) void gather();
      }),
    ...(listen && {
      subscribe(channel, events) {
        const open = (signal: AbortSignal): Promise<Response> =>
          send(`/subscribe/${encodeURIComponent(channel)}`, { headers: { accept: "text/event-stream" }, signal });
        return listen(platform, open, channel, events);
      },
    }),
  };
}
