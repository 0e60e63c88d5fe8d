// What the script answers, read back into the replies of the store contract.
import { StoreError } from "../../errors.ts";
import type { FoundEntry, LogRecord, Stamp } from "../contract.ts";
import type { Step } from "./requests.ts";
import { END } from "./script-facts.ts";
import { fromText } from "./text.ts";
import type { RedisReply } from "./transport.ts";

/** A reply as the store's callers know it, or why this operation was not done; and the server's incarnation, if told. */
export interface Decoded {
  readonly reply: Stamp | { readonly error: string };
  readonly incarnation: string;
}

const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** The text of a reply; of none: "". Some clients take a text for a number where the number has that very text. */
export const textOf = (reply: RedisReply | undefined): string =>
  reply instanceof Uint8Array ? decoder.decode(reply) : /str|num/.test(typeof reply) ? String(reply) : "";

function numberOf(text: string | undefined): number {
  const number = Number(text || NaN);
  if (Number.isNaN(number)) throw new StoreError("The reply of Redis is malformed");
  return number;
}

const sinceMs = (at: string | undefined, time: number): number => Math.max(0, time - numberOf(at));

function entryOf(text: string, freshForMs: number, bytes: RedisReply | undefined, time: number): FoundEntry {
  const [, id = "", ttlMs, swrMs, sieMs, etag = "", lastModified = "", ...tags] = text.split("\n");
  tags.pop(); // each has its end
  return {
    id: fromText(id.slice(1)),
    version: numberOf(text.slice(0, 16)),
    ageMs: sinceMs(text.slice(16, 32), time),
    freshForMs,
    ttlMs: numberOf(ttlMs),
    staleWhileRevalidateMs: numberOf(swrMs),
    staleIfErrorMs: numberOf(sieMs),
    tags: tags.map(fromText),
    ...(etag && { etag: fromText(etag.slice(1)) }),
    ...(lastModified && { lastModified: fromText(lastModified.slice(1)) }),
    // Copied, as what a client hands out may be a view of its buffer.
    ...(bytes instanceof Uint8Array && { bytes: new Uint8Array(bytes) }),
  };
}

/** A record of the log, as the script writes it, at that time of the server. Throws a StoreError if it is none. */
export function recordOf(text: string, time: number): LogRecord {
  const [seq, nonce = "", at, expire, kind, ...what] = text.split("\n");
  what.pop();
  const [key = "", ...tags] = what.map(fromText);
  return {
    seq: numberOf(seq),
    nonce: fromText(nonce),
    expire: expire === "1",
    agoMs: sinceMs(at, time),
    ...(kind === "k" ? { key } : { tags: what.length > 0 ? [key, ...tags] : [] }),
  };
}

/** What an operation answers besides the position. */
function bodyOf(
  operation: Step["operation"] | undefined,
  rest: readonly string[],
  text: RedisReply | undefined,
  bytes: RedisReply | undefined,
  time: number,
): object | undefined {
  const [first = "", second, third, fourth] = rest;
  switch (operation) {
    case "read":
      return {
        ...(first && { entry: entryOf(textOf(text), numberOf(first), bytes, time) }),
        ...(second && { lease: { version: numberOf(second) } }),
        ...(third && { busy: { leftMs: numberOf(third), backoff: fourth === "" } }),
      };
    case "commit":
      return { outcome: first ? "stored" : "refused", freshForMs: numberOf(first || "0") };
    case "renew":
      return { held: first === "1" };
    case "write":
      return text ? { record: recordOf(textOf(text), time) } : {};
    case "changesSince": {
      const records = textOf(text);
      const texts = records === "" ? [] : records.split("\r");
      return first ? { records: texts.map((record) => recordOf(record, time)) } : {};
    }
    case "info": {
      const [entries, size, leases, tags, logRecords] = rest.map(Number);
      return { entries, bytes: size, leases, tags, logRecords };
    }
    default:
      return undefined; // nothing but the position
  }
}

/** Reads the reply of one operation. Throws a StoreError if it is not what the script gives. */
export function decodeStep(operation: Step["operation"] | undefined, reply: RedisReply | undefined): Decoded {
  const [position, left, result, text, bytes] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
  const [epoch = "", seq, tip = "", incarnation = ""] = textOf(position).split("\n");
  const line = textOf(result);
  if (epoch === "error") return { reply: { error: line }, incarnation };
  const stamp = { epoch, seq: numberOf(seq), tip: fromText(tip), time: END - Number(left) };
  return { reply: { ...stamp, ...bodyOf(operation, line.split("\n"), text, bytes, stamp.time) }, incarnation };
}
