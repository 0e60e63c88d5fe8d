// One connection that listens to many channels: opened with the first, closed with the last.
import type { RedisTransport, Subscription, SubscriptionEvents } from "./transport.ts";

/** A connection that does nothing but listen. */
export interface Line {
  /** Resolves when messages of the channel come. Repeated after each `up`. */
  listen(channel: string): Promise<unknown>;
  /** No longer. */
  leave(channel: string): Promise<unknown>;
  /** Ends the connection. */
  close(): unknown;
}

/** What a line tells. Whatever comes after it was closed is ignored. */
export interface LineEvents {
  /** It is connected, for the first time or again. */
  up(): void;
  /** It is not, or no longer. */
  down(): void;
  /** It was closed by somebody else, and will not come back. */
  gone(): void;
  message(channel: string, text: string): void;
}

/** `open` begins to connect, and keeps on trying. */
export function createSubscriber(open: (events: LineEvents) => Line): NonNullable<RedisTransport["subscribe"]> {
  const channels = new Map<string, Set<SubscriptionEvents>>();
  let line: Line | undefined;
  let isUp = false;

  const tell = (up: boolean, ...names: readonly string[]): void => {
    for (const name of names) for (const events of channels.get(name) ?? []) events.state(up);
  };

  const listen = async (channel: string): Promise<void> => {
    const mine = line;
    try {
      await mine?.listen(channel);
      if (isUp && line === mine) tell(true, channel);
    } catch {
      // Those who wait look for themselves; the next `up` tries again.
    }
  };

  const begin = (): void => {
    const isMine = (): boolean => line === opened;
    const down = (): void => {
      if (!isMine() || !isUp) return;
      isUp = false;
      tell(false, ...channels.keys());
    };
    const opened = open({
      up() {
        if (!isMine()) return;
        isUp = true;
        for (const channel of channels.keys()) void listen(channel);
      },
      down,
      gone() {
        down();
        if (isMine()) line = undefined; // the next one who listens opens another
      },
      message(channel, text) {
        if (isMine()) for (const events of channels.get(channel) ?? []) events.message(text);
      },
    });
    line = opened;
  };

  return (channel, events): Subscription => {
    const listeners = channels.get(channel) ?? new Set();
    channels.set(channel, listeners.add(events));
    if (line === undefined) begin();
    else if (isUp) void listen(channel);
    return {
      async close() {
        if (!listeners.delete(events) || listeners.size > 0) return;
        channels.delete(channel);
        const last = line;
        if (channels.size > 0) return void last?.leave(channel).catch(() => undefined); // what still comes is heard by nobody
        line = undefined;
        isUp = false;
        await last?.close();
      },
    };
  };
}
