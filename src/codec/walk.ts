// The one walk over a value: it copies and freezes, estimates the memory held, and finds what cannot be carried.
//
// What is carried: strings (lone surrogates too), numbers, booleans, null, undefined, BigInt, plain objects, arrays,
// Date, Map, Set, ArrayBuffer, DataView and typed arrays, from any realm. Own enumerable string keys only; accessors
// are read once; `toJSON` is not used. Array holes become undefined, extra properties of arrays and of the other
// built-ins are dropped, null-prototype objects come back as ordinary ones, Node's Buffer as Uint8Array. A reference
// used twice is carried twice.
import { build, bytesOf, kindOf, MAX_DEPTH, nameOf } from "./kinds.ts";
import type { Content } from "./kinds.ts";

/**
 * How the memory tier keeps values. `frozen`: deep-frozen, shared by all readers, except that each reader gets its own
 * copy of what cannot be frozen. `copied`: each reader gets its own copy. `shared`: as is.
 */
export type ValueMode = "frozen" | "copied" | "shared";

/** A value as the memory tier keeps it, and what the walk found out about it. */
export interface Held {
  /** Not for readers while `perRead` is set: they get what `give` makes of it. */
  readonly value: unknown;
  /** Estimated heap of the value in bytes, on a runtime without pointer compression. What is not carried counts as 64. */
  readonly bytes: number;
  /** Plain JSON carries it unchanged. */
  readonly plain: boolean;
  /** Each reader needs its own copy. */
  readonly perRead: boolean;
  /** Path and kind of the first thing that no codec carries: "user.avatar is a Blob". It is shared as is. */
  readonly uncarried: string | undefined;
  /** The same for a Request, Response or stream: it could be read only once, so it must not be cached at all. */
  readonly stream: string | undefined;
  /** For `give`: in mode frozen, the objects a reader needs its own copy of; the rest of the value is shared. */
  readonly parts: ReadonlySet<unknown> | undefined;
}

/** A value that exceeds this estimate is not carried: references used twice are carried twice, which may explode. */
const LIMIT_BYTES = 0x400_0000;

/**
 * Takes a value from the user, whose own objects are neither changed nor frozen. What cannot be copied (functions,
 * class instances, symbols) is shared as is and named in `uncarried`. A value that nests deeper than MAX_DEPTH, is
 * cyclic, larger than `limitBytes` (default 64 MB), or throws when read is shared as is as a whole. Never throws.
 */
export const hold = (value: unknown, mode: ValueMode, limitBytes = LIMIT_BYTES): Held =>
  survey(value, mode, mode === "shared", limitBytes);

/**
 * The same for a value that was just decoded and belongs to nobody else: frozen in place, nothing is copied. If it has
 * `uncarried`, isocache did not write it: treat it as corrupt.
 */
export const adopt = (value: unknown, mode: ValueMode): Held => survey(value, mode, true, LIMIT_BYTES);

/**
 * What a codec makes of the things it cannot write as they are: a string, number, bigint or undefined; or, with its kind,
 * the content of an object that is neither plain nor an array. The items in it are already written.
 */
export type Writer = (value: unknown, kind?: string) => unknown;

/** The copy that a writer makes of a value, as `value`, and whether it was needed, as `plain`. Never throws. */
export const write = (value: unknown, writer: Writer): Held => survey(value, "copied", false, LIMIT_BYTES, writer);

/** What one reader gets. In mode frozen the parts that could be frozen are shared between readers. */
export const give = (held: Held): unknown =>
  held.perRead
    ? survey(held.value, held.parts ? "frozen" : "copied", false, Infinity, undefined, held).value
    : held.value;

// Measured on V8, 64 bits: what an empty one takes, and each slot, property or entry.
const STRING = 24;
const OBJECT = 32;
const ENTRY = 40;

/** A record or list, by its keys. */
type Items = Record<string | number, unknown>;

