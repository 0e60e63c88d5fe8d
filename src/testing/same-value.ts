// Whether two values are the same to every reader: the equality that a codec's round trip is held to.

const own = (value: object): string => Object.prototype.toString.call(value);

/**
 * Structural equality that tells -0 from 0, undefined from absent, and every carried kind of object from every other. Map and
 * Set compare in order, buffers by kind and bytes, prototypes must be those of built-ins or the same.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (own(a) !== own(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const length = a.byteLength;
    return length === b.byteLength && sameBytes(bytesOf(a), bytesOf(b));
  }
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return sameBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Map && b instanceof Map) return sameValue([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return sameValue([...a], [...b]);
  const keys = Object.keys(a);
  const other = new Map(Object.entries(b));
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  return (
    keys.length === other.size &&
    Object.entries(a).every(([key, item]) => other.has(key) && sameValue(item, other.get(key)))
  );
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
