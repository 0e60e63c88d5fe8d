// Shapes: what a record that comes from outside must look like, as a table, and the check that it does.
import { StoreError } from "../errors.ts";

/** Stands in a shape for the one value whose bytes travel beside the JSON; in the JSON stands their number. */
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
 * and those that are undefined, are left out. `value` are the bytes beside the JSON.
 */
export function shaped<T>(shape: Shape<T>, item: unknown, value: Uint8Array): T {
  return fit(shape, item, value) as T; // what Shape<T> says
}

function fit(shape: unknown, item: unknown, value: Uint8Array): unknown {
  if (typeof shape === "function") return fit(shape(item), item, value);
  if (shape === BYTES) return item === value.length ? value : malformed();
  if (Array.isArray(shape)) return Array.isArray(item) ? item.map((part) => fit(shape[0], part, value)) : malformed();
  if (typeof shape !== "object") {
    return (shape === 0 ? Number.isFinite(item) : typeof item === typeof shape) ? item : malformed();
  }
  const result: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(shape ?? {})) {
    const field = name.replace("?", "");
    const found: unknown = Object(item)[field];
    if (found !== undefined || field === name) result[field] = fit(part, found, value);
  }
  return result;
}
