// What all options share: unknown names are refused, and messages quote what was given.
import { OptionError } from "../errors.ts";

/** A value as error messages quote it: short, and never an object's contents, which may be secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return typeof value === "object" && value !== null
    ? Array.isArray(value)
      ? "an array"
      : "an object"
    : String(value);
}

/** Reads an option that is one of a few values. */
export function oneOf<T>(...allowed: readonly T[]): (name: string, value: unknown) => T {
  return (name, value) => {
    if (!allowed.includes(value as T)) {
      throw new OptionError(`${name}: ${show(value)} is not ${allowed.map(show).join(" or ")}`);
    }
    return value as T; // it is one of them
  };
}

/** Calls `read` for each option that is given. An unknown one is an OptionError; undefined counts as not given. */
export function each(options: unknown, names: object, read: (name: string, value: unknown) => void): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null)
    throw new OptionError(`options: ${show(options)} is not an object`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(names, name)) {
      throw new OptionError(`${name}: unknown option; there are ${Object.keys(names).join(", ")}`);
    }
    if (value !== undefined) read(name, value);
  }
}
