// The four bytes every stored value starts with: they name the format of what follows, and its version.

/** The format of JSON and nothing else. Formats are only ever added: stored values outlive deployments. */
export const PLAIN = "icj\x01";
/** JSON in which strings may be tags, a zero byte, and the bytes of all buffers. */
export const TAGGED = "icx\x01";
/** MessagePack, and the bytes of all buffers. */
export const MESSAGE_PACK = "icm\x01";
/** The bytes of another format, compressed. */
export const COMPRESSED = "icz\x01";
/** The bytes of another format, encrypted. */
export const ENCRYPTED = "ice\x01";
/** Where the body begins. */
export const BODY = 4;

/** The first four bytes as text: a format, or something foreign. */
export const formatOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, BODY));

/** All parts in one new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let at = 0;
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
