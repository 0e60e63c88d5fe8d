// The wire: requests and replies of the store contract to bytes and back, for every store behind a byte channel.
//
// A message is the protocol number (one byte), a head of JSON, a line feed, and the bytes of at most one value as they
// are. JSON holds no raw line feed, so no length is trusted; in the head stands the value's length instead of the value.
import { StoreError } from "../errors.ts";
import type {
  ChangesReply,
  ChangesRequest,
  CommitReply,
  CommitRequest,
  EntryMeta,
  FoundEntry,
  InfoReply,
  LogRecord,
  NewEntry,
  ReadReply,
  ReadRequest,
  ReleaseRequest,
  RenewReply,
  RenewRequest,
  Stamp,
  Witnessed,
  Write,
  WriteReply,
  WriteRequest,
} from "./contract.ts";

/** The version of messages, store names and stored rows. Different numbers never meet. */
export const PROTOCOL = 1;

/** The most partitions a store may have. */
export const MAX_PARTITIONS = 1024;

/** Request and reply of each operation. */
export interface Operations {
  readonly read: readonly [ReadRequest, ReadReply];
  readonly commit: readonly [CommitRequest, CommitReply];
  readonly renew: readonly [RenewRequest, RenewReply];
  readonly release: readonly [ReleaseRequest, Stamp];
  readonly write: readonly [WriteRequest, WriteReply];
  readonly changesSince: readonly [ChangesRequest, ChangesReply];
  readonly info: readonly [Witnessed, InfoReply];
}

/** The name of an operation. */
export type Operation = keyof Operations;
export type RequestOf<Name extends Operation = Operation> = Operations[Name][0];
export type ReplyOf<Name extends Operation = Operation> = Operations[Name][1];

/** One operation, addressed. */
export interface Call<Name extends Operation = Operation> {
  readonly operation: Name;
  /** The partition's index, and how many partitions the caller believes there are. */
  readonly partition: number;
  readonly partitions: number;
  /** The caller heard from partition 0 that this is the number. */
  readonly confirmed: boolean;
  readonly request: RequestOf<Name>;
}

/** What comes back: one of these, or none: then the caller is to ask partition 0 for the number of partitions first. */
export interface Outcome<Name extends Operation = Operation> {
  readonly reply?: ReplyOf<Name>;
  /** The recorded number of partitions, which is not the caller's; nothing was done. */
  readonly moved?: number;
  /** What went wrong. */
  readonly error?: string;
}

/** Checks what came out of JSON; `value` are the bytes after the head. Throws a StoreError. */
type Decoder<T> = (item: unknown, value: Uint8Array) => T;
type Decoders<T> = { readonly [Name in keyof T]-?: Decoder<T[Name]> };

function malformed(what = "malformed"): never {
  throw new StoreError(`The store message is ${what}`);
}

const string: Decoder<string> = (item) => (typeof item === "string" ? item : malformed());
const boolean: Decoder<boolean> = (item) => (typeof item === "boolean" ? item : malformed());
const number: Decoder<number> = (item) => (Number.isFinite(item) ? Number(item) : malformed());
const bytes: Decoder<Uint8Array> = (item, value) => (item === value.length ? value : malformed());

const count: Decoder<number> = (item, value) => {
  const found = number(item, value);
  return Number.isInteger(found) && found > 0 && found <= MAX_PARTITIONS ? found : malformed();
};

const oneOf =
  <T extends string>(...names: readonly T[]): Decoder<T> =>
  (item) =>
    names.find((name) => name === item) ?? malformed();

const optional =
  <T>(decoder: Decoder<T>): Decoder<T | undefined> =>
  (item, value) =>
    item === undefined ? item : decoder(item, value);

const list =
  <T>(decoder: Decoder<T>): Decoder<readonly T[]> =>
  (item, value) =>
    Array.isArray(item) ? item.map((part) => decoder(part, value)) : malformed();

/** Only the fields that the table names, and those that are undefined are left out. */
const record =
  <T>(decoders: Decoders<T>): Decoder<T> =>
  (item, value) => {
    const result: Partial<T> = {};
    for (const name of Object.keys(decoders) as (keyof T)[]) {
      const part = decoders[name](Object(item)[name], value);
      if (part !== undefined) result[name] = part;
    }
    return result as T; // every field was decoded by its own decoder
  };
const position = { epoch: string, seq: number, tip: string };
const meta = () => ({
  ttlMs: number,
  staleWhileRevalidateMs: number,
  staleIfErrorMs: number,
  tags: list(string),
  etag: optional(string),
  lastModified: optional(string),
});

