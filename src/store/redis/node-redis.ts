// node-redis as a transport: one server, or a cluster.
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

/** What is used of a cluster of node-redis (`createCluster` of the package `redis`), version 5 and later. */
export interface NodeRedisCluster extends Emitter {
  /** Sends a command to the node of its first key. */
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    command: readonly (string | Uint8Array)[],
    options?: object,
  ): Promise<unknown>;
  /** The client of a node. Not used: a cluster is told by having it. */
  nodeClient(node: never): unknown;
  /** Another client of the same cluster, not yet connected; one that connects to no node before it must. */
  duplicate(overrides: { minimizeConnections: boolean }): NodeRedisSubscriber;
}

/** What is used of a duplicate. */
export interface NodeRedisSubscriber extends Emitter {
  /** Whether it is connected, or on its way. */
  readonly isOpen: boolean;
  /** Connects it. A cluster does not try again. */
  connect(): Promise<unknown>;
  /** Resolves when Redis has said that it listens. */
  subscribe(channel: string, listener: (text: string, channel: string) => unknown): Promise<unknown>;
  /** Resolves when Redis has said that it no longer listens. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Ends it at once. */
  destroy(): unknown;
}

/** The first character of a byte string in RESP. */
const BYTE_STRING = "$".charCodeAt(0);

/** Events: of a connection that there is, of one that there is no longer, of the end that its owner makes. */
const SERVER = [["ready"], ["error", "reconnecting", "end"], ["end"]] as const;
const CLUSTER = [
  ["connect", "node-ready"],
  ["node-error", "node-reconnecting", "node-disconnect"],
  ["disconnect"],
] as const;

export function nodeRedisTransport(client: NodeRedisClient | NodeRedisCluster): RedisTransport {
  const [READY, LOSSES, END] = "nodeClient" in client ? CLUSTER : SERVER;
  return {
    preludes: plainPreludes,
    incarnation: true,
    send(command) {
      const options = { typeMapping: { [BYTE_STRING]: bufferClass() } };
      const args = withBuffers(command);
      const reply =
        "nodeClient" in client
          ? client.sendCommand(String(command[3] ?? command[1]), false, args, options) // after script and number of keys, or a channel
          : client.sendCommand(args, options);
      return reply as Promise<RedisReply>; // buffers, numbers, lists of them
    },
    onLost: createLosses((lost) => listen(client, LOSSES, lost)),
    subscribe: createSubscriber(({ up, down, gone, message }) => {
      const line = client.duplicate({ minimizeConnections: true });
      const hear = (text: string, channel: string): void => message(channel, text);
      let isOpen = true;
      const connect = (): void => {
        if (!line.isOpen) void line.connect().catch(down);
      };
      const close = (): void => {
        for (const detach of attached) detach();
        if (isOpen) line.destroy();
        isOpen = false;
      };
      // Whoever ends the client ends what was made from it. What did not connect tries again when the client could.
      const end = (): void => {
        close();
        gone();
      };
      const attached = [listen(client, END, end), listen(client, READY, connect)];
      listen(line, ["error"], () => undefined);
      listen(line, LOSSES, down);
      listen(line, READY, up);
      connect();
      return {
        listen: (channel) => line.subscribe(channel, hear),
        leave: (channel) => line.unsubscribe(channel),
        close,
      };
    }),
  };
}
