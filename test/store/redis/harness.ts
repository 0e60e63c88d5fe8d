// Drivers on a Redis of a test's own, in real time, and a client that counts what it sends.
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient, RedisStoreOptions } from "../../../src/store/redis.ts";
import { storeDriver } from "../../../src/testing/store-driver.ts";
import type { StoreDriver } from "../../../src/testing/store-driver.ts";
import { startRedis } from "../../support/redis.ts";
import type { RedisConfig, RedisServer } from "../../support/redis.ts";

/** A server that ends with the test. */
export async function ownRedis(config?: RedisConfig): Promise<RedisServer> {
  const server = await startRedis(config);
  onTestFinished(() => server.close());
  return server;
}

/** A client of ioredis that ends with the test, and comes back at once when its connection was lost. */
export function clientOf(url: string, options: object = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => 10, maxRetriesPerRequest: null, ...options });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** What the conformance cases say to a store, over any client. */
export function driverOf(client: RedisClient, options?: RedisStoreOptions, name = "test"): StoreDriver {
  const driver = storeDriver(
    {
      store: redisStore(client, options),
      platform: defaultPlatform(),
      advance: (durationMs) => sleep(durationMs),
      close: async () => undefined,
    },
    name,
  );
  onTestFinished(() => driver.connection.close());
  return driver;
}

/** The commands that a client sends from now on; what it answers is not changed. */
export function counted(client: Redis): { readonly sent: string[] } {
  const sent: string[] = [];
  const { callBuffer } = client;
  client.callBuffer = ((command: string, ...args: never[]) => {
    sent.push(command);
    return Reflect.apply(callBuffer, client, [command, ...args]);
  }) as typeof callBuffer; // the same method, with a note
  return { sent };
}

/** Reads until the store answers: while it is down, every operation is a StoreError. */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if ((error as { code?: string }).code !== "ISOCACHE_STORE" || tries > 200) throw error;
      await sleep(10);
    }
  }
}
