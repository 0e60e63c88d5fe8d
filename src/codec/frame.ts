// The four bytes every stored value starts with: they name the format of what follows, and its version.
import { CodecError } from "../errors.ts";

/**
 * Formats, by the third byte. Only ever append: stored values outlive deployments.
 * - `j`: JSON and nothing else;
 * - `x`: JSON in which strings may be tags, then perhaps a zero byte and the bytes of buffers.
 */
export type Format = "j" | "x";

const SIZE = 4;
const magic = (format: Format): string => `ic${format}\x01`;

/** The magic of the format, then the parts of the body, in one new array. */
export function frame(format: Format, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, SIZE));
  let at = 0;
  for (; at < SIZE; at++) bytes[at] = magic(format).charCodeAt(at);
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
export function unframe(bytes: Uint8Array, ...formats: Format[]): { format: Format; body: Uint8Array } {
  const start = String.fromCharCode(...bytes.subarray(0, SIZE));
  const format = formats.find((known) => magic(known) === start);
  if (!format) throw new CodecError(`unknown format ${JSON.stringify(start)}`);
  return { format, body: bytes.subarray(SIZE) };
}
