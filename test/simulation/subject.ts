// What is simulated: the real cache and store, or a bundle of them with one line changed.
import { createCache } from "../../src/cache.ts";
import { localStore } from "../../src/store/local-store.ts";
import { mapStorage } from "../../src/store/map-storage.ts";

export interface Subject {
  readonly createCache: typeof createCache;
  readonly localStore: typeof localStore;
  readonly mapStorage: typeof mapStorage;
}

export const real: Subject = { createCache, localStore, mapStorage };
