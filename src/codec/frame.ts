// The four bytes every stored value starts with: they name the format of what follows, and its version.
import { CodecError } from "../errors.ts";

/**
 * Formats, by the third byte. Only ever append: stored values outlive deployments.
 * - `j`: JSON and nothing else;
 * - `x`: JSON in which strings may be tags, a zero byte, and the bytes of all buffers.
 */
export type Format = "j" | "x";

const SIZE = 4;
const VERSION = 1;

/** The magic of the format, then the parts of the body, in one new array. */
export function frame(format: Format, parts: readonly Uint8Array[]): Uint8Array {
  let at = SIZE;
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, at));
  bytes.set([0x69, 0x63, format.charCodeAt(0), VERSION]); // "ic"
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Which of the given formats the bytes are in, and the body (a view, not a copy). Throws a CodecError for any other
 * beginning: foreign bytes, an unknown version, a format the calling codec does not read.
 */
export function unframe(bytes: Uint8Array, formats: readonly Format[]): { format: Format; body: Uint8Array } {
  const format = formats.find((known) => known.charCodeAt(0) === bytes[2]);
  if (!format || bytes[0] !== 0x69 || bytes[1] !== 0x63 || bytes[3] !== VERSION) throw new CodecError("unknown format");
  return { format, body: bytes.subarray(SIZE) };
}
