// What all options share: unknown names are refused, and messages name the option, quote its value and say what it takes.
import { OptionError } from "../errors.ts";

/** Reads the value of an option: what it adds to the resolved ones. Throws an OptionError. */
export type Parser = (name: string, value: unknown) => object;

/** A value as error messages quote it: short, and never an object's contents, which may be secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return Array.isArray(value) ? "an array" : typeof value === "object" && value ? "an object" : String(value);
}

/** Throws an error, by default an OptionError: the value is not what the option takes. */
export function refuse(
  name: string,
  value: unknown,
  takes: string,
  Failure: new (message: string) => Error = OptionError,
): never {
  throw new Failure(`${name}: ${show(value)} is not ${takes}`);
}

/** Reads an option that is kept as it is, if it passes the test. */
export const taking =
  (takes: string, test: (value: unknown) => boolean): Parser =>
  (name, value) =>
    test(value) ? { [name]: value } : refuse(name, value, takes);

/** Reads an option that is one of a few values. */
export const oneOf = (...allowed: readonly unknown[]): Parser =>
  taking(allowed.map(show).join(" or "), (value) => allowed.includes(value));

/** Reads an object with these methods: a store, codec, platform or signal handed in. */
export const having = (...methods: readonly string[]): Parser =>
  taking(`an object with ${methods.join(", ")}`, (value) =>
    // Any value has members, or none.
    methods.every((method) => typeof (value as Record<string, unknown> | null)?.[method] === "function"),
  );

/** Passes on what each option that is given reads as. An unknown one is an OptionError; undefined counts as not given. */
export function each(
  name: string,
  options: unknown,
  parsers: Readonly<Record<string, Parser>>,
  take: (parsed: object, name: string) => void,
): void {
  if (typeof options !== "object" || options === null) refuse(name, options, "an object");
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(parsers, name)) {
      throw new OptionError(`${name}: unknown option; there are ${Object.keys(parsers).join(", ")}`);
    }
    if (value !== undefined) take(parsers[name]!(name, value), name); // hasOwn just said it is there
  }
}
