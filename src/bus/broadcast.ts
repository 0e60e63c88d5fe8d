// isocache/broadcast: a bus over BroadcastChannel, between the threads of one process or the pages of one origin.
import { BusError } from "../errors.ts";
import type { Bus } from "./contract.ts";
import type { BusOptions } from "./options.ts";
import { createBus } from "./create.ts";

/** What is used of BroadcastChannel, which Workers do not have. */
interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  postMessage(message: Uint8Array): void;
  close(): void;
}

function openChannel(name: string): Channel {
  const { BroadcastChannel } = globalThis as { BroadcastChannel?: new (name: string) => Channel };
  if (BroadcastChannel) return new BroadcastChannel(name);
  throw new BusError("broadcastBus: this runtime has no BroadcastChannel");
}

/**
 * A bus over BroadcastChannel: it reaches the other threads (workers) of this process in Node, Bun and Deno, and the pages and
 * workers of one origin in browsers. Takes the options of every bus; throws an OptionError for a wrong one. A channel that is
 * open keeps a process alive: call `close` of the cache.
 */
export function broadcastBus(options: BusOptions = {}): Bus {
  return createBus(
    "broadcast",
    ({ channel, report }) => {
      let opened: Channel | undefined;
      const open = (): Channel => (opened ??= openChannel(channel));
      return {
        async publish(frame) {
          open().postMessage(frame);
        },
        subscribe({ frame, state }) {
          const opened = open();
          opened.onmessage = ({ data }) => {
            if (data instanceof Uint8Array)
              void frame(data); // it never rejects
            else report(new BusError("what came over BroadcastChannel is not bytes"));
          };
          opened.onmessageerror = () => report(new BusError("a message of BroadcastChannel could not be read"));
          state(true);
        },
        async close() {
          opened?.close();
        },
      };
    },
    options,
  );
}
