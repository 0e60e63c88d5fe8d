// The one walk over a value: it copies and freezes, estimates the memory held, and finds what cannot be carried.
//
// What is carried: strings (lone surrogates too), numbers, booleans, null, undefined, BigInt, plain objects, arrays,
// Date, Map, Set, ArrayBuffer, DataView and typed arrays, from any realm. Own enumerable string keys only; accessors
// are read once; `toJSON` is not used. Array holes become undefined, extra properties of arrays and of the other
// built-ins are dropped, null-prototype objects come back as ordinary ones, Node's Buffer as Uint8Array. A reference
// used twice is carried twice.
import { bufferOf, bytesOf, BUFFERS, kindOf, MAX_DEPTH, nameOf } from "./kinds.ts";

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
  readonly uncarried?: string;
  /** The same for a Request, Response or stream: it could be read only once, so it must not be cached at all. */
  readonly stream?: string;
  /** For `give`: in mode frozen, the objects a reader needs its own copy of; the rest of the value is shared. */
  readonly parts?: ReadonlySet<unknown>;
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

/** What one reader gets. In mode frozen the parts that could be frozen are shared between readers. */
export const give = (held: Held): unknown =>
  held.perRead ? survey(held.value, held.parts ? "frozen" : "copied", false, Infinity, held).value : held.value;

// Measured on V8, 64 bits: what an empty one takes, and each slot, property or entry.
const STRING = 24;
const OBJECT = 32;
const ENTRY = 40;

/** `keep`: the containers stay the same objects. `reader`: the copy is for a reader of this one, errors are thrown. */
function survey(root: unknown, mode: ValueMode, keep: boolean, limitBytes: number, reader?: Held): Held {
  const path: (string | number)[] = [];
  const parts = new Set<unknown>();
  let depth = 0;
  let bytes = 80; // the result itself
  let plain = true;
  let copies = 0; // containers seen of which a reader needs a copy of its own
  let uncarried: string | undefined;
  let stream: string | undefined;

  const place = (what: string): string => {
    let at = "";
    for (const key of path.slice(2, depth + 1)) at += typeof key === "number" ? `[${key}]` : `.${key}`;
    return `${at.replace(/^\./, "").slice(0, 200) || "the value"} ${what}`;
  };

  const foreign = (name: string): void => {
    bytes += 64;
    plain = false;
    const found = place(`is a ${name}`);
    uncarried ??= found;
    if (/^Re(quest|sponse)$|Stream$/.test(name)) stream ??= found;
  };

  const walk = (value: unknown, key: string | number): unknown => {
    switch (typeof value) {
      case "string":
        // On V8 the test takes no time for a one-byte string, whatever its length.
        bytes += STRING + (/[^\0-\xff]/.test(value) ? 2 : 1) * value.length;
        return value;
      case "number":
        if ((value | 0) !== value) bytes += 16;
        if (value - value !== 0 || Object.is(value, -0)) plain = false;
        return value;
      case "boolean":
        return value;
      case "undefined":
        plain = false;
        return value;
      case "bigint":
        bytes += 24 + (value.toString(16).length >> 1);
        plain = false;
        return value;
    }
    if (value === null || (reader?.parts && !reader.parts.has(value))) return value;
    path[++depth] = key;
    const result = typeof value === "object" ? container(value) : (foreign(typeof value), value);
    depth--;
    return result;
  };

  const container = (value: object): unknown => {
    if (depth > MAX_DEPTH) throw (uncarried = place(`is nested deeper than ${MAX_DEPTH} or cyclic`));
    const kind = kindOf(value);
    if (!kind) {
      foreign(nameOf(value));
      return value;
    }
    const before = copies;
    if (mode === "copied") copies++;
    const copy = kind === "Object" ? record(value) : kind === "Array" ? list(value as unknown[]) : exotic(value, kind);
    if (mode === "frozen" && !reader && copies !== before) {
      bytes += ENTRY;
      parts.add(copy);
    }
    return copy;
  };

  /** Counts a container before it is copied. */
  const count = (size: number): void => {
    bytes += size;
    // A proxy may claim any length, even NaN.
    if (!(bytes <= limitBytes)) throw (uncarried = place("is too large"));
  };

  const record = (value: object): object => {
    count(OBJECT);
    // Spreading reads accessors once and keeps an own `__proto__` as data.
    const copy = (keep ? value : { ...value }) as Record<string, unknown>;
    const keys = Object.keys(copy);
    // So many keys are mostly ids, and each costs a string and a dictionary entry; fewer are mostly a shared shape.
    count((keys.length > 64 ? 108 : 8) * keys.length);
    if (!keep) for (const symbol of Object.getOwnPropertySymbols(copy)) Reflect.deleteProperty(copy, symbol);
    for (const key of keys) {
      const item = copy[key];
      const next = walk(item, key);
      if (next !== item) copy[key] = next;
    }
    return mode === "frozen" ? Object.freeze(copy) : copy;
  };

  const list = (value: unknown[]): unknown[] => {
    count(OBJECT + 8 * value.length);
    const copy: unknown[] = keep ? value : Array.prototype.slice.call(value);
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      const next = walk(item, i);
      if (!keep && (next !== item || next === undefined)) copy[i] = next;
    }
    return mode === "frozen" ? (Object.freeze(copy) as unknown[]) : copy;
  };

  const exotic = (value: object, kind: string): object => {
    plain = false;
    if (mode === "frozen") copies++;
    if (kind === "Date") {
      bytes += 96;
      const time = Date.prototype.getTime.call(value);
      return keep ? value : new Date(time);
    }
    if (BUFFERS.includes(kind)) {
      const content = bytesOf(value);
      count(200 + content.length);
      return keep ? value : bufferOf(kind, content);
    }
    bytes += 200;
    let index = 0;
    const next = (item: unknown): unknown => walk(item, index);
    const copy = kind === "Map" ? new Map<unknown, unknown>() : new Set<unknown>();
    const visit = (item: unknown, name: unknown): void => {
      count(ENTRY);
      if (copy instanceof Map) copy.set(next(name), next(item));
      else copy.add(next(item));
      index++;
    };
    if (kind === "Map") Map.prototype.forEach.call(value, visit);
    else Set.prototype.forEach.call(value, visit);
    return keep ? value : copy;
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
  return {
    value,
    bytes,
    plain,
    perRead: copies > 0,
    ...(uncarried !== undefined && { uncarried }),
    ...(stream !== undefined && { stream }),
    ...(copies > 0 && mode === "frozen" && { parts }),
  };
}
