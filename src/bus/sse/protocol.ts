// What the hub and its clients agree on. The hub numbers the events of a channel; an id is its incarnation and a number.
//
// GET  ?channel=  Accept: text/event-stream, Last-Event-ID  ->  200 and a stream, of which the first event is
//                 "resumed": what came after the last event follows, or "reset": it cannot; data: keep-alive in ms.
//                 Its id is where the stream begins. Then "message" events: a frame each, in base64; and comments.
// POST ?channel=  application/octet-stream: one frame  ->  204
import { MAX_FRAME_BYTES } from "../frame.ts";

export const EVENT_STREAM = "text/event-stream";
export const BYTES = "application/octet-stream";
export const RESET = "reset";
export const RESUMED = "resumed";

/** Characters of the longest event: a frame in base64, and its fields. */
export const MAX_EVENT_LENGTH = Math.ceil(MAX_FRAME_BYTES / 3) * 4 + 256;
/** Characters of a channel, which is a part of an address. */
export const MAX_CHANNEL_LENGTH = 4_096;

/** What travels as a bearer token, or as one's channel: printable ASCII without blanks. */
export const isWord = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

/** So many arguments every runtime takes. */
const CHUNK = 8_192;

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

/** Throws if it is none. */
export const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
