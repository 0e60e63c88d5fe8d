// A channel that is listened to over HTTP, as an event stream: opened again whenever it ends, until it is closed.
import { lineReader } from "../../event-stream.ts";
import { pause } from "../../pause.ts";
import type { Platform } from "../../platform.ts";
import type { Subscription, SubscriptionEvents } from "./transport.ts";

/** Between streams: from, to. */
const AGAIN_MS = [100, 10_000] as const;
/** Of a line: messages are texts of the script, and short. */
const MAX_LENGTH = 65_536;

/** `open` begins the stream of the channel. */
export function listenToStream(
  platform: Platform,
  open: (signal: AbortSignal) => Promise<Response>,
  channel: string,
  events: SubscriptionEvents,
): Subscription {
  const closing = new AbortController();
  const { signal } = closing;
  let againMs: number = AGAIN_MS[0];

  const hear = (line: string): void => {
    const about = (kind: string): boolean => line.startsWith(`data: ${kind},${channel},`);
    if (about("message")) events.message(line.slice(`data: message,${channel},`.length));
    // Only what names the channel shows that it is the right one.
    if (!about("subscribe")) return;
    againMs = AGAIN_MS[0];
    events.state(true);
  };

  const read = async (): Promise<void> => {
    const { ok, body } = await open(signal);
    const reader = body?.getReader();
    const take = lineReader(MAX_LENGTH, hear);
    try {
      for (let part; ok && reader && !(part = await reader.read()).done;) take(part.value);
    } finally {
      await reader?.cancel();
    }
  };

  const run = async (): Promise<void> => {
    for (; !signal.aborted; againMs = Math.min(againMs * 2, AGAIN_MS[1])) {
      // However it ended: those who wait look for themselves until there is another.
      await read().catch(() => undefined);
      if (signal.aborted) return;
      events.state(false);
      await pause(platform, againMs * (0.5 + platform.random() / 2), signal);
    }
  };
  const ended = run();
  return {
    close() {
      closing.abort();
      return ended;
    },
  };
}
