// What sort of object a value is, told by its structure so that values of other realms count too.

const { getPrototypeOf, hasOwn } = Object;

/** How deep containers may nest in a carried value. Bounds every recursion over values. */
export const MAX_DEPTH = 1000;

/** Buffers and the views on them. The position is what the extended JSON format writes: only ever append. */
export const BUFFERS: readonly string[] = (
  "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array " +
  "Float32Array Float64Array BigInt64Array BigUint64Array Float16Array"
).split(" ");

/** Built-ins that are carried, as opposed to instances of their subclasses. */
const CARRIED = /^(Array|Date|Map|Set|ArrayBuffer)$/;

const isRoot = (proto: object): boolean =>
  proto === Object.prototype || (getPrototypeOf(proto) === null && hasOwn(proto, "isPrototypeOf"));

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/** What to call an object that is not carried: "Response", "Blob", "class instance". */
export function nameOf(value: object): string {
  const tag = tagOf(value);
  return tag === "Object" || CARRIED.test(tag) ? "class instance" : tag;
}

/**
 * "Object" for plain objects (null-prototype ones included), "Array", "Date", "Map", "Set" or a name of BUFFERS;
 * "" for what is not carried: class instances, subclasses of the former, functions, and everything else. A subclass
 * of a typed array counts as the typed array, because Node's Buffer is one. Throws what a hostile proxy throws.
 */
export function kindOf(value: object): string {
  const proto: object | null = getPrototypeOf(value);
  if (Array.isArray(value) && proto === Array.prototype) return "Array";
  if (proto === null || isRoot(proto)) return "Object";
  const tag = tagOf(value);
  if (ArrayBuffer.isView(value)) return BUFFERS.includes(tag) ? tag : "";
  const base: object | null = getPrototypeOf(proto);
  return base !== null && isRoot(base) && CARRIED.test(tag) ? tag : "";
}

/** The bytes of a buffer or view, not copied. */
export const bytesOf = (value: object): Uint8Array =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer); // the caller knows its kind

/** A new buffer or view of that kind (a name of BUFFERS) that holds a copy of the bytes. Throws for a kind this runtime lacks. */
export function bufferOf(kind: string, bytes: Uint8Array): object {
  const { buffer } = new Uint8Array(bytes);
  if (kind === "ArrayBuffer") return buffer;
  // Every other name of BUFFERS is a global constructor that takes a buffer; read when needed, since Float16Array is new.
  const globals = globalThis as unknown as Record<string, new (buffer: ArrayBufferLike) => object>;
  return new globals[kind]!(buffer);
}