/** `keep`: the containers stay the same objects. `reader`: the copy is for a reader of this one; errors are thrown. */
function survey(
  root: unknown,
  mode: ValueMode,
  keep: boolean,
  limitBytes: number,
  writer?: Writer,
  reader?: Held,
): Held {
  const frozen = mode === "frozen";
  const path: (string | number)[] = [];
  const parts = new Set<unknown>();
  let bytes = 80; // the result itself
  let plain = true;
  let copies = 0; // containers seen of which a reader needs a copy of its own
  let uncarried: string | undefined;
  let stream: string | undefined;

  /** Where the walk is, and what is there. */
  const place = (what: string): string => {
    const names = path.slice(1).map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
    return `${names.join("").replace(/^\./, "").slice(0, 200) || "the value"} ${what}`;
  };

  const foreign = (value: object): object => {
    const name = nameOf(value);
    const found = place(`is a ${name}`);
    bytes += 64;
    plain = false;
    uncarried ??= found;
    if (/^Re(quest|sponse)$|Stream$/.test(name)) stream ??= found;
    return value;
  };

  /** Ends the walk: the value as a whole is not carried. */
  const stop = (why: string): never => {
    throw new RangeError((uncarried = place(why)));
  };

  const walk = (value: unknown, key: string | number): unknown => {
    switch (typeof value) {
      case "string":
        // On V8 the test takes no time for a one-byte string, whatever its length.
        bytes += STRING + (/[^\0-\xff]/.test(value) ? 2 : 1) * value.length;
        break;
      case "number":
        if ((value | 0) !== value) bytes += 16;
        if (value - value !== 0 || Object.is(value, -0)) plain = false;
        break;
      case "bigint":
        bytes += STRING + (value.toString(16).length >> 1);
        plain = false;
        break;
      case "undefined":
        plain = false;
        break;
      case "boolean":
        return value;
      default:
        if (value === null || (reader?.parts && !reader.parts.has(value))) return value;
        return object(value as object, key); // or a function or symbol, which are of no kind
    }
    return writer ? writer(value) : value;
  };

  const object = (value: object, key: string | number): unknown => {
    if (path.push(key) > MAX_DEPTH) stop(`is nested deeper than ${MAX_DEPTH} or cyclic`);
    const before = copies;
    const kind = kindOf(value);
    if (kind && mode === "copied") copies++;
    const copy = !kind
      ? foreign(value)
      : kind === "Object"
        ? record(value)
        : kind === "Array"
          ? list(value as unknown[]) // the kind says so
          : exotic(value, kind);
    if (frozen && !reader && copies > before) {
      bytes += ENTRY;
      parts.add(copy);
    }
    path.pop();
    return copy;
  };

  /** Counts a container before it is copied. */
  const count = (size: number): void => {
    bytes += size;
    // A proxy may claim any length, even NaN.
    if (!(bytes <= limitBytes)) stop("is too large");
  };

  /** Walks one item of a record or list, and puts what it becomes in its place. */
  const step = (copy: Items, key: string | number): void => {
    const item = copy[key];
    const next = walk(item, key);
    if (!keep && (next !== item || next === undefined)) copy[key] = next; // undefined may have been a hole
  };

  const sealed = (copy: object): object => (frozen ? Object.freeze(copy) : copy);

  const record = (value: object): object => {
    // Spreading reads accessors once and keeps an own `__proto__` as data.
    const copy = (keep ? value : { ...value }) as Items;
    const keys = Object.keys(copy);
    // So many keys are mostly ids, and each costs a string and a dictionary entry; fewer are mostly a shared shape.
    count(OBJECT + (keys.length > 64 ? 108 : 8) * keys.length);
    if (!keep) for (const symbol of Object.getOwnPropertySymbols(copy)) Reflect.deleteProperty(copy, symbol);
    for (const key of keys) step(copy, key);
    return sealed(copy);
  };

  const list = (value: readonly unknown[]): object => {
    count(OBJECT + 8 * value.length);
    const copy = (keep ? value : Array.prototype.slice.call(value)) as unknown as Items & { readonly length: number };
    for (let i = 0; i < copy.length; i++) step(copy, i);
    return sealed(copy);
  };

  const exotic = (value: object, kind: string): unknown => {
    plain = false;
    if (frozen) copies++;
    let content: Content;
    if (kind === "Date") {
      count(96);
      content = Date.prototype.getTime.call(value);
    } else if (kind === "Map" || kind === "Set") {
      count(200);
      const items: unknown[] = (content = []);
      const visit = (item: unknown, key: unknown): void => {
        count(ENTRY);
        const index = items.length;
        if (kind === "Map") items.push(walk(key, index));
        items.push(walk(item, typeof key === "string" ? key : index));
      };
      const { forEach } = (kind === "Map" ? Map : Set).prototype as Map<unknown, unknown>; // called alike
      forEach.call(value as Map<unknown, unknown>, visit);
    } else {
      content = bytesOf(value);
      count(200 + content.length);
    }
    return keep ? value : writer ? writer(content, kind) : build(kind, content);
  };

  let value = root;
  try {
    value = walk(root, "");
    count(0);
  } catch (error) {
    if (reader) throw error;
    uncarried ??= place("cannot be read");
    value = root;
    plain = false;
    copies = 0;
  }
  return { value, bytes, plain, perRead: copies > 0, uncarried, stream, parts: parts.size > 0 ? parts : undefined };
}
