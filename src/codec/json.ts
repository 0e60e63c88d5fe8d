// The default codec: JSON at its own price for plain values, and tags for what JSON cannot say.
import { CodecError } from "../errors.ts";
import type { Codec } from "./contract.ts";
import { BODY, concat, formatOf, PLAIN, TAGGED } from "./frame.ts";
import { tagger, untagged } from "./tags.ts";
import { write } from "./walk.ts";

/**
 * The default codec, synchronous. It carries what `hold` carries (see there for holes, prototypes and subclasses).
 * The body of a plain value is exactly JSON.stringify's text; with `hint.plain` it is not looked at before that.
 */
export function jsonCodec(): Codec {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return {
    name: "json",
    encode(value, hint) {
      const tail: Uint8Array[] = [];
      const written = hint?.plain ? undefined : write(value, tagger(tail));
      if (written?.uncarried) throw new CodecError(written.uncarried);
      try {
        return !written || written.plain
          ? encoder.encode(PLAIN + JSON.stringify(value))
          : concat([encoder.encode(`${TAGGED}${JSON.stringify(written.value)}\0`), ...tail]);
      } catch (cause) {
        throw new CodecError("the value cannot be read", { cause });
      }
    },
    decode(bytes) {
      const format = formatOf(bytes);
      if (format !== PLAIN && format !== TAGGED) throw new CodecError("unknown format");
      try {
        const end = format === PLAIN ? bytes.length : bytes.indexOf(0, BODY);
        const value: unknown = JSON.parse(decoder.decode(bytes.subarray(BODY, end)));
        return format === PLAIN ? value : untagged(value, bytes.subarray(end + 1));
      } catch (cause) {
        throw new CodecError("the bytes are corrupt", { cause });
      }
    },
  };
}
