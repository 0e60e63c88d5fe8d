// What a loader is given, and what it may answer instead of a value. Types only.
import type { EntryOptions } from "../options/entry.ts";

/** The value that a loader may refresh instead of making a new one. */
export interface StaleValue {
  /** The old value, as a read would return it: what stored it knows its type. */
  readonly value: unknown;
  /** The entity tag it was stored with, to ask the origin by If-None-Match (RFC 9110, 13.1.2). */
  readonly etag: string | undefined;
  /** The modification date it was stored with, to ask by If-Modified-Since (RFC 9110, 13.1.3). */
  readonly lastModified: string | undefined;
  /** Milliseconds since it was stored. */
  readonly age: number;
}

/** The argument of every loader. */
export interface LoaderContext {
  /** The key, as the caller gave it: without the prefix of a namespace. */
  readonly key: string;
  /**
   * Fires when the result is of no use any more: the cache is being closed, the lease was lost to another instance, or the
   * signals of all callers have fired (where the first of them left before others: within a second).
   */
  readonly signal: AbortSignal;
  /** The value that is there but stale, or fresh still if this is an eager refresh. */
  readonly stale: StaleValue | undefined;
  /**
   * Decides any entry option while loading, tags included. Later calls add to earlier ones. What concerns the callers
   * (softTimeout, hardTimeout, signal) was decided when they asked. Throws an OptionError.
   */
  set(options: EntryOptions): void;
  /** `return context.skip()`: the callers get undefined, and nothing is stored. */
  skip(): never;
  /**
   * `return context.notModified()`: the stale value gets a new life. If it was invalidated meanwhile, the loader runs
   * again, with nothing stale to offer. Throws if there is no stale value.
   */
  notModified(): never;
  /** `return context.fail(reason)`: the load failed; whoever may serve something stale does. */
  fail(reason: unknown): never;
}

/** Produces the value of a key. */
export type Loader<T> = (context: LoaderContext) => T | PromiseLike<T>;

/** A key that is missing, of a call for many: what a loader of its own would be given, and how it gets its value. */
export interface Missing {
  readonly context: LoaderContext;
  /** Takes what a loader of its own would answer. */
  resolve(answer: unknown): void;
  /** The load of this key has failed. */
  reject(error: unknown): void;
}

/** Loads all that is missing, and settles each. The signal fires when none of them is of use any more. */
export type LoadAll = (missing: readonly Missing[], signal: AbortSignal) => Promise<void>;
