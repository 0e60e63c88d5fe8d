// What JSON cannot say, said in strings that start with "$".
//
//   "$$..."                       the string "$...": any string of the user's that starts with "$"
//   "$undefined" "$NaN" "$Infinity" "$-Infinity" "$-0"
//   "$-0xff"                      BigInt, hexadecimal since reading decimal takes more than linear time
//   "$Date 1700000000000"         "$Date NaN" is an invalid one
//   "$DataView 16"                the next 16 bytes of the tail as that kind of buffer. Numbers in typed arrays are
//                                 little-endian, as on every runtime.
//   ["$Set", item, ...]           ["$Map", key, value, ...]
import { build, MAX_DEPTH } from "./kinds.ts";
import type { Writer } from "./walk.ts";

/** Makes the walk write a tree that JSON carries. The bytes of buffers are appended to `tail`, not copied. */
export const tagger =
  (tail: Uint8Array[]): Writer =>
  (value, kind) => {
    if (kind === undefined) {
      if (typeof value === "string") return value[0] === "$" ? "$" + value : value;
      if (typeof value === "bigint") return "$" + value.toString(16).replace(/^-?/, "$&0x");
      return Object.is(value, -0) ? "$-0" : Number.isFinite(value) ? value : `$${value}`;
    }
    if (Array.isArray(value)) return ["$" + kind, ...value];
    if (value instanceof Uint8Array) {
      tail.push(value);
      value = value.length;
    }
    return `$${kind} ${value}`;
  };

const SCALAR = /^\$(?:(undefined|NaN|-?Infinity|-0)|(-?)(0x[\da-f]+)|(\w+) (-?\d+|NaN))$/;

/**
 * The value of a tree that was just parsed, in place. Throws for unknown tags, more than MAX_DEPTH levels, and a tail
 * that is not used up exactly: each byte is taken once, so the memory is in proportion to the input.
 */
export function untagged(tree: unknown, tail: Uint8Array): unknown {
  let at = 0;

  const check = (right: boolean): void => {
    if (!right) throw new RangeError();
  };

  const scalar = (text: string): unknown => {
    if (text[1] === "$") return text.slice(1);
    const [, special, sign, digits, kind = "", number] = SCALAR.exec(text) ?? [];
    if (special) return special === "undefined" ? undefined : Number(special);
    if (digits) return sign ? -BigInt(digits) : BigInt(digits);
    if (kind === "Date") return build(kind, Number(number));
    // Not a number if nothing matched. Beyond the tail there is nothing to take, and the end will not be at its end.
    const end = at + Number(number);
    check(end >= at);
    return build(kind, tail.subarray(at, (at = end)));
  };

  const read = (node: unknown, depth: number): unknown => {
    if (typeof node === "string") return node[0] === "$" ? scalar(node) : node;
    if (typeof node !== "object" || node === null) return node;
    check(depth <= MAX_DEPTH);
    // It was parsed from JSON: every property is its own data, `__proto__` too.
    const step = (items: Record<string | number, unknown>, key: string | number): void => {
      const item = items[key];
      const value = read(item, depth + 1);
      if (value !== item) items[key] = value;
    };
    if (!Array.isArray(node)) {
      for (const key of Object.keys(node)) step(node as Record<string, unknown>, key);
      return node;
    }
    const list: unknown[] = node;
    const kind = list[0] === "$Map" || list[0] === "$Set" ? String(list.shift()).slice(1) : "";
    for (let i = 0; i < list.length; i++) step(list as unknown as Record<number, unknown>, i);
    check(kind !== "Map" || list.length % 2 === 0);
    return kind ? build(kind, list) : list;
  };

  const value = read(tree, 1);
  check(at === tail.length);
  return value;
}
