// Shapes: what a record that comes from outside must look like, as a table, and the check that it does.
import { StoreError } from "../errors.ts";

/** Stands in a shape for a value whose bytes travel beside the JSON; in the JSON stands their number. */
export const BYTES = new Uint8Array(0);

/** Looks at an item and gives the shape that it must have, or throws a StoreError. */
type Chosen<T> = (item: unknown) => Shape<T>;

/**
 * The shape of a T: "" for text, 0 for a finite number, true for a boolean, BYTES, a list of one shape, or a table of
 * shapes by field, whose names end in "?" where T may lack them.
 */
export type Shape<T> =
  | Chosen<T>
  | ([T] extends [string | number | boolean | Uint8Array]
      ? Sample<T>
      : [T] extends [readonly (infer Item)[]]
        ? readonly [Shape<Item>]
        : {
            readonly [Name in keyof T & string as undefined extends T[Name] ? `${Name}?` : Name]: Shape<
              Present<T[Name]>
            >;
          });

type Sample<T> = [T] extends [string] ? "" : [T] extends [number] ? 0 : [T] extends [boolean] ? true : Uint8Array;
type Present<T> = Exclude<T, undefined>;

export function malformed(what = "malformed"): never {
  throw new StoreError(`The store message is ${what}`);
}

/** The row of a table with this name; a name that comes from outside may be any, `constructor` too. */
export function pick<T>(table: Readonly<Record<string, T>>, name: unknown): T {
  for (const [key, row] of Object.entries(table)) if (key === name) return row;
  return malformed();
}

/**
 * A copy of what came out of JSON, checked; a StoreError if it has not the shape. Fields that the shape does not name,
 * and those that are undefined, are left out. `values` are the bytes beside the JSON: of all values, of which each item
 * of a list may have one, in the order of the list. What nobody takes is malformed, too.
 */
export function shaped<T>(shape: Shape<T>, item: unknown, values: Uint8Array): T {
  const rest = { values };
  const result = fit(shape, item, rest) as T; // what Shape<T> says
  return rest.values.length > 0 ? malformed() : result;
}

/** The next value, of the size that stands in its place. A copy if others come with it, lest one of them keeps all. */
function take(size: unknown, rest: { values: Uint8Array }): Uint8Array {
  const { values } = rest;
  const end = Number.isInteger(size) ? Number(size) : -1;
  if (end < 0 || end > values.length) malformed();
  rest.values = values.subarray(end);
  return end < values.length ? values.slice(0, end) : values;
}

function fit(shape: unknown, item: unknown, rest: { values: Uint8Array }): unknown {
  if (typeof shape === "function") return fit(shape(item), item, rest);
  if (shape === BYTES) return take(item, rest);
  if (Array.isArray(shape)) return Array.isArray(item) ? item.map((part) => fit(shape[0], part, rest)) : malformed();
  if (typeof shape !== "object") {
    return (shape === 0 ? Number.isFinite(item) : typeof item === typeof shape) ? item : malformed();
  }
  const result: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(shape ?? {})) {
    const field = name.replace("?", "");
    const found: unknown = Object(item)[field];
    if (found !== undefined || field === name) result[field] = fit(part, found, rest);
  }
  return result;
}
