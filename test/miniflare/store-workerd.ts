// The Durable Object store in workerd, as a test outside sees it: stores by isolate, and a hand on the objects.
import { durableObjectStore } from "../../runtimes/cloudflare/store.ts";
import type { Store } from "../../src/store/contract.ts";
import { storeDriver } from "../../src/testing/store-driver.ts";
import type { StoreDriver } from "../../src/testing/store-driver.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import { PROTOCOL } from "../../src/store/wire.ts";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";

/** Where a call goes. */
export interface Route {
  /** The cache's name. */
  readonly name: string;
  readonly isolate?: string;
  readonly shards?: number;
  readonly binding?: "CACHE" | "QUICK";
}

/** What an object was seen to do since it was made. */
export interface Seen {
  readonly rows: number;
  /** Operations asked of it. */
  readonly requests: number;
  readonly alarms: readonly number[];
  readonly alarm: number | null;
}

/** workerd with `store-worker.ts` in it. */
export interface StoreWorkerd extends Workerd {
  /** Runs the real client in an isolate; `onTrips` hears how many objects each operation called. */
  store(route: Route, onTrips?: (trips: number) => void): Store;
  driver(route: Route): StoreDriver;
  /** What the object of a partition was seen to do. */
  seen(route: Route, partition?: number): Promise<Seen>;
  /** Resets the object, as a deployment does; `lose` makes it forget the number of shards first. */
  reset(route: Route, partition?: number, how?: "reset" | "lose"): Promise<void>;
  evictPartition(route: Route, partition?: number): Promise<void>;
}

const objectName = (name: string, partition: number): string => `isocache:${PROTOCOL}:${name}:${partition}`;

/** Starts it at a compatibility date. */
export async function startStoreWorkerd(compatibilityDate: string): Promise<StoreWorkerd> {
  const objects = { CACHE: "WatchedObject", QUICK: "QuickObject" };
  const workerd = await startWorkerd({ script: "./store-worker.ts", compatibilityDate, objects });

  const manage = async ({ name, binding = "CACHE" }: Route, partition: number, action: string): Promise<string> => {
    const params = new URLSearchParams({ name: objectName(name, partition), binding, do: action });
    return (await workerd.fetch("edge1", `/object?${params}`)).text();
  };

  const store: StoreWorkerd["store"] = ({ name, isolate = "edge1", shards = 1, binding = "CACHE" }, onTrips) => {
    const params = new URLSearchParams({ name, binding, shards: String(shards) });
    const stub = {
      async fetch(_url: string, { method, body, signal }: { method: string; body: Uint8Array; signal?: AbortSignal }) {
        const init = { method, body: Buffer.from(body), ...(signal && { signal }) };
        const response = await workerd.fetch(isolate, `/call?${params}`, init);
        onTrips?.(Number(response.headers.get("trips")));
        return response;
      },
    };
    return durableObjectStore({ idFromName: () => "", get: () => stub }, { shards });
  };

  return {
    ...workerd,
    store,
    driver(route) {
      const platform = defaultPlatform();
      const advance = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));
      return storeDriver({ store: store(route), platform, advance, close: async () => undefined }, route.name);
    },
    async seen(route, partition = 0) {
      return JSON.parse(await manage(route, partition, "seen")) as Seen; // as the Worker beside this file writes it
    },
    async reset(route, partition = 0, how = "reset") {
      await manage(route, partition, how);
    },
    evictPartition: ({ name, binding = "CACHE" }, partition = 0) => workerd.evict(binding, objectName(name, partition)),
  };
}
