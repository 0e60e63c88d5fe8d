// Messages that are too long for a frame: whatever becomes of them covers what they invalidate.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BusMessage, RecordsMessage } from "../../src/bus/contract.ts";
import { encodeFrame, headBytes, MAX_FRAME_BYTES, messageBytes } from "../../src/bus/frame.ts";
import { splitMessage } from "../../src/bus/split.ts";
import { BusError } from "../../src/errors.ts";
import type { LogRecord } from "../../src/store/contract.ts";
import { heartbeat, recordsMessage, SEED } from "./arbitraries.ts";

const maxBytes = fc.integer({ min: 220, max: 700 });
const runs = { seed: SEED, numRuns: 500 };

const base = { seq: 7, nonce: "n", expire: false, agoMs: 5 };
const tagsOf = (count: number, name = "tag"): string[] =>
  Array.from({ length: count }, (_, index) => `#/${name}${index}`);
const messageOf = (epoch: string, ...records: LogRecord[]): RecordsMessage => ({
  kind: "records",
  partition: 2,
  partitions: 4,
  epoch,
  records,
});
const position = { kind: "heartbeat", partitions: 4, positions: [{ partition: 2, epoch: "e", seq: 7, tip: "n" }] };

/** All records of the messages, a heartbeat in the place of a record as its position. */
function flat(messages: readonly BusMessage[]): unknown[] {
  return messages.flatMap((each): unknown[] => (each.kind === "records" ? [...each.records] : [...each.positions]));
}

describe("a message that fits", () => {
  it("stays as it is, to the byte", () => {
    const message = messageOf("e", { ...base, key: "k" }, { ...base, tags: tagsOf(3) });
    const bytes = messageBytes(message);
    expect(splitMessage(message, bytes)).toEqual([message]);
    expect(splitMessage(message, bytes - 1)).toHaveLength(2);
  });
});

describe("a message that is too long", () => {
  it(`becomes several that fit, with every record or its position, in order (seed ${SEED})`, () => {
    fc.assert(
      fc.property(recordsMessage, maxBytes, (message, maxBytes) => {
        fc.pre(message.epoch !== "");
        const parts = splitMessage(message, maxBytes);
        for (const part of parts) expect(messageBytes(part)).toBeLessThanOrEqual(maxBytes);
        const { partition, epoch } = message;
        const found = flat(parts);
        expect(found).toHaveLength(message.records.length);
        for (const [index, record] of message.records.entries()) {
          const asPosition = { partition, epoch, seq: record.seq, tip: record.nonce };
          expect([record, asPosition]).toContainEqual(found[index]);
        }
      }),
      runs,
    );
  });

  it(`covers the same keys and tags where there is no log, in order (seed ${SEED})`, () => {
    fc.assert(
      fc.property(recordsMessage, maxBytes, (given, maxBytes) => {
        const message = { ...given, epoch: "" };
        const parts = splitMessage(message, maxBytes);
        for (const part of parts) expect(messageBytes(part)).toBeLessThanOrEqual(maxBytes);
        const names = (records: readonly LogRecord[]): unknown[] =>
          records.flatMap(({ key, tags = [], ...rest }) => [key, ...tags].map((name) => ({ ...rest, name })));
        const named = (records: readonly LogRecord[]): unknown[] =>
          names(records).filter((each) => (each as { name?: string }).name !== undefined); // made above
        expect(named(flat(parts) as LogRecord[])).toEqual(named(message.records)); // without an epoch all are records
      }),
      runs,
    );
  });

  it(`of positions becomes several that fit, with every position (seed ${SEED})`, () => {
    fc.assert(
      fc.property(heartbeat, maxBytes, (message, maxBytes) => {
        const parts = splitMessage(message, maxBytes);
        for (const part of parts) expect(messageBytes(part)).toBeLessThanOrEqual(maxBytes);
        expect(flat(parts)).toEqual(message.positions);
      }),
      runs,
    );
  });
});

describe("a record that is too long alone", () => {
  const room = MAX_FRAME_BYTES - headBytes("source");
  const frameOf = (message: BusMessage): Uint8Array =>
    encodeFrame({
      source: "source",
      number: Number.MAX_SAFE_INTEGER,
      sentAt: Number.MAX_SAFE_INTEGER,
      messages: [message],
    });

  it("becomes its position in the log: a part of it would hide the rest", () => {
    const message = messageOf("e", { ...base, tags: tagsOf(10_000) });
    expect(splitMessage(message, room)).toEqual([position]);
  });

  it("becomes several with some of its tags each, where there is no log", () => {
    const tags = tagsOf(10_000);
    const parts = splitMessage(messageOf("", { ...base, expire: true, tags }), room);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(frameOf(part).length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    const found = flat(parts) as LogRecord[]; // without an epoch all are records
    expect(found.flatMap(({ tags }) => tags)).toEqual(tags);
    for (const record of found) expect(record).toMatchObject({ ...base, expire: true });
  });

  it.each([
    ["key", { key: "K".repeat(MAX_FRAME_BYTES) }],
    ["tag", { tags: ["K".repeat(MAX_FRAME_BYTES)] }],
  ])("for its %s becomes its position, or without a log the whole cache", (_, cover) => {
    expect(splitMessage(messageOf("e", { ...base, ...cover }), room)).toEqual([position]);
    expect(splitMessage(messageOf("", { ...base, ...cover }), room)).toEqual([messageOf("", { ...base, tags: ["@"] })]);
  });

  it("leaves those beside it as they are", () => {
    const [a, b] = [
      { ...base, seq: 6, key: "a" },
      { ...base, seq: 8, key: "b" },
    ];
    const parts = splitMessage(messageOf("e", a, { ...base, tags: tagsOf(10_000) }, b), room);
    expect(flat(parts)).toEqual([a, position.positions[0], b]);
  });
});

it("a message that cannot be made to fit is a BusError, never dropped", () => {
  const long = "E".repeat(500);
  const positions = [{ partition: 0, epoch: long, seq: 1, tip: "t" }];
  for (const message of [
    messageOf(long, { ...base, key: "k" }),
    messageOf("", { ...base, nonce: long, key: "k" }),
    { kind: "heartbeat", partitions: 4, positions } as const,
  ]) {
    expect(() => splitMessage(message, 100)).toThrow(BusError);
    expect(() => splitMessage(message, 100)).toThrow(/^bus frame: a message of \d+ bytes does not fit into 100$/);
  }
});
