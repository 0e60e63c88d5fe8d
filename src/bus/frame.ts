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
import { createReader, malformed, writeBytes, writeNumber, writeText } from "./bytes.ts";
import type { Reader } from "./bytes.ts";
import type { BusMessage } from "./contract.ts";

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

function writeRecord(out: number[], { seq, nonce, expire, agoMs, key, tags = [] }: LogRecord): void {
  const isClear = tags.every((tag) => tag.startsWith(RESERVED_TAG));
  const what = key !== undefined ? KEY : isClear ? RESERVED : TAGS;
  out.push(what + Number(expire));
  writeNumber(out, seq);
  writeText(out, nonce);
  writeNumber(out, agoMs);
  if (key !== undefined) return writeText(out, key);
  writeNumber(out, tags.length);
  for (const tag of tags) writeText(out, isClear ? tag.slice(RESERVED_TAG.length) : tag);
}

function encodeMessage(message: BusMessage): number[] {
  const { partitions } = message;
  const out: number[] = [];
  if (message.kind === "records") {
    out.push(RECORDS);
    writeNumber(out, message.partition);
    writeNumber(out, partitions);
    writeText(out, message.epoch);
    for (const record of message.records) writeRecord(out, record);
  } else {
    out.push(HEARTBEAT);
    writeNumber(out, partitions);
    for (const { partition, epoch, seq, tip } of message.positions) {
      writeNumber(out, partition);
      writeText(out, epoch);
      writeNumber(out, seq);
      writeText(out, tip);
    }
  }
  const whole: number[] = [];
  writeNumber(whole, out.length);
  writeBytes(whole, out);
  return whole;
}

function encodeHead({ source, number, sentAt }: Omit<Frame, "messages">, messages: number): number[] {
  const out = [PROTOCOL];
  writeText(out, source);
  for (const each of [number, sentAt, messages]) writeNumber(out, each);
  return out;
}

/** How many bytes of a frame a message takes. */
export const messageBytes = (message: BusMessage): number => encodeMessage(message).length;

/** How many bytes the frames of a source have besides their messages, at most. */
export function headBytes(source: string): number {
  return encodeHead({ source, number: Infinity, sentAt: Infinity }, MAX_FRAME_BYTES).length;
}

/** The bytes of a frame. Throws a BusError if they are more than a frame may have: `splitMessage` prevents it. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const out = encodeHead(frame, frame.messages.length);
  for (const message of frame.messages) writeBytes(out, encodeMessage(message));
  checkLength(out);
  return Uint8Array.from(out);
}

function checkLength({ length }: ArrayLike<number>): void {
  if (length > MAX_FRAME_BYTES) malformed(`${length} bytes, more than ${MAX_FRAME_BYTES}`);
}

/** What goes on to the end. */
function readAll<T>(reader: Reader, read: () => T): T[] {
  const all: T[] = [];
  while (!reader.isDone()) all.push(read());
  return all;
}

function readRecord(reader: Reader): LogRecord {
  const what = reader.byte();
  const expire = what % 2 === 1;
  const record = { seq: reader.number(), nonce: reader.text(), expire, agoMs: reader.number() };
  const covers = what - Number(expire);
  if (covers === KEY) return { ...record, key: reader.text() };
  if (covers !== TAGS && covers !== RESERVED) malformed(`a record of the unknown kind ${what}`);
  const tags: string[] = [];
  for (let left = reader.number(); left > 0; left--) {
    tags.push((covers === RESERVED ? RESERVED_TAG : "") + reader.text());
  }
  return { ...record, tags };
}

/** One that exists: whoever takes the message has a list of so many. */
function checkPartition(partition: number, partitions: number): void {
  if (partition >= partitions) malformed(`partition ${partition} of ${partitions}`);
}

/** Nothing for a message of a kind that a later version has. */
function readMessage(reader: Reader): BusMessage | undefined {
  const kind = reader.byte();
  if (kind === RECORDS) {
    const head = { partition: reader.number(), partitions: reader.number(), epoch: reader.text() };
    checkPartition(head.partition, head.partitions);
    const records = readAll(reader, () => readRecord(reader));
    return records.length > 0 ? { kind: "records", ...head, records } : malformed("no records");
  }
  if (kind !== HEARTBEAT) return undefined;
  const partitions = reader.number();
  const positions = readAll(reader, () => {
    const partition = reader.number();
    checkPartition(partition, partitions);
    return { partition, epoch: reader.text(), seq: reader.number(), tip: reader.text() };
  });
  return { kind: "heartbeat", partitions, positions };
}

/**
 * Reads what `encodeFrame` wrote, in time and memory in proportion to the bytes; of them nothing is kept. Throws a BusError
 * that names the defect for anything else. That texts are keys, and numbers what the store gave, is not checked.
 */
export function decodeFrame(bytes: Uint8Array): ReceivedFrame {
  checkLength(bytes);
  const reader = createReader(bytes);
  const protocol = reader.byte();
  if (protocol === SIGNED) malformed("signed, and no secret is known here");
  if (protocol !== PROTOCOL) malformed(`of protocol ${protocol}, not ${PROTOCOL}`);
  const head = { source: reader.text(), number: reader.number(), sentAt: reader.number() };
  const messages: BusMessage[] = [];
  let unknown = 0;
  for (let left = reader.number(); left > 0; left--) {
    const message = readMessage(createReader(reader.bytes(reader.number())));
    if (message) messages.push(message);
    else unknown++;
  }
  if (!reader.isDone()) malformed("trailing bytes");
  return { ...head, messages, unknown };
}
