// What the Redis store asks of a connection: to send a command, and, where it can, to listen. Types only.

/** The SHA-1 of a script by which Redis knows it, and what it consists of before what all have. */
export type Prelude = readonly [hash: string, ...texts: string[]];

/** What a command answers. A value comes as bytes, any other byte string as bytes or as text. */
export type RedisReply = Uint8Array | string | number | null | readonly RedisReply[];

/** A channel that is listened to. */
export interface Subscription {
  /** Stops listening. Never rejects. */
  close(): Promise<void>;
}

/** Called by a subscription. */
export interface SubscriptionEvents {
  /** A message came. Text, as UTF-8. */
  message(text: string): void;
  /** Every message sent from now on comes (`up`), or some may be lost. Begins as if told `false`. */
  state(up: boolean): void;
}

/**
 * A way to one Redis, or to a cluster: `ioredis.ts`, `node-redis.ts`, `text-client.ts` (Bun's), `rest.ts` (`fetch`) and
 * `rest-client.ts` (`@upstash/redis`, `@vercel/kv`). Everything else is the protocol's: keys, scripts, arguments, replies, waiting.
 *
 * Commands that are sent in one tick should travel together. All of them go to the primary.
 */
export interface RedisTransport {
  /** What its scripts begin with: the first of them that the server does not refuse. */
  readonly preludes: readonly Prelude[];
  /**
   * Whether the script is to find out that it runs in another process of Redis than before, which may have lost history.
   * Wants `onLost`, and a server that answers INFO.
   */
  readonly incarnation: boolean;
  /** Sends one command; rejects with an Error whose message is the server's text, if it refused. */
  send(command: readonly (string | Uint8Array)[], signal?: AbortSignal): Promise<RedisReply>;
  /**
   * Calls back whenever a connection was lost or may have been, before anything is sent over another one, until the function
   * that it gives is called.
   */
  onLost?(lost: () => void): () => void;
  /** Listens to a channel, over a connection of its own, which `close` of the subscription ends. */
  subscribe?(channel: string, events: SubscriptionEvents): Subscription;
}
