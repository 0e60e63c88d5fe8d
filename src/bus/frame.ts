// A frame: the messages that one instance sends to the others at once, as bytes.
//
// frame     = protocol, source, number, sentAt, how many messages, messages; the protocol is one byte
// message   = length of what follows, kind, body; the kind is one byte
// records   = partition, partitions, epoch, records
// record    = what it covers, seq, nonce, agoMs, and a key, or how many tags and these; what it covers is one byte
// heartbeat = partitions, positions
// position  = partition, epoch, seq, tip
//
// Everything else is a number or a text (bytes.ts). Records and positions go on to the end of their message.
import { RESERVED_TAG } from "../store/contract.ts";
import type { LogRecord } from "../store/contract.ts";
import { PROTOCOL } from "../store/wire.ts";
import { malformed, readByte, readBytes, readFields, readNumber, readText } from "./bytes.ts";
import { writeBytes, writeFields, writeNumber, writeText } from "./bytes.ts";
import type { Cursor, Fields } from "./bytes.ts";
import type { BusMessage, HeartbeatMessage, RecordsMessage } from "./contract.ts";

/** What an instance sends at once. */
export interface Frame {
  /** The instance that sends it. */
  readonly source: string;
  /** Counts the frames of the source. From 0 to 2^53 - 1. */
  readonly number: number;
  /** Whole milliseconds of the sender's wall clock, not negative. */
  readonly sentAt: number;
  readonly messages: readonly BusMessage[];
}

/** A frame that came. */
export interface ReceivedFrame extends Frame {
  /** How many messages were left out, because their kind is not known here: the sender is newer. */
  readonly unknown: number;
}

/** The longest frame, a signature included. */
export const MAX_FRAME_BYTES = 65_536;

/** What a signed frame begins with, in the place of the protocol number. */
export const SIGNED = 255;

const RECORDS = 1;
const HEARTBEAT = 2;

// What a record covers; plus one if it expires.
const KEY = 0;
const TAGS = 2;
/** Reserved tags only, and without the character they begin with: a clear. */
const RESERVED = 4;

const HEAD: Fields<Omit<Frame, "messages">> = { source: "", number: 0, sentAt: 0 };
const RECORDS_HEAD: Fields<Omit<RecordsMessage, "kind" | "records">> = { partition: 0, partitions: 0, epoch: "" };
const HEARTBEAT_HEAD: Fields<Pick<HeartbeatMessage, "partitions">> = { partitions: 0 };
const POSITION: Fields<HeartbeatMessage["positions"][number]> = { partition: 0, epoch: "", seq: 0, tip: "" };
const RECORD: Fields<Pick<LogRecord, "seq" | "nonce" | "agoMs">> = { seq: 0, nonce: "", agoMs: 0 };

function writeRecord(out: number[], record: LogRecord): void {
  const { key, tags = [] } = record;
  const isClear = tags.every((tag) => tag.startsWith(RESERVED_TAG));
  const covers = key !== undefined ? KEY : isClear ? RESERVED : TAGS;
  out.push(covers + Number(record.expire));
  writeFields(out, RECORD, record);
  if (key !== undefined) return writeText(out, key);
  writeNumber(out, tags.length);
  for (const tag of tags) writeText(out, isClear ? tag.slice(RESERVED_TAG.length) : tag);
}

function encodeMessage(message: BusMessage): number[] {
  const body: number[] = [];
  if (message.kind === "records") {
    body.push(RECORDS);
    writeFields(body, RECORDS_HEAD, message);
    for (const record of message.records) writeRecord(body, record);
  } else {
    body.push(HEARTBEAT);
    writeFields(body, HEARTBEAT_HEAD, message);
    for (const position of message.positions) writeFields(body, POSITION, position);
  }
  const out: number[] = [];
  writeNumber(out, body.length);
  writeBytes(out, body);
  return out;
}

