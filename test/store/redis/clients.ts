// The clients of a test, each as its owner opens and ends it.
import { once } from "node:events";
import { Redis } from "ioredis";
import { createClient } from "redis";
import type { RedisClient } from "../../../src/store/redis.ts";

export interface OpenClient {
  readonly client: RedisClient;
  command(...args: string[]): Promise<unknown>;
  /** Ends it, and connects it again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a client of each kind. Errors of a connection are the tests' own doing. */
export const clients: Readonly<Record<string, (url: string) => Promise<OpenClient>>> = {
  async ioredis(url) {
    const client = new Redis(url, { retryStrategy: () => 20 });
    client.on("error", () => undefined);
    return {
      client,
      command: (name = "", ...args) => client.call(name, args),
      async reopen() {
        await client.quit();
        if (client.status !== "end") await once(client, "end");
        await client.connect();
      },
      close: async () => void (await client.quit()),
    };
  },
  async "node-redis"(url) {
    const client = createClient({ url, socket: { reconnectStrategy: () => 20 } });
    client.on("error", () => undefined);
    await client.connect();
    return {
      client,
      command: (...args) => client.sendCommand(args),
      async reopen() {
        await client.close();
        await client.connect();
      },
      close: async () => client.close(),
    };
  },
};

let last = 0;
/** A prefix that nobody else uses. */
export const freshPrefix = (): string => `isocache-test-${process.pid}-${Date.now().toString(36)}-${++last}:`;

/** Removes what a test left in a Redis that is not its own. */
export async function sweep({ command }: OpenClient, prefix: string): Promise<void> {
  const keys = (await command("KEYS", `${prefix}*`)) as string[]; // a list of bulk strings
  if (keys.length > 0) await command("DEL", ...keys);
}
