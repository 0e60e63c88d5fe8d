// A client that takes bytes and gives text, `RedisClient` of the runtime's own Redis module, as a transport.
import { createLosses } from "./losses.ts";
import { createSubscriber } from "./subscriber.ts";
import type { RedisReply, RedisTransport } from "./transport.ts";

type Handler = ((this: unknown, ...args: never[]) => unknown) | null | undefined;

/** What is used of `RedisClient`. */
export interface TextClient {
  /** Called back when a connection ends; what is there already is called too. */
  onclose: Handler;
  onconnect: Handler;
  send(command: string, args: (string | Uint8Array)[]): Promise<unknown>;
  duplicate(): Promise<TextSubscriber>;
}

/** What is used of a duplicate. */
export interface TextSubscriber {
  onclose: Handler;
  onconnect: Handler;
  subscribe(channel: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  close(): void;
}

export function textClientTransport(client: TextClient): RedisTransport {
  /** Calls back before whoever was there. */
  const onClose = (lost: () => void): (() => void) => {
    const before = client.onclose;
    const both: Handler = function (this: unknown, ...args) {
      lost();
      return before?.apply(this, args);
    };
    client.onclose = both;
    return () => {
      if (client.onclose === both) client.onclose = before;
    };
  };
  return {
    replies: "text",
    incarnation: true,
    send([name = "", ...args]) {
      return client.send(String(name), args) as Promise<RedisReply>; // texts, numbers and lists of them
    },
    onLost: createLosses(onClose),
    subscribe: createSubscriber(({ up, down, message }) => {
      let line: TextSubscriber | undefined;
      let isOpen = true;
      const hear = (text: string, channel: string): void => message(channel, text);
      const opening = client.duplicate().then((duplicate) => {
        line = duplicate;
        if (!isOpen) return duplicate.close();
        duplicate.onclose = down;
        duplicate.onconnect = up;
        // After `subscribe` below has been left: it is connected already.
        return up();
      });
      opening.catch(down);
      return {
        listen: async (channel) => line?.subscribe(channel, hear),
        close() {
          isOpen = false;
          line?.close();
        },
      };
    }),
  };
}
