// Numbers and texts as the bytes of a frame, and back: nothing is read, or made room for, beyond the bytes that are there.
import { BusError } from "../errors.ts";

/** What epochs, nonces and most keys are made of: three of these 40 characters take two bytes. */
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz.:-/";
const PACKABLE = /^[0-9a-z.:/-]*$/;
const BASE = ALPHABET.length;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws: what came is no frame, or none for us. */
export function malformed(what: string): never {
  throw new BusError(`bus frame: ${what}`);
}

/** Adds bytes. Not as arguments of `push`, of which some runtimes take only so many. */
export function writeBytes(out: number[], bytes: Iterable<number>): void {
  for (const byte of bytes) out.push(byte);
}

/** Adds a whole number, seven bits a byte, the lowest first. A fraction is rounded up; what is out of range becomes its end. */
export function writeNumber(out: number[], value: number): void {
  let rest = Math.min(Math.max(Math.ceil(value), 0), Number.MAX_SAFE_INTEGER);
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  out.push(rest);
}

/**
 * Adds a text: twice its length and whether it is packed, then its bytes. Half of a surrogate pair becomes U+FFFD, as in all
 * UTF-8: keys and tags with one are refused long before.
 */
export function writeText(out: number[], text: string): void {
  if (!PACKABLE.test(text)) {
    const bytes = encoder.encode(text);
    writeNumber(out, bytes.length * 2);
    writeBytes(out, bytes);
    return;
  }
  writeNumber(out, text.length * 2 + 1);
  const digit = (at: number): number => ALPHABET.indexOf(text.charAt(at)); // past the end: 0
  for (let at = 0; at < text.length; at += 3) {
    const three = (digit(at) * BASE + digit(at + 1)) * BASE + digit(at + 2);
    out.push(three >> 8, three & 255);
  }
}

/** The fields of a T in the order in which they are written: 0 for a number, "" for a text. */
export type Fields<T> = { readonly [Name in keyof T]: T[Name] extends number ? 0 : "" };

const namesOf = <T extends object>(fields: Fields<T>): (keyof T)[] => Object.keys(fields) as (keyof T)[]; // its own

/** Adds each field of an item. */
export function writeFields<T extends object>(out: number[], fields: Fields<T>, item: T): void {
  for (const name of namesOf(fields)) {
    const value = item[name]; // of the type that the field tells
    if (fields[name] === 0) writeNumber(out, value as number);
    else writeText(out, value as string);
  }
}

/** How far bytes have been read. What reads on throws a BusError if there is no such thing. */
export interface Cursor {
  readonly from: Uint8Array;
  at: number;
}

/** So many bytes, as a view. */
export function readBytes(cursor: Cursor, length: number): Uint8Array {
  const { from, at } = cursor;
  if (length > from.length - at) malformed("truncated");
  return from.subarray(at, (cursor.at += length));
}

export function readByte(cursor: Cursor): number {
  return cursor.from[cursor.at++] ?? malformed("truncated");
}

export function readNumber(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 56; scale *= 128) {
    const byte = readByte(cursor);
    value += (byte & 127) * scale;
    if (byte < 128 && value <= Number.MAX_SAFE_INTEGER) return value;
  }
  return malformed("number too large");
}

function unpack(packed: Uint8Array): Uint8Array {
  const result = new Uint8Array(packed.length * 1.5); // whose length is even
  for (let from = 0, to = 0; from < packed.length;) {
    const three = packed[from++]! * 256 + packed[from++]!;
    for (let place = BASE * BASE; place >= 1; place /= BASE) {
      result[to++] = ALPHABET.charCodeAt((three / place) % BASE); // which takes the whole part
    }
  }
  return result;
}

export function readText(cursor: Cursor): string {
  const head = readNumber(cursor);
  const length = Math.floor(head / 2);
  const bytes = head % 2 === 0 ? readBytes(cursor, length) : unpack(readBytes(cursor, Math.ceil(length / 3) * 2));
  try {
    return decoder.decode(bytes.subarray(0, length));
  } catch {
    return malformed("text that is not UTF-8");
  }
}

export function readFields<T extends object>(cursor: Cursor, fields: Fields<T>): T {
  const result: { [Name in keyof T]?: unknown } = {};
  for (const name of namesOf(fields)) result[name] = fields[name] === 0 ? readNumber(cursor) : readText(cursor);
  return result as T; // field by field
}
