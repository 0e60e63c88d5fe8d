// A store's option that is a whole number.
import { OptionError } from "../errors.ts";

/** The value of an option, or its fallback. Throws an OptionError that says what it takes. */
export function wholeNumber(name: string, value: number | undefined, fallback: number, max: number): number {
  const number = value ?? fallback;
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new OptionError(`${name} is ${String(number)}; it takes a whole number from 1 to ${max}`);
}
