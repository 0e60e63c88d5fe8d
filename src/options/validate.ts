// What values from the store are checked with: a Standard Schema (https://standardschema.dev), or a predicate.
import { CodecError } from "../errors.ts";
import { refuse, type Parser } from "./parse.ts";

/** What a schema makes of a value: an output, or what is wrong with it. */
export type SchemaResult<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly { readonly message: string }[] };

/** What isocache needs of a Standard Schema, version 1: those of zod, valibot, arktype and others are of this shape. */
export interface StandardSchema<T = unknown> {
  /** What the schema offers, as the standard says (https://standardschema.dev): isocache calls `validate`, and takes the type of `output`. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** Says what type a value has: its `get` needs no other annotation. */
export type TypedValidator<T> = StandardSchema<T> | ((value: unknown) => value is T);

/** A Standard Schema, or a function that says whether a value is right, or promises to. */
export type Validator = StandardSchema | ((value: unknown) => boolean | PromiseLike<boolean>);

/** Schemas may be functions, too (arktype). */
const isSchema = (value: unknown): value is StandardSchema =>
  // Any value has members, or none.
  typeof (value as Partial<StandardSchema> | null)?.["~standard"]?.validate === "function";

/** The value, as the schema outputs it. Rejects with a CodecError if it is not right, or with what the validator throws. */
async function validated(validate: Validator, value: unknown): Promise<unknown> {
  let issue = "the predicate refused it";
  if (isSchema(validate)) {
    const result = await validate["~standard"].validate(value);
    if (!result.issues) return result.value;
    issue = result.issues[0]?.message ?? "it has issues";
  } else if (await validate(value)) return value;
  throw new CodecError(`not valid: ${issue}`);
}

/** Reads a validator, as a function from a value to the one that is right. */
export const validator: Parser = (name, given) =>
  isSchema(given) || typeof given === "function"
    ? { [name]: (value: unknown) => validated(given as Validator, value) } // what a function answers is only asked for truth
    : refuse(name, given, "a Standard Schema or a function");
