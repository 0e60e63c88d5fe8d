// Frames: small, the same after a round trip, and nothing that comes instead of one does harm.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BusMessage, RecordsMessage } from "../../src/bus/contract.ts";
import { decodeFrame, encodeFrame, headBytes, MAX_FRAME_BYTES, messageBytes } from "../../src/bus/frame.ts";
import type { Frame } from "../../src/bus/frame.ts";
import { BusError } from "../../src/errors.ts";
import { PROTOCOL } from "../../src/store/wire.ts";
import { message, SEED } from "./arbitraries.ts";
import { oneKey, vectors } from "./vectors.ts";

const frame: fc.Arbitrary<Frame> = fc.record({
  source: fc.string({ unit: "binary", maxLength: 30 }),
  number: fc.maxSafeNat(),
  sentAt: fc.oneof(fc.maxSafeNat(), fc.constant(0)),
  messages: fc.array(message, { maxLength: 4 }),
});
const runs = { seed: SEED, numRuns: 300 };

/** The same value with ordinary prototypes: fast-check makes some records without one. */
const plain = <T>(given: T): T => structuredClone(given);

/** A frame without source and number, that claims so many messages. */
const raw = (count: number, ...rest: readonly number[]): Uint8Array => Uint8Array.of(PROTOCOL, 1, 0, 0, count, ...rest);
/** A list of messages, each with its length. */
const framed = (...bodies: readonly (readonly number[])[]): Uint8Array =>
  raw(bodies.length, ...bodies.flatMap((body) => [body.length, ...body]));

const errorOf = (bytes: Uint8Array): unknown => {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    return error;
  }
};

describe("a frame on every runtime", () => {
  it.each(vectors)("$name", ({ run }) => run());
});

describe("a frame", () => {
  const withKey = (key: string): Frame => {
    const [message] = oneKey.messages as [RecordsMessage]; // the literal's
    return { ...oneKey, messages: [{ ...message, records: [{ ...message.records[0]!, key }] }] };
  };
  it.each([
    ["product:8243:details", 80],
    ["Product 8243 Details", 86],
    ["ключ", 74],
    ["k", 68],
  ])("of one key, %j, takes %i bytes", (key, bytes) => {
    expect(encodeFrame(withKey(key)).length).toBe(bytes);
  });

  it("of three tags takes 93 bytes, and a clear 67", () => {
    const [message] = oneKey.messages as [RecordsMessage]; // the literal's
    const { key: _, ...record } = message.records[0]!;
    const sizeOf = (...tags: string[]): number =>
      encodeFrame({ ...oneKey, messages: [{ ...message, records: [{ ...record, tags }] }] }).length;
    expect(sizeOf("#/product", "#/list", "#/sale:12")).toBe(93);
    expect(sizeOf("@")).toBe(67);
  });

  it(`comes out as it went in (seed ${SEED})`, () => {
    fc.assert(
      fc.property(frame, (given) => {
        expect(decodeFrame(encodeFrame(given))).toEqual(plain({ ...given, unknown: 0 }));
      }),
      runs,
    );
  });

  it(`is as long as its head at most and its messages (seed ${SEED})`, () => {
    fc.assert(
      fc.property(frame, (given) => {
        const { length } = encodeFrame(given);
        const messages = given.messages.reduce((sum, each) => sum + messageBytes(each), 0);
        expect(length - messages).toBeLessThanOrEqual(headBytes(given.source));
        expect(length - messages).toBeGreaterThan(headBytes(given.source) - 20);
      }),
      runs,
    );
  });

  it("rounds an age up, and a number out of range becomes the end of the range", () => {
    const records = [2.1, 0, -1, Infinity, 1e300].map((agoMs) => ({
      seq: 1,
      nonce: "",
      expire: false,
      key: "",
      agoMs,
    }));
    const bytes = encodeFrame({
      ...oneKey,
      messages: [{ kind: "records", partition: 0, partitions: 1, epoch: "", records }],
    });
    const [received] = decodeFrame(bytes).messages;
    const max = Number.MAX_SAFE_INTEGER;
    expect(received?.kind === "records" && received.records.map(({ agoMs }) => agoMs)).toEqual([3, 0, 0, max, max]);
  });

  it("keeps nothing of the bytes it was read from", () => {
    const bytes = encodeFrame(oneKey);
    const received = decodeFrame(bytes);
    bytes.fill(0);
    expect(received).toEqual({ ...oneKey, unknown: 0 });
  });

  it("that is too long is not made, whoever forgot to split it", () => {
    const record = { seq: 1, nonce: "", expire: false, agoMs: 0, key: "K".repeat(MAX_FRAME_BYTES) };
    const message: BusMessage = { kind: "records", partition: 0, partitions: 1, epoch: "", records: [record] };
    expect(() => encodeFrame({ ...oneKey, messages: [message] })).toThrow(/\d+ bytes, more than 65536/);
  });
});

