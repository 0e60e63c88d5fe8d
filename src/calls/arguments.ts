// The key of a call: the name of what is called, and its arguments in a text that no other arguments have.
import { tagger } from "../codec/tags.ts";
import { write } from "../codec/walk.ts";
import { KeyError } from "../errors.ts";
import { isName } from "../options/names.ts";
import { sha256 } from "./sha256.ts";

/**
 * The name, and the arguments as a JSON array with the tags of the default codec: so two calls have one key only if they
 * have the same name and equal arguments. (A JSON array does not end with another one that is more than a part of it, so
 * no name can be taken for a longer one.) Properties are sorted; the order of arrays, Maps and Sets counts.
 *
 * Where that is too long for a key, the name and its SHA-256: arguments may come from strangers, who must not be able to
 * find two with one key.
 *
 * Throws a KeyError that names the path of an argument that the codec does not carry: a function, symbol, class instance,
 * or something cyclic.
 */
export function callKey(name: string, args: readonly unknown[]): string {
  const tag = tagger([]);
  const { value, uncarried } = write(args, (item, kind) =>
    // Bytes as numbers in the text: there is no tail.
    item instanceof Uint8Array ? `$${kind} ${item}` : tag(item, kind),
  );
  if (uncarried) {
    throw new KeyError(`${name}: of the arguments, ${uncarried}: give wrap a key function`);
  }
  const key = name + JSON.stringify(value, sorted);
  return isName(key) ? key : `${name}#${sha256(key)}`;
}

/** For JSON.stringify: properties in the order of their names. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value && !Array.isArray(value)
    ? // What an own property of that name holds.
      Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, (value as Record<string, unknown>)[key]]),
      )
    : value;
