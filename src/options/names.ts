// Keys, tags and names: what is allowed.
import { refuse } from "./parse.ts";

const MAX_BYTES = 1_024;
const MAX_TAGS = 100;

/** What a key, tag or namespace has to be, for messages. */
export const NAME = "a well-formed string of 1 to 1,024 bytes of UTF-8";

/** Whether it can be a key, tag or namespace. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length <= MAX_BYTES &&
  /^\P{Surrogate}+$/u.test(value) &&
  new TextEncoder().encode(value).length <= MAX_BYTES;

/** Reads a list of tags. Throws an OptionError that names the option and the tag. */
export const parseTags = (name: string, value: unknown): readonly string[] => {
  if (!Array.isArray(value) || value.length > MAX_TAGS) refuse(name, value, `an array of at most ${MAX_TAGS} strings`);
  return Array.from(value as unknown[], (tag) => (isName(tag) ? tag : refuse(name, tag, NAME))); // an array: just checked
};
