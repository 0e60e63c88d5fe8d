// memoryBus: between the caches of one process. What one publishes reaches the others in the next microtask.
import type { Bus, BusTransportEvents } from "./contract.ts";
import type { BusOptions } from "./options.ts";
import { createBus } from "./create.ts";

/** Options of `memoryBus`. */
export interface MemoryBusOptions extends BusOptions {
  /** Buses with the same object here hear each other. Default: one of its own. */
  readonly medium?: object | undefined;
}

type Channels = Map<string, Set<BusTransportEvents>>;

const media = new WeakMap<object, Channels>();

/**
 * A bus in this process, for tests: caches that are given the same one hear each other. Takes the options of every bus;
 * throws an OptionError for a wrong one.
 */
export function memoryBus({ medium = {}, ...options }: MemoryBusOptions = {}): Bus {
  const channels: Channels = media.get(medium) ?? new Map<string, Set<BusTransportEvents>>();
  media.set(medium, channels);
  return createBus(
    "memory",
    ({ channel }) => {
      let own: BusTransportEvents | undefined;
      return {
        async publish(frame) {
          const listeners = [...(channels.get(channel) ?? [])];
          await Promise.resolve();
          for (const { frame: hear } of listeners) void hear(frame.slice()); // it never rejects
        },
        subscribe(events) {
          own = events;
          const listeners = channels.get(channel) ?? new Set();
          channels.set(channel, listeners.add(events));
          events.state(true);
        },
        async close() {
          const listeners = channels.get(channel);
          if (own) listeners?.delete(own);
          if (listeners?.size === 0) channels.delete(channel);
        },
      };
    },
    options,
  );
}
