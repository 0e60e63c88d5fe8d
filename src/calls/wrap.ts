// Cached functions: the key comes from the arguments, the value from the function, the tags from the result.
import type { Loader, LoaderContext } from "../engine/context.ts";
import type { EntryOptions, EntryOptionsBase, MemoryUse, StoreUse } from "../options/entry.ts";
import { isName, NAME } from "../options/names.ts";
import { refuse } from "../options/parse.ts";
import { KeyError, OptionError } from "../errors.ts";
import { callKey } from "./arguments.ts";

/** What the keys of a cached function begin with, or how they are made. One of the two. */
export type WrapKey<A extends readonly unknown[]> =
  | {
      /** Tells this function from others in the same cache or namespace. The arguments are appended: see `wrap`. */
      readonly name: string;
      readonly key?: undefined;
    }
  | {
      readonly name?: undefined;
      /** The whole key of a call. Calls that get the same key get the same value: leave out no argument that matters. */
      readonly key: (...args: A) => string;
    };

/** Options of `cache.wrap`: how keys are made, and every entry option. */
export type WrapOptions<A extends readonly unknown[], T> = WrapKey<A> &
  Omit<EntryOptionsBase, "tags"> &
  MemoryUse &
  StoreUse & {
    /** Names by which results can be invalidated together; or what makes them of a result. Default none. */
    readonly tags?: readonly string[] | ((result: T, ...args: A) => readonly string[]) | undefined;
  };

/** A cached function. */
export interface Wrapped<A extends readonly unknown[], T> {
  /** The result, from the cache or from the function. Rejects as `getOrSet` does: a LoaderError if the function fails. */
  (...args: A): Promise<T>;
  /** The key under which the result for these arguments is kept, for the cache's other methods. Throws a KeyError. */
  key(...args: A): string;
  /** Deletes the result for these arguments, as `delete` does: calls under way do not bring it back. */
  invalidate(...args: A): Promise<void>;
}

/** The part of a cache that wraps functions. */
export interface Wrapping {
  /**
   * A function whose results are cached: the same arguments, and a Promise of the result. `name` is required unless `key`
   * is a function; a function's own name is never used, since minifiers make those collide.
   *
   * Without `key`, the key is the name and a stable encoding of the arguments: strings, numbers, booleans, null,
   * undefined, BigInt, plain objects, arrays, Date, Map, Set and binary data, nested at will. The order of properties does
   * not count; that of arrays, Maps and Sets does, and so does an undefined that is passed. Of objects, own enumerable
   * properties count. Anything else in the arguments is a KeyError that names its path.
   *
   * The function is called without `this`, with the very arguments: if they are changed before it is called, the load fails
   * (with `key`, nothing is checked). Throws an OptionError; round trips as `getOrSet`.
   */
  wrap<F extends (...args: never[]) => unknown>(
    fn: F,
    options: WrapOptions<Parameters<F>, Awaited<ReturnType<F>>>,
  ): Wrapped<Parameters<F>, Awaited<ReturnType<F>>>;
}

/** What a cached function needs of its cache. */
export interface WrapPorts {
  getOrSet<T>(key: string, loader: Loader<T>, options: EntryOptions): Promise<T>;
  remove(key: string): Promise<void>;
  /** Throws an OptionError if the entry options are wrong. */
  check(options: EntryOptions): void;
}

export function wrapWith(ports: WrapPorts): Wrapping["wrap"] {
  return <F extends (...args: never[]) => unknown>(
    fn: F,
    options: WrapOptions<Parameters<F>, Awaited<ReturnType<F>>>,
  ): Wrapped<Parameters<F>, Awaited<ReturnType<F>>> => {
    type A = Parameters<F>;
    type T = Awaited<ReturnType<F>>;
    if (typeof fn !== "function") refuse("wrap", fn, "a function");
    const { name, key: makeKey, tags, ...rest } = Object(options) as typeof options; // nothing given: there is no name
    if (makeKey === undefined) {
      if (!isName(name)) refuse("name", name, `${NAME}, needed without key`);
    } else if (typeof makeKey !== "function") refuse("key", makeKey, "a function");
    else if (name !== undefined) throw new OptionError("name: key makes the whole key");
    const run = fn as unknown as (...args: A) => Promise<T>; // or not a promise: awaited, it is the same
    const tagsOf = typeof tags === "function" ? tags : undefined;
    // The rest of a union is not seen as one of its members any more.
    const entry = { ...rest, tags: tagsOf ? undefined : tags } as EntryOptions;
    ports.check(entry);
    const key = (...args: A): string => (makeKey ? makeKey(...args) : callKey(name!, args)); // one of both is there
    const call = async (...args: A): Promise<T> => {
      const asked = key(...args);
      const loader = async ({ set }: LoaderContext): Promise<T> => {
        // The caller may change an object that it passed while the store is asked: what it holds now has another key.
        if (!makeKey && key(...args) !== asked) throw new KeyError("the arguments were changed during the call");
        const result = await run(...args);
        if (tagsOf) set({ tags: tagsOf(result, ...args) });
        return result;
      };
      return ports.getOrSet(asked, loader, entry);
    };
    const invalidate = async (...args: A): Promise<void> => ports.remove(key(...args));
    return Object.assign(call, { key, invalidate });
  };
}
