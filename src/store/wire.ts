// The wire: requests and replies of the store contract to bytes and back, for every store behind a byte channel.
//
// A message is the protocol number (one byte), a head of JSON, a line feed, and the bytes of the values as they are, one
// after the other. JSON holds no raw line feed; in the head stands each value's length instead of the value.
import type {
  BatchItem,
  BatchItemReply,
  BatchReply,
  BatchRequest,
  ChangesReply,
  ChangesRequest,
  CommitReply,
  CommitRequest,
  InfoReply,
  LogRecord,
  Position,
  ReadReply,
  ReadRequest,
  ReleaseRequest,
  RenewReply,
  RenewRequest,
  Stamp,
  Witnessed,
  WriteReply,
  WriteRequest,
} from "./contract.ts";
import { BYTES, malformed, pick, shaped } from "./shape.ts";
import type { Shape } from "./shape.ts";

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
  readonly batch: readonly [BatchRequest, BatchReply];
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

const POSITION = { epoch: "", seq: 0, tip: "" } as const satisfies Shape<Position>;
/** Windows and labels of an entry. */
export const META = {
  ttlMs: 0,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  tags: [""],
  "etag?": "",
  "lastModified?": "",
} as const;

const count = (item: unknown): 0 =>
  Number.isInteger(item) && Number(item) > 0 && Number(item) <= MAX_PARTITIONS ? 0 : malformed();

type Shapes<Side extends 0 | 1> = { readonly [Name in Operation]: Shape<Operations[Name][Side]> };

// Marked as pure, so that whoever only asks bundles no requests, and whoever only answers no replies.
const requests = /* @__PURE__ */ ((): Shapes<0> => {
  const witnessed = { "witness?": POSITION };
  const leased = { ...witnessed, key: "", token: "" } as const;
  const entry = { ...META, bytes: BYTES } as const;
  const kept = { ...META, keep: "" } as const;
  const keyed = { kind: "", key: "" } as const;
  const tagged = { kind: "", tags: [""] } as const;
  const writes = { set: { ...keyed, entry }, delete: keyed, expire: keyed, tags: tagged, expireTags: tagged };
  const single: Omit<Shapes<0>, "batch" | "changesSince" | "info"> = {
    read: {
      ...witnessed,
      key: "",
      "lease?": { token: "", leaseMs: 0, scopes: [""] },
      "refresh?": "",
      "hold?": "",
      waitMs: 0,
    },
    commit: {
      ...leased,
      epoch: "",
      version: 0,
      "deadline?": 0,
      entry: (item) => ("keep" in Object(item) ? kept : entry),
    },
    renew: { ...leased, leaseMs: 0 },
    release: { ...leased, backoffMs: 0 },
    write: { ...witnessed, write: (item) => pick(writes, Object(item).kind), nonce: "", "deadline?": 0 },
  };
  const item = (given: unknown): Shape<BatchItem> =>
    // The request is of the shape that the operation names, which the compiler does not see.
    ({ operation: "", request: pick(single, Object(given).operation) }) as unknown as Shape<BatchItem>;
  return {
    ...single,
    batch: { ...witnessed, items: [item] },
    changesSince: { ...witnessed, since: POSITION },
    info: witnessed,
  };
})();

const replies = /* @__PURE__ */ ((): Omit<Shapes<1>, "batch"> => {
  const stamp = { ...POSITION, time: 0 } as const;
  const record: Shape<LogRecord> = { seq: 0, nonce: "", expire: true, "key?": "", "tags?": [""], agoMs: 0 };
  return {
    read: {
      ...stamp,
      "entry?": { ...META, id: "", version: 0, ageMs: 0, freshForMs: 0, "bytes?": BYTES },
      "lease?": { version: 0 },
      "busy?": { leftMs: 0, backoff: true },
    },
    commit: { ...stamp, outcome: (item) => pick({ stored: "", refused: "" }, item), freshForMs: 0 },
    renew: { ...stamp, held: true },
    release: stamp,
    write: { ...stamp, "record?": record },
    changesSince: { ...stamp, "records?": [record] },
    info: { ...stamp, entries: 0, bytes: 0, leases: 0, tags: 0, logRecords: 0 },
  };
})();

const LINE_FEED = 10;

function encode(message: object): Uint8Array<ArrayBuffer> {
  const values: Uint8Array[] = [];
  const head = JSON.stringify(message, (_, item: unknown) => {
    if (!(item instanceof Uint8Array)) return item;
    values.push(item);
    return item.length;
  });
  const bytes = new TextEncoder().encode(`${String.fromCharCode(PROTOCOL)}${head}\n`);
  const result = new Uint8Array(values.reduce((length, value) => length + value.length, bytes.length));
  let at = 0;
  for (const part of [bytes, ...values]) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function decode<T>(shape: Shape<T>, message: Uint8Array): T {
  if (message[0] !== PROTOCOL) malformed(`of protocol ${message[0]}, not ${PROTOCOL}`);
  const end = message.indexOf(LINE_FEED);
  if (end < 0) malformed();
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message.subarray(1, end)));
  } catch {
    malformed();
  }
  return shaped(shape, head, message.subarray(end + 1));
}

/** The message of an operation. */
export const encodeCall: <Name extends Operation>(call: Call<Name>) => Uint8Array<ArrayBuffer> = encode;

/**
 * Reads what `encodeCall` wrote; throws a StoreError for anything else. Uses time and memory in proportion to the message,
 * and the value is a view of it. All fields are there and of their types, and unknown ones are gone; ranges are not checked.
 */
export function decodeCall(message: Uint8Array): Call {
  return decode<Call>(
    (call) => ({
      operation: "",
      partition: 0,
      partitions: count,
      confirmed: true,
      request: pick(requests, Object(call).operation),
    }),
    message,
  );
}

/** The message of an answer. */
export const encodeOutcome: <Name extends Operation>(outcome: Outcome<Name>) => Uint8Array<ArrayBuffer> = encode;

/** The shape of what answers these, each reply of the shape that its own operation has. */
function batchReply(items: readonly BatchItem[]): Shape<BatchReply> {
  let next = 0;
  const one = (reply: unknown): Shape<BatchItemReply> => {
    const item = items[next++] ?? malformed();
    return ("error" in Object(reply) ? { error: "" } : replies[item.operation]) as Shape<BatchItemReply>; // one of them
  };
  return { replies: [one] };
}

/**
 * Reads what `encodeOutcome` wrote for this operation, and for these items if it is a batch; the same rules as `decodeCall`.
 */
export function decodeOutcome<Name extends Operation>(
  operation: Name,
  message: Uint8Array,
  items: readonly BatchItem[] = [],
): Outcome<Name> {
  const reply: unknown = operation === "batch" ? batchReply(items) : replies[operation as keyof typeof replies];
  // Shapes by name, which the compiler does not follow.
  return decode({ "reply?": reply, "moved?": count, "error?": "" } as unknown as Shape<Outcome<Name>>, message);
}