// Marked as pure, so that whoever only asks bundles no requests, and whoever only answers no replies.
const requests = /* @__PURE__ */ ((): { readonly [Name in Operation]: Decoder<RequestOf<Name>> } => {
  const witnessed = { witness: optional(record(position)) };
  const leased = { ...witnessed, key: string, token: string };
  const entry = record<NewEntry>({ ...meta(), bytes });
  const kept = record<EntryMeta & { readonly keep: string }>({ ...meta(), keep: string });
  const keyed = record({ kind: oneOf("delete", "expire"), key: string });
  const tagged = record({ kind: oneOf("tags", "expireTags"), tags: list(string) });
  const set = record({ kind: oneOf("set"), key: string, entry });
  const write: Decoder<Write> = (item, value) => {
    const { kind, tags } = Object(item);
    return (kind === "set" ? set : tags === undefined ? keyed : tagged)(item, value);
  };
  return {
    read: record<ReadRequest>({
      ...witnessed,
      key: string,
      lease: optional(record({ token: string, leaseMs: number, scopes: list(string) })),
      refresh: optional(string),
      hold: optional(string),
      waitMs: number,
    }),
    commit: record<CommitRequest>({
      ...leased,
      epoch: string,
      version: number,
      deadline: optional(number),
      entry: (item, value) => ("keep" in Object(item) ? kept : entry)(item, value),
    }),
    renew: record<RenewRequest>({ ...leased, leaseMs: number }),
    release: record<ReleaseRequest>({ ...leased, backoffMs: number }),
    write: record<WriteRequest>({ ...witnessed, write, nonce: string, deadline: optional(number) }),
    changesSince: record<ChangesRequest>({ ...witnessed, since: record(position) }),
    info: record<Witnessed>(witnessed),
  };
})();

const replies = /* @__PURE__ */ ((): { readonly [Name in Operation]: Decoder<ReplyOf<Name>> } => {
  const stamp = { ...position, time: number };
  const logRecord = record<LogRecord>({
    seq: number,
    nonce: string,
    expire: boolean,
    key: optional(string),
    tags: optional(list(string)),
    agoMs: number,
  });
  return {
    read: record<ReadReply>({
      ...stamp,
      entry: optional(
        record<FoundEntry>({
          ...meta(),
          id: string,
          version: number,
          ageMs: number,
          freshForMs: number,
          bytes: optional(bytes),
        }),
      ),
      lease: optional(record({ version: number })),
      busy: optional(record({ leftMs: number, backoff: boolean })),
    }),
    commit: record<CommitReply>({ ...stamp, outcome: oneOf("stored", "refused"), freshForMs: number }),
    renew: record<RenewReply>({ ...stamp, held: boolean }),
    release: record<Stamp>(stamp),
    write: record<WriteReply>({ ...stamp, record: optional(logRecord) }),
    changesSince: record<ChangesReply>({ ...stamp, records: optional(list(logRecord)) }),
    info: record<InfoReply>({
      ...stamp,
      entries: number,
      bytes: number,
      leases: number,
      tags: number,
      logRecords: number,
    }),
  };
})();

const LINE_FEED = 10;

function encode(message: object): Uint8Array<ArrayBuffer> {
  let value: Uint8Array = new Uint8Array(0);
  const head = JSON.stringify(message, (_, item: unknown) => {
    if (!(item instanceof Uint8Array)) return item;
    value = item;
    return item.length;
  });
  const bytes = new TextEncoder().encode(`${String.fromCharCode(PROTOCOL)}${head}\n`);
  const result = new Uint8Array(bytes.length + value.length);
  result.set(bytes);
  result.set(value, bytes.length);
  return result;
}

function decode<T>(decoder: Decoder<T>, message: Uint8Array): T {
  if (message[0] !== PROTOCOL) malformed(`of protocol ${message[0]}, not ${PROTOCOL}`);
  const end = message.indexOf(LINE_FEED);
  if (end < 0) malformed();
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder(undefined, { fatal: true }).decode(message.subarray(1, end)));
  } catch {
    malformed();
  }
  return decoder(head, message.subarray(end + 1));
}

/** The message of an operation. */
export function encodeCall<Name extends Operation>(call: Call<Name>): Uint8Array<ArrayBuffer> {
  return encode(call);
}

/**
 * Reads what `encodeCall` wrote; throws a StoreError for anything else. Uses time and memory in proportion to the message,
 * and the value is a view of it. All fields are there and of their types, and unknown ones are gone; ranges are not checked.
 */
export function decodeCall(message: Uint8Array): Call {
  return decode((item, value) => {
    const operation = oneOf(...(Object.keys(requests) as Operation[]))(Object(item).operation, value);
    const request = requests[operation];
    return record<Call>({
      operation: () => operation,
      partition: number,
      partitions: count,
      confirmed: boolean,
      request,
    })(item, value);
  }, message);
}

/** The message of an answer. */
export function encodeOutcome<Name extends Operation>(outcome: Outcome<Name>): Uint8Array<ArrayBuffer> {
  return encode(outcome);
}

/** Reads what `encodeOutcome` wrote for this operation; the same rules as `decodeCall`. */
export function decodeOutcome<Name extends Operation>(operation: Name, message: Uint8Array): Outcome<Name> {
  const reply = optional(replies[operation]);
  return decode(record<Outcome<Name>>({ reply, moved: optional(count), error: optional(string) }), message);
}
