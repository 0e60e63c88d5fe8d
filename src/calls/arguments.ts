// The key of a call: the name of what is called, and its arguments in a text that no other arguments have.
import { tagger } from "../codec/tags.ts";
import { write } from "../codec/walk.ts";
import { KeyError } from "../errors.ts";

/**
 * The name, and the arguments as a JSON array with the tags of the default codec: so two calls have one key only if they
 * have the same name and equal arguments. (A JSON array does not end with another one that is more than a part of it, so
 * no name can be taken for a longer one.) Properties are sorted; the order of arrays, Maps and Sets counts.
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
  return name + JSON.stringify(value, sorted);
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
