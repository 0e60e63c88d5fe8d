// ioredis as a transport: one server, Sentinel or Cluster.
import { withBuffers } from "./buffer.ts";
import { createLosses, listen } from "./losses.ts";
import type { Emitter } from "./losses.ts";
import { plainPreludes } from "./preludes.ts";
import { createSubscriber } from "./subscriber.ts";
import type { RedisReply, RedisTransport } from "./transport.ts";

/** What is used of `Redis` and `Cluster` of ioredis 5 and later. */
export interface IoredisClient extends Emitter {
  /** "ready" while there is a connection. */
  readonly status: string;
  /** Sends a command; answers byte strings as bytes. */
  callBuffer(command: string, args: (string | number | Uint8Array)[]): Promise<unknown>;
  /** Of `Cluster` the override is another one, and none is given. */
  duplicate(override?: object): IoredisSubscriber;
}

/** What is used of a duplicate. */
export interface IoredisSubscriber extends Emitter {
  /** "wait" until it is connected. */
  readonly status: string;
  /** Connects it, if it waits for that. */
  connect(): Promise<unknown>;
  /** Resolves when Redis has said that it listens. */
  subscribe(channel: string): Promise<unknown>;
  /** Resolves when Redis has said that it no longer listens. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Ends it at once. */
  disconnect(): void;
}

const LOSSES = ["close", "-node", "node error"];

export function ioredisTransport(client: IoredisClient): RedisTransport {
  return {
    preludes: plainPreludes,
    incarnation: true,
    send([name = "", ...args]) {
      return client.callBuffer(String(name), withBuffers(args)) as Promise<RedisReply>; // buffers, numbers and lists of them
    },
    onLost: createLosses((lost) => listen(client, LOSSES, lost)),
    subscribe: createSubscriber(({ up, down, gone, message }) => {
      // A subscription that it repeats by itself has nobody who would hear of its failure.
      const line = "nodes" in client ? client.duplicate() : client.duplicate({ autoResubscribe: false });
      const close = (): void => {
        ended();
        line.disconnect();
      };
      // Whoever ends the client ends what was made from it.
      const ended = listen(client, ["end"], () => {
        close();
        gone();
      });
      listen(line, ["error"], () => undefined);
      listen(line, ["close", "-node"], down);
      listen(line, ["ready"], up);
      line.on("message", (channel, text) => message(String(channel), String(text)));
      if (line.status === "wait") void line.connect().catch(down);
      return {
        listen: (channel) => line.subscribe(channel),
        leave: (channel) => line.unsubscribe(channel),
        close,
      };
    }),
  };
}
