// isocache/msgpack: MessagePack by msgpackr, for smaller values; what MessagePack cannot say is tagged as in the JSON codec.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- a package without types; an import cannot name them
/// <reference path="./msgpackr.d.ts" />
import { Packr, Unpackr } from "msgpackr/index-no-eval";
import { CodecError } from "../errors.ts";
import { each, oneOf } from "../options/parse.ts";
import type { Codec } from "./contract.ts";
import { BODY, concat, formatOf, MESSAGE_PACK } from "./frame.ts";
import { jsonCodec } from "./json.ts";
import { scan } from "./msgpack-scan.ts";
import { tagger, untagged } from "./tags.ts";
import { write } from "./walk.ts";

/** The options of `msgpackCodec`. */
export interface MsgpackOptions {
  /**
   * What is written; both are read. Default: "msgpack". "json" is for changing from one to the other without misses: first
   * every instance reads both, then they write the other.
   */
  readonly writes?: "msgpack" | "json" | undefined;
}

// msgpackr reads strings with a decoder that drops a byte order mark and knows no lone surrogates, renames keys `__proto__`, and
// takes an object for a class instance by its key `constructor`. What begins with `$"` is JSON of such a string or key.
const UNSAFE_TEXT = /^\uFEFF|\p{Surrogate}/u;
const UNSAFE_KEY = /^\uFEFF|\p{Surrogate}|^\$"|^(__proto__|constructor)$/u;
const escape = (text: string): string => "$" + JSON.stringify(text);
const isEscaped = (text: string): boolean => text.startsWith('$"');
const unescape = (text: string): string => {
  const inner: unknown = JSON.parse(text.slice(1));
  return typeof inner === "string" ? inner : "";
};

/** No more memory than this stays in use between calls. */
const KEPT_BYTES = 0x10_0000;

/** A copy of a tree in which keys, and text that is no key, are what these make of them; in place where that is all. */
function mapText(node: unknown, key: (key: string) => string, text: (text: string) => string): unknown {
  if (typeof node === "string") return text(node);
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) {
    for (let i = 0; i < node.length; i++) node[i] = mapText(node[i], key, text);
    return node;
  }
  // Object.fromEntries defines what it is given: `__proto__` too becomes a key like any other.
  return Object.fromEntries(Object.entries(node).map(([name, item]) => [key(name), mapText(item, key, text)]));
}

const toKey = (key: string): string => (UNSAFE_KEY.test(key) ? escape(key) : key);
const toText = (text: string): string => (UNSAFE_TEXT.test(text) ? escape(text) : text);
const fromText = (text: string): string => (isEscaped(text) ? unescape(text) : text);

/**
 * A codec that writes MessagePack: lists of objects of one shape take less than half of the bytes of the default codec, since
 * their keys are written once. It carries exactly what `jsonCodec` carries and reads what that wrote. Synchronous. It
 * needs the package msgpackr, of which it uses the build without eval, so that it runs on Workers; it adds none of
 * msgpackr's extensions, which would be global.
 */
export function msgpackCodec(options: MsgpackOptions = {}): Codec {
  const json = jsonCodec();
  let writes: MsgpackOptions["writes"] = "msgpack";
  each("msgpackCodec", options, { writes: oneOf("msgpack", "json") }, () => void ({ writes } = options));
  const magic = new TextEncoder().encode(MESSAGE_PACK);
  return {
    name: "msgpack",
    encode(value, hint) {
      if (writes === "json") return json.encode(value, hint);
      const tail: Uint8Array[] = [];
      const written = write(value, tagger(tail));
      if (written.uncarried !== undefined) throw new CodecError(written.uncarried);
      // Made anew each time: it would remember the keys of every shape it ever saw.
      const packr = new Packr();
      const packed = packr.pack(mapText(written.value, toKey, toText));
      const bytes = concat([magic, packed, ...tail]);
      // All packrs write into one buffer, which grows and never shrinks: give it back. `slice` makes one of its own kind.
      if (packed.buffer.byteLength > KEPT_BYTES)
        packr.useBuffer(Uint8Array.prototype.slice.call(packed, 0, KEPT_BYTES));
      return bytes;
    },
    decode(bytes, place) {
      if (formatOf(bytes) !== MESSAGE_PACK) return json.decode(bytes, place);
      try {
        const { end, marked } = scan(bytes, BODY);
        const tree = new Unpackr().unpack(bytes.subarray(BODY, end));
        if (!marked && end === bytes.length) return tree;
        return untagged(mapText(tree, fromText, fromText), bytes.subarray(end));
      } catch (cause) {
        throw new CodecError("the bytes are corrupt", { cause });
      }
    },
  };
}
