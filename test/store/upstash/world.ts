// What the tests of the stores over HTTP share: a server in front of the shared Redis, and stores on it, of each transport.
import { Redis } from "@upstash/redis";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { vercelKvStore } from "../../../runtimes/vercel/kv.ts";
import { defaultPlatform } from "../../../src/default-platform.ts";
import type { Store } from "../../../src/store/contract.ts";
import type { Platform } from "../../../src/platform.ts";
import { upstashStore } from "../../../src/store/upstash.ts";
import type { UpstashClientOptions, UpstashStoreOptions } from "../../../src/store/upstash.ts";
import { storeDriver } from "../../../src/testing/store-driver.ts";
import type { StoreDriver } from "../../../src/testing/store-driver.ts";
import { world } from "../../support/upstash/world.ts";
import type { UpstashOptions, UpstashServer } from "../../support/upstash/server.ts";

// An import would be looked through, and its default export reads the environment as soon as it is looked at.
const { createClient } = createRequire(import.meta.url)("@vercel/kv") as typeof import("@vercel/kv");

/** Where a store is to be made. */
export type Place = Pick<UpstashServer, "url" | "token">;

/** A store over each transport. */
export const transports: Readonly<Record<string, (place: Place, options: UpstashClientOptions) => Store>> = {
  fetch: ({ url, token }, options) => upstashStore({ url, token, ...options }),
  "@upstash/redis": ({ url, token }, options) => upstashStore(new Redis({ url, token }), options),
  "@upstash/redis with settings of its own": ({ url, token }, options) => {
    const settings = { automaticDeserialization: false, enableAutoPipelining: false, responseEncoding: false } as const;
    return upstashStore(new Redis({ url, token, ...settings }), options);
  },
  "@vercel/kv": ({ url, token }, options) => vercelKvStore(createClient({ url, token }), options),
};

/** A server of the test's own, and a store there, with a prefix that is swept when the test is over. */
export async function upstash(
  options: UpstashStoreOptions = {},
  kind = "fetch",
  serverOptions: Partial<UpstashOptions> = {},
) {
  const { server, prefix } = await world(serverOptions);
  const make = (more: UpstashStoreOptions = {}): Store =>
    transports[kind]!({ url: server.url, token: server.token }, { prefix, ...options, ...more }); // one of its keys
  const drive = (store: Store, platform: Platform = defaultPlatform(), name = "test"): StoreDriver => {
    const advance = async (durationMs: number): Promise<void> => sleep(durationMs);
    const driver = storeDriver({ store, platform, advance, close: async () => undefined }, name);
    onTestFinished(() => driver.connection.close());
    return driver;
  };
  return { server, prefix, make, drive, driver: drive(make()) };
}

/** The real platform, but whoever waits is called at once and finds that the time has passed. `waits` is how long each was. */
export function hurried(): Platform & { readonly waits: number[] } {
  const waits: number[] = [];
  let ahead = 0;
  const real = defaultPlatform();
  return {
    ...real,
    waits,
    now: () => real.now() + ahead,
    monotonic: () => real.monotonic() + ahead,
    setTimeout(callback, delayMs) {
      waits.push(delayMs);
      return real.setTimeout(() => {
        ahead += delayMs;
        callback();
      }, 0);
    },
  };
}
