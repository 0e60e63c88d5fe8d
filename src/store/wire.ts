// The wire: requests and replies of the store contract to bytes and back, for every store behind a byte channel.
//
// A message is the protocol number (1 byte), the length of the head (4 bytes, big-endian), the head (JSON), and a value's
// bytes as they are. Records travel as arrays in the order of the tables below: to change a table is to change PROTOCOL.
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
  Position,
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

/** Request and reply of each operation. `hello` asks for nothing but the agreement on the number of partitions. */
export interface Operations {
  readonly read: readonly [ReadRequest, ReadReply];
  readonly commit: readonly [CommitRequest, CommitReply];
  readonly renew: readonly [RenewRequest, RenewReply];
  readonly release: readonly [ReleaseRequest, Stamp];
  readonly write: readonly [WriteRequest, WriteReply];
  readonly changesSince: readonly [ChangesRequest, ChangesReply];
  readonly info: readonly [Witnessed, InfoReply];
  readonly hello: readonly [Witnessed, Witnessed];
}

/** The name of an operation. */
export type Operation = keyof Operations;

/** One operation, addressed. */
export interface Call<Name extends Operation = Operation> {
  readonly operation: Name;
  /** The partition's index, and how many partitions the caller believes there are. */
  readonly partition: number;
  readonly partitions: number;
  /** The caller heard from partition 0 that this is the number. */
  readonly confirmed: boolean;
  readonly request: Operations[Name][0];
}

/** What comes back: `moved` is the recorded number of partitions; `unconfirmed` asks the caller to ask partition 0. */
export type Outcome<Name extends Operation = Operation> =
  | { readonly kind: "reply"; readonly reply: Operations[Name][1] }
  | { readonly kind: "moved"; readonly partitions: number }
  | { readonly kind: "unconfirmed" }
  | { readonly kind: "error"; readonly message: string };

/** The direction of a conversion, and the bytes that travel beside the head. */
interface Channel {
  readonly packing: boolean;
  bytes: Uint8Array;
}

/** Converts a checked value of type T to what JSON carries, or back; throws a StoreError for anything else. */
interface Field<T> {
  (value: unknown, channel: Channel): unknown;
  readonly carries?: T;
}

type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

const NOTHING = new Uint8Array(0);
const HEAD_AT = 5;

function malformed(what = "malformed"): never {
  throw new StoreError(`The store message is ${what}`);
}

const string: Field<string> = (value) => (typeof value === "string" ? value : malformed());
const number: Field<number> = (value) => (Number.isFinite(value) ? value : malformed());
const boolean: Field<boolean> = (value) => (typeof value === "boolean" ? value : malformed());

/** An integer from `least` to `most`. */
const integer =
  (least: number, most: number): Field<number> =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? value : malformed();

/** A value's bytes: in the head only their length. */
const bytes: Field<Uint8Array> = (value, channel) => {
  if (channel.packing) {
    channel.bytes = value instanceof Uint8Array ? value : malformed();
    return channel.bytes.length;
  }
  const found = channel.bytes;
  channel.bytes = NOTHING;
  return value === found.length ? found : malformed();
};

const optional =
  <T>(field: Field<T>): Field<T | undefined> =>
  (value, channel) =>
    value === undefined || value === null ? undefined : field(value, channel);

const list =
  <T>(field: Field<T>): Field<readonly T[]> =>
  (value, channel) =>
    Array.isArray(value) ? value.map((item) => field(item, channel)) : malformed();

/** A record: an array of its fields in the table's order. A field that is undefined is left out when unpacked. */
function record<T>(fields: Fields<T>): Field<T> {
  const entries: [string, Field<unknown>][] = Object.entries(fields);
  return (value, channel) => {
    if (channel.packing) {
      const source = Object(value) as Record<string, unknown>; // only read, and every field is checked
      return entries.map(([name, field]) => field(source[name], channel));
    }
    if (!Array.isArray(value) || value.length !== entries.length) return malformed();
    const result: Record<string, unknown> = {};
    entries.forEach(([name, field], index) => {
      const item = field(value[index], channel);
      if (item !== undefined) result[name] = item;
    });
    return result;
  };
}

/** A union told apart by its first field, `tag`. */
const variant =
  <T>(tag: string, table: Readonly<Record<string, Field<unknown>>>): Field<T> =>
  (value, channel) => {
    const name: unknown = channel.packing ? Object(value)[tag] : Array.isArray(value) && value[0];
    const field = typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined;
    return field === undefined ? malformed() : field(value, channel);
  };

const position: Fields<Position> = { epoch: string, seq: number, tip: string };
const stamp: Fields<Stamp> = { ...position, time: number };
const witnessed: Fields<Witnessed> = { witness: optional(record(position)) };
const leased = { ...witnessed, key: string, token: string };
const meta: Fields<EntryMeta> = {
  ttlMs: number,
  staleWhileRevalidateMs: number,
  staleIfErrorMs: number,
  tags: list(string),
  etag: optional(string),
  lastModified: optional(string),
};
const left = { freshForMs: number, revalidateForMs: number, errorForMs: number };
const logRecord = record<LogRecord>({
  seq: number,
  nonce: string,
  expire: boolean,
  key: optional(string),
  tags: optional(list(string)),
  agoMs: number,
});
const newEntry = record<NewEntry>({ ...meta, bytes });
const keptEntry = record<EntryMeta & { readonly keep: string }>({ ...meta, keep: string });
const found = record<FoundEntry>({
  ...meta,
  id: string,
  version: number,
  ageMs: number,
  ...left,
  bytes: optional(bytes),
});

