// Replies that came as text: what the prelude for them did to values, undone.
import type { RedisReply } from "./transport.ts";

/** The bytes of what is a value. Nothing else that the script answers begins with its sign. */
export function fromTextReply(reply: unknown): RedisReply {
  if (Array.isArray(reply)) return reply.map(fromTextReply);
  if (typeof reply !== "string" || !reply.startsWith("=")) return reply as string | number | null; // all that is left
  return Uint8Array.from(reply.slice(1), (character) => character.charCodeAt(0));
}
