// Many keys in one call: what they need of the store is fetched in one round trip per partition, what is missing in one load.
import type { LoadAll, LoaderContext, StaleValue } from "../engine/context.ts";
import { IsocacheError, KeyError } from "../errors.ts";
import { resolveEntry, resolveRead } from "../options/entry.ts";
import type { EntryOptions, ReadOptions, ResolvedEntry } from "../options/entry.ts";
import { each, refuse } from "../options/parse.ts";
import type { TypedValidator } from "../options/validate.ts";

/** What `setMany` stores. As the arguments of `set`. */
export interface SetEntry {
  /** As any key: a KeyError if it is none. */
  readonly key: string;
  /** What the codec carries; else a CodecError for this key. */
  readonly value: unknown;
  /** Of this entry, over the defaults of the cache or namespace. Default none. */
  readonly options?: EntryOptions | undefined;
}

/** The second argument of a loader of many keys. */
export interface ManyContext {
  /** Fires when none of the results is of use any more: see the same of a loader. */
  readonly signal: AbortSignal;
  /** The values that are there but stale, or fresh still if this is an eager refresh. */
  readonly stale: ReadonlyMap<string, StaleValue>;
  /** Decides any entry option of one of the keys while loading. Throws a KeyError for another key, and an OptionError. */
  set(key: string, options: EntryOptions): void;
  /** As the value of a key, or returned for all: there is none, and nothing is stored. */
  skip(): never;
  /** As the value of a key, or returned for all: the stale value gets a new life. If there is none, the load has failed. */
  notModified(): never;
  /** As the value of a key, or returned for all: the load has failed; whoever may serve something stale does. */
  fail(reason: unknown): never;
}

/** The values by key. */
export type Values<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** Produces the values of the keys that are missing. A key that is not among them has none. */
export type ManyLoader<T> = (missing: readonly string[], context: ManyContext) => Values<T> | PromiseLike<Values<T>>;

/**
 * The part of a cache that takes many keys at once. Each key is read, loaded or written as by the call for one key, with
 * the same promises and events; nothing is atomic across keys. Of a key that is given twice, the last entry counts. At most
 * 1,000 keys or about 4 MB go in one round trip; ten thousand keys take ten.
 *
 * An error names in `keys` those that it is about: they failed, what became of the others stays. It is of the class, and has
 * the cause, of the first of them.
 */
export interface ManyKeys {
  /**
   * The values of the keys that `get` would find, in the order of the keys. One round trip per partition for those that are
   * not in memory. Rejects with a KeyError before anything is asked.
   */
  getMany<T>(
    keys: Iterable<string>,
    options: ReadOptions & { readonly validate: TypedValidator<T> },
  ): Promise<Map<string, T>>;
  /** The same, for a type that the caller vouches for. */
  getMany<T = unknown>(keys: Iterable<string>, options?: ReadOptions): Promise<Map<string, T>>;
  /**
   * The values of the keys, in their order; those that are missing are loaded in one call. Keys that others load are waited
   * for. A key that the loader has no value for is not in the Map. One round trip per partition to look, one to store what
   * was loaded. Rejects with a LoaderError if keys could not be loaded and have nothing stale; what was loaded for others is
   * stored.
   */
  getOrSetMany<T>(keys: Iterable<string>, loader: ManyLoader<T>, options?: EntryOptions): Promise<Map<string, T>>;
  /** Stores values, as `set` does. One round trip per partition. Rejects as `set` does, for the keys that failed. */
  setMany(entries: Iterable<SetEntry>): Promise<void>;
  /** Removes values, as `delete` does. One round trip per partition. Rejects for the keys that were not acknowledged. */
  deleteMany(keys: Iterable<string>): Promise<void>;
}

/** A value that was found. */
interface Found {
  readonly value: unknown;
}

/** One call for many keys, whose parts share their round trips. */
interface ManyCall {
  /** The value of a key; loaded, by the call's `loadAll`, if there is none. */
  find(name: string, options: ResolvedEntry): Promise<Found | undefined>;
  put(name: string, value: unknown, options: ResolvedEntry): Promise<void>;
  remove(name: string): Promise<void>;
}

/** What calls for many keys need of their cache. */
export interface ManyPorts {
  readonly defaults: ResolvedEntry;
  /** Throws a KeyError. */
  checkKey(name: string): void;
  /** A hit in memory that needs nothing else. */
  hit(name: string, given: EntryOptions | undefined): Found | undefined;
  /** Begins a call. `loadAll` loads what is missing of these, once all others are found or are being loaded elsewhere. */
  begin(names: readonly string[], loadAll?: LoadAll): ManyCall;
}

/** So many keys are named in a message; all are in `keys`. */
const NAMED = 5;
const ENTRY = { key: () => ({}), value: () => ({}), options: () => ({}) };

/** Among values: what the key's own loader would have answered. */
class Answer {
  readonly by: (context: LoaderContext) => unknown;
  constructor(by: Answer["by"]) {
    this.by = by;
  }
}

