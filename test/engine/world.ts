// A fleet in one test: instances of the cache, one store, one virtual clock; and what must hold after every test.
import { afterEach, beforeEach, expect } from "vitest";
import {
  createCache,
  memoryStore,
  type Cache,
  type CacheEvents,
  type CacheOptions,
  type LoaderContext,
  type Store,
} from "../../src/index.ts";
import type { FoundEntry, StoreConnection } from "../../src/store/contract.ts";
import { virtualPlatform, type VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { createNetwork, type Link, type LinkOptions, type Network } from "./network.ts";

export interface Instance {
  readonly cache: Cache;
  readonly link: Link;
  /** Every `error` event so far. */
  readonly errors: CacheEvents["error"][];
}

export interface World {
  readonly platform: VirtualPlatform;
  readonly network: Network;
  readonly direct: StoreConnection;
  /** Another instance with its own link to the store. */
  instance(options?: CacheOptions, link?: LinkOptions): Instance;
  /** Lets time pass until the promise settles. */
  run<T>(promise: Promise<T>): Promise<T>;
  advance(ms: number): Promise<void>;
  /** A loader that takes `ms` of virtual time and counts its calls. */
  loader<T>(value: T | ((context: LoaderContext) => T | Promise<T>), ms?: number): CountingLoader<T>;
  /** What the store itself has under a key of the root, asked around all faults. */
  stored(key: string): Promise<FoundEntry | undefined>;
}

export interface CountingLoader<T> {
  (context: LoaderContext): Promise<T>;
  calls: number;
}

const worlds = new Set<{ close(): Promise<void>; platform: VirtualPlatform }>();
const unhandled: unknown[] = [];
const collect = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => {
  process.on("unhandledRejection", collect);
});

// Whatever a test did: nothing is rejected into the void, and once all is closed no timer is left.
afterEach(async () => {
  for (const world of worlds) await world.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", collect);
  const timers = [...worlds].map(({ platform }) => platform.timers);
  worlds.clear();
  expect(unhandled.splice(0)).toEqual([]);
  expect(timers.filter((count) => count > 0)).toEqual([]);
});

export interface WorldOptions {
  readonly store?: Store;
  readonly seed?: number;
}

export function createWorld({ store = memoryStore(), seed = 1 }: WorldOptions = {}): World {
  const platform = virtualPlatform({ seed });
  const network = createNetwork(store, { name: "test", platform });
  const caches: Cache[] = [];
  const direct = network.direct();
  const world: World = {
    platform,
    network,
    direct,
    instance(options = {}, linkOptions = {}) {
      const link = network.link(linkOptions);
      const cache = createCache({ store: link.store, platform, ...options });
      const errors: CacheEvents["error"][] = [];
      cache.on("error", (event) => errors.push(event));
      caches.push(cache);
      return { cache, link, errors };
    },
    run: (promise) => platform.run(promise),
    advance: (ms) => platform.advance(ms),
    loader<T>(value: T | ((context: LoaderContext) => T | Promise<T>), ms = 0) {
      const load: CountingLoader<T> = async (context) => {
        load.calls++;
        if (ms > 0) await sleep(platform, ms);
        return typeof value === "function" ? (value as (context: LoaderContext) => T | Promise<T>)(context) : value;
      };
      load.calls = 0;
      return load;
    },
    async stored(key) {
      const connection = network.direct();
      for (let partition = 0; partition < connection.partitions; partition++) {
        const reply = await connection.read(partition, { key, waitMs: 0 }, {});
        if ("entry" in reply && reply.entry) return reply.entry;
      }
      return undefined;
    },
  };
  worlds.add({
    platform,
    async close() {
      for (const cache of caches) await cache.close();
      sleeps.get(platform)?.forEach((timer) => platform.clearTimeout(timer));
      await direct.close();
    },
  });
  return world;
}

const sleeps = new WeakMap<VirtualPlatform, Set<unknown>>();

/** Virtual time passes; what still sleeps when the test is over is not counted as a leak of the cache. */
export function sleep(platform: VirtualPlatform, ms: number): Promise<void> {
  const timers = sleeps.get(platform) ?? new Set();
  sleeps.set(platform, timers);
  return new Promise((resolve) => {
    const timer = platform.setTimeout(() => {
      timers.delete(timer);
      resolve();
    }, ms);
    timers.add(timer);
  });
}

/** A promise that the test settles. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
} {
  let settle: { resolve(value: T): void; reject(reason: unknown): void };
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: (value) => settle.resolve(value), reject: (reason) => settle.reject(reason) };
}

/** How a promise ended, or "pending": for calls that a test looks at later, so that none is rejected into the void. */
export function watch<T>(promise: Promise<T>): { state: "pending" | "done" | "failed"; value?: T; error?: unknown } {
  const seen: ReturnType<typeof watch<T>> = { state: "pending" };
  promise.then(
    (value) => Object.assign(seen, { state: "done", value }),
    (error: unknown) => Object.assign(seen, { state: "failed", error }),
  );
  return seen;
}

/** The error a promise rejects with; fails the test if it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    (value) => expect.fail(`it did not reject, but gave ${String(value)}`),
    (error: Error) => error,
  );
}
