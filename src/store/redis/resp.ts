// Replies in RESP2, as Redis writes those of scripts that answer no statuses.
import type { RedisReply } from "./transport.ts";

/** What one command came to. */
export type Outcome = RedisReply | Error;

/** Worth another try. */
export const malformed = (): Error => new Error("The answer is cut or malformed");

const decoder = new TextDecoder();

/** All replies, in their order. Throws an Error if the last one is not there as a whole, or they are something else. */
export function parseReplies(bytes: Uint8Array): Outcome[] {
  let at = 0;
  const parse = (): Outcome => {
    const end = bytes.indexOf(13, at);
    const [kind = "", ...rest] = end < 0 ? "" : decoder.decode(bytes.subarray(at, end));
    const text = rest.join("");
    const size = Number(text);
    at = end + 2;
    switch (kind) {
      case "-":
        return new Error(text);
      case ":":
        return size;
      case "*":
        return size < 0 ? null : Array.from({ length: size }, () => parse() as RedisReply); // no errors in there
      case "$":
        if (size < 0) return null;
        at += size + 2;
        if (at <= bytes.length) return bytes.subarray(at - size - 2, at - 2);
    }
    throw malformed();
  };
  const replies: Outcome[] = [];
  while (at < bytes.length) replies.push(parse());
  return replies;
}
