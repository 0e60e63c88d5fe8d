// `RedisClient` of Bun's own Redis module as a transport: a client that takes bytes and gives text.
import { createLosses } from "./losses.ts";
import { textPreludes } from "./preludes.ts";
import { createSubscriber } from "./subscriber.ts";
import { fromTextReply } from "./text-replies.ts";
import type { RedisTransport } from "./transport.ts";

/** What is called back, if there is anything. */
export type Handler = ((this: unknown, ...args: never[]) => unknown) | null | undefined;

/** What is used of Bun's `RedisClient`. */
export interface TextClient {
  /** Whether there is a connection now. */
  readonly connected: boolean;
  /** Called back when there will be no connection again; what is there already is called too. */
  onclose: Handler;
  /** Called back when there is a connection; what is there already is called too. */
  onconnect: Handler;
  /** Sends a command; answers byte strings as text. */
  send(command: string, args: (string | Uint8Array)[]): Promise<unknown>;
  /** Another client of the same server. */
  duplicate(): Promise<TextSubscriber>;
}

/** What is used of a duplicate. */
export interface TextSubscriber {
  /** Called back when there will be no connection again. */
  onclose: Handler;
  /** Called back when there is a connection. */
  onconnect: Handler;
  /** Resolves when Redis has said that it listens. */
  subscribe(channel: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  /** Resolves when Redis has said that it no longer listens. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Ends it at once. */
  close(): void;
}

export function textClientTransport(client: TextClient): RedisTransport {
  let lose = (): void => undefined;
  /** Calls back before whoever was there. */
  const before = (event: "onclose" | "onconnect"): (() => void) => {
    const known = client[event];
    const both: Handler = function (this: unknown, ...args) {
      lose();
      return known?.apply(this, args);
    };
    client[event] = both;
    return () => {
      if (client[event] === both) client[event] = known;
    };
  };
  return {
    preludes: textPreludes,
    incarnation: true,
    async send([name = "", ...args]) {
      // It says nothing of a connection that ended, until there is the next one.
      if (!client.connected) lose();
      return fromTextReply(await client.send(String(name), args));
    },
    onLost: createLosses((lost) => {
      lose = lost;
      const detach = [before("onclose"), before("onconnect")];
      return () => {
        for (const each of detach) each();
      };
    }),
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
        leave: async (channel) => line?.unsubscribe(channel),
        close() {
          isOpen = false;
          line?.close();
        },
      };
    }),
  };
}
