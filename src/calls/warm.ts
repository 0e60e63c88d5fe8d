// Loading many keys before they are asked for, a few at a time.
import type { Loader } from "../engine/context.ts";
import type { EntryOptions } from "../options/entry.ts";
import { each, refuse, taking } from "../options/parse.ts";

/** What `warm` loads if it is missing. As the arguments of `getOrSet`. */
export interface WarmEntry {
  /** The key, as `getOrSet` takes it. */
  readonly key: string;
  /** Called if there is no fresh value. */
  readonly loader: Loader<unknown>;
  /** Entry options of this key. Default: those of the cache or namespace. */
  readonly options?: EntryOptions | undefined;
}

/** How far `warm` has come. */
export interface WarmProgress {
  /** Entries that are over, failed ones included. */
  readonly done: number;
  /** All entries. */
  readonly total: number;
  /** Of the entry that has just ended. */
  readonly key: string;
}

/** Options of `warm`. */
export interface WarmOptions {
  /** How many entries are loaded at a time. Default 10. */
  readonly concurrency?: number | undefined;
  /** Called after each entry. What it throws, or rejects with, becomes an `error` event. */
  readonly onProgress?: ((progress: WarmProgress) => unknown) | undefined;
}

/** What `warm` did. Every entry is in one of the three. */
export interface WarmResult {
  /** Entries whose loader ran and had its result returned. */
  readonly loaded: number;
  /** Entries that were there, or that others were loading. */
  readonly hits: number;
  /** The others, with what `getOrSet` rejected with. */
  readonly failed: readonly { readonly key: string; readonly error: unknown }[];
}

/** The part of a cache that warms it. */
export interface Warming {
  /**
   * Loads what is missing, by `getOrSet`: what is fresh is left alone, and a load is shared with other callers and
   * instances. An entry that fails does not stop the others. Once the cache is closed nothing more is loaded, and what is
   * left fails with a StoreError. Rejects only with an OptionError.
   */
  warm(entries: Iterable<WarmEntry>, options?: WarmOptions): Promise<WarmResult>;
}

/** What warming needs of its cache. */
export interface WarmPorts {
  getOrSet(key: string, loader: Loader<unknown>, options: EntryOptions | undefined): Promise<unknown>;
  report(error: unknown, key: string): void;
}

const OPTIONS = {
  concurrency: taking("a whole number from 1 on", (value) => Number.isInteger(value) && Number(value) >= 1),
  onProgress: taking("a function", (value) => typeof value === "function"),
};

export function warmWith({ getOrSet, report }: WarmPorts): Warming["warm"] {
  return async (entries, options = {}) => {
    const { concurrency = 10, onProgress } = options;
    each("options", options, OPTIONS, () => undefined);
    if (typeof entries?.[Symbol.iterator] !== "function") refuse("entries", entries, "an iterable");
    const all = [...entries];
    const failed: { key: string; error: unknown }[] = [];
    let loaded = 0;
    let done = 0;
    const warmOne = async ({ key, loader, options }: WarmEntry): Promise<void> => {
      let ran = false;
      const counting: Loader<unknown> = async (context) => {
        const value = await loader(context);
        ran = true;
        return value;
      };
      try {
        // What is no function is refused there.
        await getOrSet(key, typeof loader === "function" ? counting : loader, options);
        if (ran) loaded++;
      } catch (error) {
        failed.push({ key, error });
      }
      const progress = { done: ++done, total: all.length, key };
      // Called at once; what it throws or rejects with is caught in one place.
      const call = async (): Promise<unknown> => onProgress?.(progress);
      call().catch((error: unknown) => report(error, key));
    };
    const queue = all.values();
    const work = async (): Promise<void> => {
      for (const entry of queue) await warmOne(entry);
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, all.length) }, work));
    return { loaded, hits: done - loaded - failed.length, failed };
  };
}