/** Told apart by the last field: the id to keep, or the length of the bytes. */
const committed: Field<CommitRequest["entry"]> = (value, channel) => {
  const keeps = channel.packing ? "keep" in Object(value) : Array.isArray(value) && typeof value.at(-1) === "string";
  return (keeps ? keptEntry : newEntry)(value, channel);
};

const keyed = record({ kind: string, key: string });
const tagged = record({ kind: string, tags: list(string) });
const write = variant<Write>("kind", {
  set: record({ kind: string, key: string, entry: newEntry }),
  delete: keyed,
  expire: keyed,
  tags: tagged,
  expireTags: tagged,
});
const outcome: Field<CommitReply["outcome"]> = (value) =>
  value === "stored" || value === "refused" ? value : malformed();

const partitions = integer(1, MAX_PARTITIONS);
const kind = string;
const refusals = {
  moved: record({ kind, partitions }),
  unconfirmed: record({ kind }),
  error: record({ kind, message: string }),
};

/** The messages of an operation. */
const messages = <Request, Reply>(request: Field<Request>, reply: Field<Reply>) => ({
  call: record({
    operation: string,
    partition: integer(0, MAX_PARTITIONS - 1),
    partitions,
    confirmed: boolean,
    request,
  }),
  outcome: variant<Outcome>("kind", { ...refusals, reply: record({ kind, reply }) }),
});

type Messages<Name extends Operation> = ReturnType<typeof messages<Operations[Name][0], Operations[Name][1]>>;

const operations: { readonly [Name in Operation]: Messages<Name> } = {
  read: messages(
    record<ReadRequest>({
      ...witnessed,
      key: string,
      lease: optional(record({ token: string, leaseMs: number, scopes: list(string) })),
      refresh: optional(string),
      hold: optional(string),
      waitMs: number,
    }),
    record<ReadReply>({
      ...stamp,
      entry: optional(found),
      lease: optional(record({ version: number })),
      busy: optional(record({ leftMs: number, backoff: boolean })),
    }),
  ),
  commit: messages(
    record<CommitRequest>({ ...leased, epoch: string, version: number, deadline: optional(number), entry: committed }),
    record<CommitReply>({ ...stamp, outcome, ...left }),
  ),
  renew: messages(
    record<RenewRequest>({ ...leased, leaseMs: number }),
    record<RenewReply>({ ...stamp, held: boolean }),
  ),
  release: messages(record<ReleaseRequest>({ ...leased, backoffMs: number }), record(stamp)),
  write: messages(
    record<WriteRequest>({ ...witnessed, write, nonce: string, deadline: optional(number) }),
    record<WriteReply>({ ...stamp, record: optional(logRecord) }),
  ),
  changesSince: messages(
    record<ChangesRequest>({ ...witnessed, since: record(position) }),
    record<ChangesReply>({ ...stamp, records: optional(list(logRecord)) }),
  ),
  info: messages(
    record(witnessed),
    record<InfoReply>({ ...stamp, entries: number, bytes: number, leases: number, tags: number, logRecords: number }),
  ),
  hello: messages(record(witnessed), record(witnessed)),
};

const calls = variant<Call>(
  "operation",
  Object.fromEntries(Object.entries(operations).map(([name, { call }]) => [name, call])),
);

function encode<T>(field: Field<T>, value: T): Uint8Array<ArrayBuffer> {
  const channel: Channel = { packing: true, bytes: NOTHING };
  const head = new TextEncoder().encode(JSON.stringify(field(value, channel)));
  const message = new Uint8Array(HEAD_AT + head.length + channel.bytes.length);
  message[0] = PROTOCOL;
  new DataView(message.buffer).setUint32(1, head.length);
  message.set(head, HEAD_AT);
  message.set(channel.bytes, HEAD_AT + head.length);
  return message;
}

function decode<T>(field: Field<T>, message: Uint8Array): T {
  if (message[0] !== PROTOCOL) malformed(`of protocol ${message[0]}, not ${PROTOCOL}`);
  if (message.length < HEAD_AT) malformed();
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const endAt = HEAD_AT + view.getUint32(1);
  if (endAt > message.length) malformed();
  const channel: Channel = { packing: false, bytes: message.subarray(endAt) };
  const value = field(parse(message.subarray(HEAD_AT, endAt)), channel);
  if (channel.bytes.length > 0) malformed();
  return value as T; // the tables are typed by T and every field was checked
}

function parse(head: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(head));
  } catch {
    return malformed();
  }
}

/** The message of an operation. Throws a StoreError if a field is not of its type. */
export function encodeCall(call: Call): Uint8Array<ArrayBuffer> {
  return encode(calls, call);
}

/**
 * Reads what `encodeCall` wrote. Throws a StoreError for anything else; uses time and memory in proportion to the message.
 * Types, lengths and the partition numbers are checked, the sense of the request is not. Values are views of the message.
 */
export function decodeCall(message: Uint8Array): Call {
  return decode(calls, message);
}

/** The message of an answer. */
export function encodeOutcome<Name extends Operation>(operation: Name, result: Outcome<Name>): Uint8Array<ArrayBuffer> {
  return encode<Outcome>(operations[operation].outcome, result);
}

/** Reads what `encodeOutcome` wrote for this operation; the same rules as `decodeCall`. */
export function decodeOutcome<Name extends Operation>(operation: Name, message: Uint8Array): Outcome<Name> {
  return decode<Outcome>(operations[operation].outcome, message) as Outcome<Name>; // by the operation's own table
}
