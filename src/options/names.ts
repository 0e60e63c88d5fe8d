// Keys, tags and names: what is allowed.
import { OptionError } from "../errors.ts";
import { show } from "./parse.ts";

const MAX_NAME_BYTES = 1_024;
const MAX_TAGS = 100;

/** What is wrong with a key, tag or namespace; undefined if nothing is. */
export function faultOfName(name: unknown): string | undefined {
  if (typeof name !== "string") return `is ${show(name)}, not a string`;
  if (name === "") return "is empty";
  let bytes = 0;
  for (let i = 0; i < name.length; i++) {
    const point = name.codePointAt(i)!; // i is inside the string
    if (point >= 0xd800 && point <= 0xdfff) return `${show(name)} has half a surrogate pair`;
    if (point > 0xffff) i++;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes > MAX_NAME_BYTES ? `${show(name)} has ${bytes} bytes of UTF-8, more than ${MAX_NAME_BYTES}` : undefined;
}

/** Checks a list of tags. Throws an OptionError that names the option and the tag. */
export function parseTags(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new OptionError(`${name}: ${show(value)} is not an array of strings`);
  if (value.length > MAX_TAGS) throw new OptionError(`${name}: ${value.length} tags are more than ${MAX_TAGS}`);
  return value.map((tag: unknown) => {
    const fault = faultOfName(tag);
    if (fault !== undefined) throw new OptionError(`${name}: a tag ${fault}`);
    return tag as string; // it has no fault, so it is a string
  });
}