export function manyWith(ports: ManyPorts): ManyKeys {
  const { defaults, checkKey, hit, begin } = ports;

  /** The keys, each once. Throws for what is none, before anything is asked. */
  const namesOf = (keys: Iterable<string>): string[] => {
    if (typeof keys === "string" || typeof keys?.[Symbol.iterator] !== "function") refuse("keys", keys, "an iterable");
    const names = [...new Set(keys)];
    names.forEach(checkKey);
    return names;
  };

  /** Waits for all of them; throws what the first one failed with, for all that failed. */
  const all = async (operation: string, names: readonly string[], run: (name: string) => Promise<void>) => {
    const results = await Promise.allSettled(names.map(run));
    const failed = names.filter((_, index) => results[index]!.status === "rejected"); // of as many
    if (failed.length === 0) return;
    const { reason: error } = results.find((result) => result.status === "rejected")!; // there is one
    if (!(error instanceof IsocacheError)) throw error;
    const named = failed
      .slice(0, NAMED)
      .map((name) => JSON.stringify(name))
      .join(", ");
    const which = `${failed.length} of ${names.length} keys failed: ${named}${failed.length > NAMED ? ", …" : ""}`;
    // Each class of error is made from a message and a cause.
    const Failure = error.constructor as new (message: string, options: ErrorOptions) => IsocacheError;
    const failure = new Failure(`${operation}: ${which}: ${error.message}`, { cause: error.cause ?? error });
    throw Object.assign(failure, { keys: failed });
  };

  const read = async <T>(
    operation: string,
    names: readonly string[],
    given: EntryOptions | undefined,
    options: ResolvedEntry,
    loadAll?: LoadAll,
  ): Promise<Map<string, T>> => {
    const found = new Map(names.map((name) => [name, hit(name, given)]));
    const absent = names.filter((name) => !found.get(name));
    const call = begin(absent, loadAll);
    await all(operation, absent, async (name) => void found.set(name, await call.find(name, options)));
    const values = new Map<string, T>();
    // What is kept under a key is what its loader made, or what the caller says it is.
    for (const [name, hit] of found) if (hit) values.set(name, hit.value as T);
    return values;
  };

  return {
    async getMany<T>(keys: Iterable<string>, options?: ReadOptions) {
      return read<T>("getMany", namesOf(keys), options, resolveRead(defaults, options));
    },
    async getOrSetMany<T>(keys: Iterable<string>, loader: ManyLoader<T>, options?: EntryOptions) {
      if (typeof loader !== "function") refuse("loader", loader, "a function");
      const resolved = resolveEntry(defaults, options);
      return read<T>("getOrSetMany", namesOf(keys), options, resolved, loadWith(loader));
    },
    async setMany(entries) {
      if (typeof entries?.[Symbol.iterator] !== "function") refuse("entries", entries, "an iterable");
      const settings = new Map<string, readonly [value: unknown, options: ResolvedEntry]>();
      for (const entry of entries) {
        each("entries", entry, ENTRY, () => undefined);
        const { key, value, options } = entry;
        checkKey(key);
        settings.set(key, [value, resolveEntry(defaults, options)]);
      }
      const call = begin([...settings.keys()]);
      await all("setMany", [...settings.keys()], (name) => call.put(name, ...settings.get(name)!)); // they are its keys
    },
    async deleteMany(keys) {
      const names = namesOf(keys);
      await all("deleteMany", names, begin(names).remove);
    },
  };
}

/** Calls the loader for all that is missing, and gives each key its part of the answer. */
const loadWith =
  <T>(loader: ManyLoader<T>): LoadAll =>
  async (missing, signal) => {
    const contexts = new Map(missing.map(({ context }) => [context.key, context]));
    const stale = [...contexts].flatMap(([key, { stale }]): [string, StaleValue][] => (stale ? [[key, stale]] : []));
    const answer: unknown = await loader([...contexts.keys()], {
      signal,
      stale: new Map(stale),
      set: (key, options) =>
        (contexts.get(key) ?? refuse("key", key, "one of those to be loaded", KeyError)).set(options),
      // Typed never, so that inference sees only values.
      skip: () => new Answer((own) => own.skip()) as never,
      notModified: () => new Answer((own) => own.notModified()) as never,
      fail: (reason) => new Answer((own) => own.fail(reason)) as never,
    });
    for (const { context, resolve, reject } of missing) {
      try {
        resolve(part(answer, context));
      } catch (error) {
        reject(error);
      }
    }
  };

/** What the answer says of one key. */
function part(answer: unknown, context: LoaderContext): unknown {
  const value = answer instanceof Answer ? answer : valueIn(answer, context.key);
  return value instanceof Answer ? value.by(context) : value;
}

/** A key of the prototype is none. */
function valueIn(values: unknown, key: string): unknown {
  if (values instanceof Map) return values.get(key);
  if (typeof values !== "object" || values === null) refuse("the loader's answer", values, "a Map or an object by key");
  return Object.hasOwn(values, key) ? (values as Record<string, unknown>)[key] : undefined;
}
