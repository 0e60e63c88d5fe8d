// memoryStore: a full store in the memory of this process, and the reference that the others are tested against.
import type { Store } from "./contract.ts";
import { localStore } from "./local-store.ts";
import { mapStorage } from "./map-storage.ts";
import { wholeNumber } from "./whole-number.ts";

/** Options of `memoryStore`. The limits hold for each cache name. */
export interface MemoryStoreOptions {
  /** Into how many independent parts the keys are spread, 1 to 1,024. Default 1; more only serve tests. */
  readonly partitions?: number;
  /** Bytes of all entries, beyond which the least recently used ones go. Default 256 MB. */
  readonly maxBytes?: number;
  /** Default 100,000. */
  readonly maxEntries?: number;
}

/**
 * A store in this process. Caches that are given the same one share it by their `name`; it ends with the process.
 * Expired entries are removed little by little as others are stored. Throws an OptionError for a wrong option.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const count = (name: keyof MemoryStoreOptions, fallback: number, max: number): number =>
    wholeNumber(`memoryStore: ${name}`, options[name], fallback, max);
  const partitions = count("partitions", 1, 1_024);
  const limits = {
    maxBytes: Math.ceil(count("maxBytes", 256 * 1_048_576, Number.MAX_SAFE_INTEGER) / partitions),
    maxEntries: Math.ceil(count("maxEntries", 100_000, Number.MAX_SAFE_INTEGER) / partitions),
  };
  return localStore({ kind: "memory", partitions, limits, open: mapStorage });
}
