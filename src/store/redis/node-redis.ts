// node-redis as a transport.
import { bufferClass, withBuffers } from "./buffer.ts";
import { createLosses, listen } from "./losses.ts";
import type { Emitter } from "./losses.ts";
import { plainPreludes } from "./preludes.ts";
import { createSubscriber } from "./subscriber.ts";
import type { RedisReply, RedisTransport } from "./transport.ts";

/** What is used of a client of node-redis (`createClient` of the package `redis`), version 5 and later. */
export interface NodeRedisClient extends Emitter {
  /** Sends a command; with a type mapping, answers byte strings as bytes. */
  sendCommand(command: readonly (string | Uint8Array)[], options?: object): Promise<unknown>;
  /** Another client of the same server, not yet connected. */
  duplicate(): NodeRedisSubscriber;
}

/** What is used of a duplicate. */
export interface NodeRedisSubscriber extends Emitter {
  /** Connects it. */
  connect(): Promise<unknown>;
  /** Resolves when Redis has said that it listens. */
  subscribe(channel: string, listener: (text: string, channel: string) => unknown): Promise<unknown>;
  /** Ends it at once. */
  destroy(): unknown;
}

/** The first character of a byte string in RESP. */
const BYTE_STRING = "$".charCodeAt(0);

const LOSSES = ["error", "reconnecting", "end"];

export function nodeRedisTransport(client: NodeRedisClient): RedisTransport {
  return {
    preludes: plainPreludes,
    incarnation: true,
    send(command) {
      const options = { typeMapping: { [BYTE_STRING]: bufferClass() } };
      return client.sendCommand(withBuffers(command), options) as Promise<RedisReply>; // buffers, numbers, lists of them
    },
    onLost: createLosses((lost) => listen(client, LOSSES, lost)),
    subscribe: createSubscriber(({ up, down, message }) => {
      const line = client.duplicate();
      const hear = (text: string, channel: string): void => message(channel, text);
      let isOpen = true;
      const close = (): void => {
        ended();
        if (isOpen) line.destroy();
        isOpen = false;
      };
      // Whoever ends the client ends what was made from it.
      const ended = listen(client, ["end"], close);
      listen(line, ["error", "reconnecting", "end"], down);
      listen(line, ["ready"], up);
      void line.connect().catch(down);
      return { listen: (channel) => line.subscribe(channel, hear), close };
    }),
  };
}