describe("what is no frame is a BusError", () => {
  it(`cut short anywhere (seed ${SEED})`, () => {
    fc.assert(
      fc.property(frame, (given) => {
        const bytes = encodeFrame(given);
        for (let end = 0; end < bytes.length; end++) {
          expect(errorOf(bytes.subarray(0, end))).toEqual(new BusError("bus frame: truncated"));
        }
      }),
      { ...runs, numRuns: 50 },
    );
  });

  it(`lengthened (seed ${SEED})`, () => {
    fc.assert(
      fc.property(frame, fc.uint8Array({ minLength: 1, maxLength: 20 }), (given, more) => {
        const bytes = Uint8Array.from([...encodeFrame(given), ...more]);
        expect(errorOf(bytes)).toEqual(new BusError("bus frame: trailing bytes"));
      }),
      runs,
    );
  });

  it(`or another frame, with any byte changed (seed ${SEED})`, () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 1, max: 255 }), (given, change) => {
        const bytes = encodeFrame(given);
        for (let at = 0; at < bytes.length; at++) {
          const result = errorOf(bytes.map((byte, index) => (index === at ? byte ^ change : byte)));
          if (at === 0) expect(result).toBeInstanceOf(BusError);
          else if (result instanceof Error) expect(result).toBeInstanceOf(BusError);
          else expect(() => encodeFrame(result as Frame)).not.toThrow(); // what is no error is a frame
        }
      }),
      { ...runs, numRuns: 50 },
    );
  });

  it(`or a frame, of random bytes (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom([], [PROTOCOL], [PROTOCOL, 1, 0, 0, 1]),
        (tail, head) => {
          const result = errorOf(Uint8Array.from([...head, ...tail]));
          if (result instanceof Error) expect(result).toBeInstanceOf(BusError);
        },
      ),
      { ...runs, numRuns: 2_000 },
    );
  });

  const huge = [255, 255, 255, 255, 255, 255, 255, 15]; // 2^53 - 1
  it.each([
    ["nothing", Uint8Array.of(), "truncated"],
    ["another protocol", Uint8Array.of(9, 1, 0, 0, 0), `of protocol 9, not ${PROTOCOL}`],
    [
      "a signed frame where there is no secret",
      Uint8Array.of(255, ...encodeFrame(oneKey)),
      "signed, and no secret is known here",
    ],
    ["a frame beyond all sizes", new Uint8Array(MAX_FRAME_BYTES + 1).fill(PROTOCOL), "65537 bytes, more than 65536"],
    ["a source of 2^52 bytes", Uint8Array.of(PROTOCOL, 254, ...huge.slice(1)), "truncated"],
    ["a source of 2^52 packed characters", Uint8Array.of(PROTOCOL, ...huge), "truncated"],
    ["2^53 messages", Uint8Array.of(PROTOCOL, 1, 0, 0, ...huge), "truncated"],
    ["a message of 2^53 bytes", raw(1, ...huge, 1), "truncated"],
    ["2^53 tags", framed([1, 0, 1, 1, 2, 1, 1, 0, ...huge]), "truncated"],
    ["a number of 2^53", Uint8Array.of(PROTOCOL, 1, 128, 128, 128, 128, 128, 128, 128, 16, 0, 0), "number too large"],
    [
      "a number of nine bytes, be it zero",
      Uint8Array.of(PROTOCOL, 1, ...new Uint8Array(8).fill(128), 0, 0, 0),
      "number too large",
    ],
    [
      "a number of eight bytes and more",
      Uint8Array.of(PROTOCOL, 1, ...new Uint8Array(1_000).fill(128)),
      "number too large",
    ],
    ["text that is cut within a character", Uint8Array.of(PROTOCOL, 2, 0xc3, 0, 0, 0), "text that is not UTF-8"],
    ["half a surrogate pair in UTF-8", Uint8Array.of(PROTOCOL, 6, 0xed, 0xa0, 0x80, 0, 0, 0), "text that is not UTF-8"],
    ["a message without a kind", framed([]), "truncated"],
    ["a message without records", framed([1, 0, 1, 1]), "no records"],
    ["a record of an unknown kind", framed([1, 0, 1, 1, 6, 1, 1, 0, 1]), "record of kind 6"],
    ["a record that is longer than its message", raw(1, 8, 1, 0, 1, 1, 0, 1, 1, 0, 1), "truncated"],
    ["records of a partition that is not", framed([1, 3, 3, 1, 0, 1, 1, 0, 1]), "partition 3 of 3"],
    ["a position of a partition that is not", framed([2, 1, 1, 1, 1, 1]), "partition 1 of 1"],
    ["records of no partitions", framed([1, 0, 0, 1, 0, 1, 1, 0, 1]), "partition 0 of 0"],
  ])("%s", (_, bytes, what) => {
    expect(errorOf(bytes)).toEqual(new BusError(`bus frame: ${what}`));
  });
});

describe("messages of a later version", () => {
  it(`are left out and counted, and the others are read (seed ${SEED})`, () => {
    const unknown = fc.tuple(fc.integer({ min: 3, max: 255 }), fc.uint8Array({ maxLength: 50 }));
    fc.assert(
      fc.property(message, unknown, unknown, (known, [a, bodyA], [b, bodyB]) => {
        const middle = encodeFrame({ source: "", number: 0, sentAt: 0, messages: [known] }).subarray(raw(1).length);
        const bytes = raw(3, bodyA.length + 1, a, ...bodyA, ...middle, bodyB.length + 1, b, ...bodyB);
        expect(decodeFrame(bytes)).toMatchObject({ messages: [plain(known)], unknown: 2 });
      }),
      runs,
    );
  });
});

it("the largest frames are read in no time, whatever they hold", () => {
  const rest = MAX_FRAME_BYTES - 20;
  const size = [(rest & 127) + 128, ((rest >> 7) & 127) + 128, rest >> 14];
  const head = [PROTOCOL, 1, 0, 0, 1, ...size];
  const bodies = [
    [1, 0, 1, 1, ...Array.from({ length: rest }, (_, index) => [0, 1, 1, 0, 1][index % 5]!)], // empty keys
    [1, 0, 1, 1, 2, 1, 1, 0, 240, 255, 3, ...Array.from({ length: rest }, () => 1)], // empty tags
    [2, 1, ...Array.from({ length: rest }, (_, index) => [0, 1, 1, 1][index % 4]!)], // empty positions
  ];
  const startedAt = performance.now();
  for (const body of bodies) errorOf(Uint8Array.from([...head, ...body.slice(0, rest)]));
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