function encodeHead(frame: Omit<Frame, "messages">, messages: number): number[] {
  const out = [PROTOCOL];
  writeFields(out, HEAD, frame);
  writeNumber(out, messages);
  return out;
}

/** How many bytes of a frame a message takes. */
export const messageBytes = (message: BusMessage): number => encodeMessage(message).length;

/** How many bytes the frames of a source have besides their messages, at most. */
export function headBytes(source: string): number {
  return encodeHead({ source, number: Infinity, sentAt: Infinity }, MAX_FRAME_BYTES).length;
}

/** Throws a BusError if there are more bytes than a frame may have. */
export function checkLength({ length }: ArrayLike<number>): void {
  if (length > MAX_FRAME_BYTES) malformed(`${length} bytes, more than ${MAX_FRAME_BYTES}`);
}

/** The bytes of a frame. Throws a BusError if they are more than a frame may have: `splitMessage` prevents it. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const out = encodeHead(frame, frame.messages.length);
  for (const message of frame.messages) writeBytes(out, encodeMessage(message));
  checkLength(out);
  return Uint8Array.from(out);
}

/** What goes on to the end. */
function readAll<T>(cursor: Cursor, read: () => T): T[] {
  const all: T[] = [];
  while (cursor.at < cursor.from.length) all.push(read());
  return all;
}

function readRecord(cursor: Cursor): LogRecord {
  const what = readByte(cursor);
  const expire = what % 2 === 1;
  const covers = what - Number(expire);
  const record = { expire, ...readFields(cursor, RECORD) };
  if (covers === KEY) return { ...record, key: readText(cursor) };
  if (covers > RESERVED) malformed(`record of kind ${what}`);
  const tags: string[] = [];
  for (let left = readNumber(cursor); left > 0; left--) {
    tags.push((covers === RESERVED ? RESERVED_TAG : "") + readText(cursor));
  }
  return { ...record, tags };
}

/** The same, if the partition exists: whoever takes the message may have a list of so many. */
function placed<T extends { readonly partition: number }>(item: T, partitions: number): T {
  const { partition } = item;
  return partition < partitions ? item : malformed(`partition ${partition} of ${partitions}`);
}

/** Nothing for a message of a kind that a later version has. */
function readMessage(cursor: Cursor): BusMessage | undefined {
  const kind = readByte(cursor);
  if (kind === RECORDS) {
    const head = readFields(cursor, RECORDS_HEAD);
    const records = readAll(cursor, () => readRecord(cursor));
    if (records.length === 0) malformed("no records");
    return { kind: "records", ...placed(head, head.partitions), records };
  }
  if (kind !== HEARTBEAT) return undefined;
  const { partitions } = readFields(cursor, HEARTBEAT_HEAD);
  return {
    kind: "heartbeat",
    partitions,
    positions: readAll(cursor, () => placed(readFields(cursor, POSITION), partitions)),
  };
}

/**
 * Reads what `encodeFrame` wrote, in time and memory in proportion to the bytes; of them nothing is kept. Throws a BusError
 * that names the defect for anything else. That texts are keys, and numbers what the store gave, is not checked.
 */
export function decodeFrame(bytes: Uint8Array): ReceivedFrame {
  checkLength(bytes);
  const cursor = { from: bytes, at: 0 };
  const protocol = readByte(cursor);
  if (protocol === SIGNED) malformed("signed, and no secret is known here");
  if (protocol !== PROTOCOL) malformed(`of protocol ${protocol}, not ${PROTOCOL}`);
  const head = readFields(cursor, HEAD);
  const messages: BusMessage[] = [];
  let unknown = 0;
  for (let left = readNumber(cursor); left > 0; left--) {
    const message = readMessage({ from: readBytes(cursor, readNumber(cursor)), at: 0 });
    if (message) messages.push(message);
    else unknown++;
  }
  if (cursor.at < cursor.from.length) malformed("trailing bytes");
  return { ...head, messages, unknown };
}
