// The default codec: JSON at its own price for plain values, and tags for what JSON cannot say.
import { CodecError } from "../errors.ts";
import type { Codec } from "./contract.ts";
import { frame, unframe } from "./frame.ts";
import { tagger, untagged } from "./tags.ts";
import { write } from "./walk.ts";

const failure = (what: string, cause: unknown): CodecError =>
  cause instanceof CodecError ? cause : new CodecError(what, { cause });

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
      try {
        const tail: Uint8Array[] = [];
        const written = hint?.plain ? undefined : write(value, tagger(tail));
        if (written?.uncarried) throw new CodecError(written.uncarried);
        if (!written || written.plain) return frame("j", [encoder.encode(JSON.stringify(value))]);
        return frame("x", [encoder.encode(JSON.stringify(written.value)), new Uint8Array(1), ...tail]);
      } catch (cause) {
        throw failure("the value cannot be read", cause);
      }
    },
    decode(bytes) {
      try {
        const { format, body } = unframe(bytes, ["j", "x"]);
        const end = format === "j" ? body.length : body.indexOf(0);
        const value: unknown = JSON.parse(decoder.decode(body.subarray(0, end)));
        return format === "j" ? value : untagged(value, body.subarray(end + 1));
      } catch (cause) {
        throw failure("the bytes are corrupt", cause);
      }
    },
  };
}
