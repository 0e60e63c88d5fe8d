// What sort of object a value is, told by its structure so that values of other realms count too; and how to make one.

const { getPrototypeOf, hasOwn } = Object;

/** How deep containers may nest in a carried value. Bounds every recursion over values. */
export const MAX_DEPTH = 1000;

/** Built-ins that are carried, as opposed to instances of their subclasses. */
const CARRIED = /^(Array|Date|Map|Set|ArrayBuffer)$/;
const BUFFER = /^(ArrayBuffer|DataView|(Big)?(Uint|Int|Float)\d+(Clamped)?Array)$/;

/** An `Object.prototype`. */
const isRoot = (proto: object | null): boolean =>
  proto !== null && getPrototypeOf(proto) === null && hasOwn(proto, "isPrototypeOf");

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/**
 * "Object" for plain objects (null-prototype ones included), "Array", "Date", "Map", "Set", "ArrayBuffer", "DataView"
 * or the name of a typed array; "" for what is not carried: class instances, subclasses of the former, and everything
 * else. A subclass of a typed array counts as the typed array, because Node's Buffer is one. Throws what a hostile
 * proxy throws.
 */
export function kindOf(value: object): string {
  const proto: object | null = getPrototypeOf(value);
  if (proto === Array.prototype && Array.isArray(value)) return "Array";
  if (proto === null || proto === Object.prototype || isRoot(proto)) return "Object";
  const tag = tagOf(value);
  return ArrayBuffer.isView(value)
    ? BUFFER.test(tag)
      ? tag
      : ""
    : CARRIED.test(tag) && isRoot(getPrototypeOf(proto))
      ? tag
      : "";
}

/** What to call an object that is not carried: "Response", "Promise", the name of its class. */
export function nameOf(value: object): string {
  const tag = tagOf(value);
  // Before the compatibility date 2024-09-26 the tag of everything that workerd adds to the language is "Object".
  return tag === "Object" || CARRIED.test(tag) ? String(value.constructor?.name || "class instance") : tag;
}

/** The bytes of a buffer or view, not copied; throws for what is neither, or detached. */
export function bytesOf(value: object): Uint8Array {
  // A buffer has no `buffer` and no `byteOffset`.
  const { buffer = value, byteOffset, byteLength } = value as { buffer?: object } & ArrayBufferView;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/**
 * What an object of a kind other than "Object" and "Array" is made of: a Date of its time, a Set of its items, a Map of
 * keys and values in turn, buffers and views of bytes.
 */
export type Content = number | unknown[] | Uint8Array;

/** Makes one; bytes are copied. Throws for any other kind, and for one this runtime lacks. */
export function build(kind: string, content: Content): object {
  if (typeof content === "number") return new Date(content);
  if (Array.isArray(content)) {
    if (kind === "Set") return new Set(content);
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < content.length; i += 2) map.set(content[i], content[i + 1]);
    return map;
  }
  const { buffer } = new Uint8Array(content);
  if (kind === "ArrayBuffer") return buffer;
  // What BUFFER matches is a global constructor that takes a buffer, or nothing. Read when needed: Float16Array is new.
  const globals = globalThis as unknown as Record<string, new (buffer: ArrayBufferLike) => object>;
  return new globals[BUFFER.test(kind) ? kind : ""]!(buffer);
}
