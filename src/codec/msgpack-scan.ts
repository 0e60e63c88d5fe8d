// Looks over MessagePack before msgpackr reads it: only what the codec writes, and nothing that is larger than its bytes.
import { MAX_DEPTH } from "./kinds.ts";

/** What was found. */
export interface Scanned {
  /** Where the value ends. */
  readonly end: number;
  /** Some string or key begins with "$". */
  readonly marked: boolean;
}

// https://github.com/msgpack/msgpack/blob/master/spec.md, and msgpackr's records: 0xd4 0x72, an id from 0x40 to 0x7f, an array
// of keys, their values; from then on the id stands for an object of those keys, and their values follow.
const RECORD = 0x72;
/** Bytes of the length that follows a token. */
const STRINGS: Readonly<Record<number, number>> = { 0xd9: 1, 0xda: 2, 0xdb: 4 };
const ARRAYS: Readonly<Record<number, number>> = { 0xdc: 2, 0xdd: 4 };
/** Bytes that follow: nil, booleans, unsigned and signed integers up to 32 bits, doubles. */
const SCALARS: Readonly<Record<number, number>> = {
  ...{ 0xc0: 0, 0xc2: 0, 0xc3: 0 },
  ...{ 0xcc: 1, 0xcd: 2, 0xce: 4, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xcb: 8 },
};
const DOLLAR = 0x24;

/**
 * Finds the end of the value that begins at `start`. Throws a RangeError for what the codec does not write (maps, extensions
 * other than records), more than MAX_DEPTH levels, and what ends before as many items came as were announced: each takes a
 * byte at least. msgpackr would allocate any length it is told, and build whatever an extension says.
 */
export function scan(bytes: Uint8Array, start: number): Scanned {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: number[] = [];
  let at = start;
  let marked = false;

  const fail = (): never => {
    throw new RangeError();
  };
  const skip = (size: number): void => {
    at += size;
    if (at > bytes.length) fail();
  };
  const byte = (): number => {
    skip(1);
    return bytes[at - 1]!; // skip has checked
  };
  /** The length that a token announces: within it, or in bytes after it. */
  const lengthOf = (token: number, first: number, last: number, widths: Readonly<Record<number, number>>) => {
    if (token >= first && token <= last) return token - first;
    const width = widths[token];
    if (width === undefined) return undefined;
    skip(width);
    return width === 1 ? view.getUint8(at - 1) : width === 2 ? view.getUint16(at - 2) : view.getUint32(at - 4);
  };
  const text = (token: number): boolean => {
    const length = lengthOf(token, 0xa0, 0xbf, STRINGS);
    if (length === undefined) return false;
    if (length > 0 && bytes[at] === DOLLAR) marked = true;
    skip(length);
    return true;
  };
  const values = (count: number, depth: number): void => {
    if (depth > MAX_DEPTH) fail();
    for (let i = 0; i < count; i++) value(depth + 1);
  };
  const record = (depth: number): void => {
    const id = byte();
    const count = lengthOf(byte(), 0x90, 0x9f, ARRAYS) ?? fail();
    if (id < 0x40 || id > 0x7f) fail();
    for (let i = 0; i < count; i++) if (!text(byte())) fail();
    records[id] = count;
    values(count, depth);
  };
  const value = (depth: number): void => {
    const token = byte();
    if (token < 0x40 || token >= 0xe0 || text(token)) return;
    const count = token < 0x80 ? (records[token] ?? fail()) : lengthOf(token, 0x90, 0x9f, ARRAYS);
    if (count !== undefined) values(count, depth);
    else if (token === 0xd4 && byte() === RECORD) record(depth);
    else skip(SCALARS[token] ?? fail());
  };

  value(1);
  return { end: at, marked };
}
