// msgpackCodec: its size, what msgpackr would lose or be tricked into, and the change from and to JSON.
import fc from "fast-check";
import { Packr } from "msgpackr/index-no-eval";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "../../src/codec/json.ts";
import { msgpackCodec } from "../../src/codec/msgpack.ts";
import { adopt } from "../../src/codec/walk.ts";
import { CodecError, OptionError } from "../../src/errors.ts";
import { sameValue } from "../../src/testing/same-value.ts";

const codec = msgpackCodec();
const encode = (value: unknown): Uint8Array => codec.encode(value) as Uint8Array; // it is synchronous
const frame = (body: readonly number[]): Uint8Array => Uint8Array.from([[0x69, 0x63, 0x6d, 1], body].flat());
const frameOf = (...body: number[]): Uint8Array => frame(body);
const repeat = (times: number, ...bytes: number[]): number[] => Array.from({ length: times }, () => bytes).flat();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("msgpackCodec writes", () => {
  it("many objects of one shape in less than half the bytes of JSON", () => {
    const address = (i: number) => ({ street: `Main ${i}`, city: "Berlin" });
    const rows = Array.from({ length: 200 }, (_, i) => ({ id: i, email: `user${i}@example.com`, address: address(i) }));
    const json = jsonCodec().encode(rows) as Uint8Array; // it is synchronous
    expect(encode(rows).length).toBeLessThan(json.length / 2);
  });

  it("its own format, and buffers behind the value as they are", () => {
    expect([...encode([1, "a"])]).toEqual([...frameOf(0x92, 1, 0xa1, 0x61)]);
    expect(textOf(encode(new Uint8Array([65, 66])))).toMatch(/^icm\x01.\$Uint8Array 2AB$/s);
  });

  it("without keeping a large buffer between calls", () => {
    encode("x".repeat(8_000_000));
    encode(1);
    expect(new Packr().pack(1).buffer.byteLength).toBeLessThan(2_000_000);
  });
});

describe("msgpackCodec keeps", () => {
  it("what msgpackr alone would lose", () => {
    const mark = "\ufeff" + "x".repeat(100);
    const lone = "\ud800" + "x".repeat(100);
    const strings = [mark, lone, [mark], '$"x"', '$"', "$", '$$"', `$${lone}`];
    const keys = ["__proto__", "constructor", "toJSON", "hasOwnProperty", '$"', '$"x"', "$", "", mark, lone, "9", "1"];
    const value = { strings, object: Object.fromEntries(keys.map((key, i) => [key, { [key]: i }])) };
    expect(sameValue(codec.decode(encode(value)), value)).toBe(true);
  });

  it("more shapes than there are numbers for them, and the order of keys", () => {
    const shapes = Array.from({ length: 300 }, (_, i) => ({ [`b${i}`]: {}, a: { [`c${i % 90}`]: i } }));
    const value = [...shapes, ...shapes.toReversed()];
    expect(JSON.stringify(codec.decode(encode(value)))).toBe(JSON.stringify(value));
  });

  it("an object of very many keys", () => {
    const value = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`user-${i}`, i]));
    expect(sameValue(codec.decode(encode(value)), value)).toBe(true);
  });

  it("a thousand levels and not one more", () => {
    const nest = (levels: number): unknown => Array.from({ length: levels - 1 }).reduce<unknown>((x) => [x], [-0]);
    expect(sameValue(codec.decode(encode(nest(1000))), nest(1000))).toBe(true);
    expect(() => encode(nest(1001))).toThrow(/deeper than 1000/);
  });
});

describe("msgpackCodec refuses", () => {
  const refused: Record<string, Uint8Array> = {
    "nothing after the format": frameOf(),
    "an array of four billion items": frameOf(0xdd, 0xff, 0xff, 0xff, 0xff),
    "arrays of thirty million items in each other": frame(repeat(500, 0xdd, 2, 0, 0, 0)),
    "a string longer than the bytes": frameOf(0xdb, 0xff, 0xff, 0xff, 0xff),
    "a map": frameOf(0x81, 0xa1, 0x61, 1),
    "binary data": frameOf(0xc4, 1, 1),
    "a regular expression": frameOf(0xc7, 7, 0x78, 0x92, 0xa3, 0x28, 0x61, 0x2b, 0xa0),
    "an error": frameOf(0xd4, 0x65, 0, 0x92, 0xa1, 0x61, 0xa1, 0x61),
    "a reference": frameOf(0x92, 0x90, 0xd6, 0x70, 0, 0, 0, 1),
    "a date of MessagePack": frameOf(0xd6, 0xff, 0, 0, 0, 0),
    "a record that was never defined": frameOf(0x41),
    "a record with more keys than bytes": frameOf(0xd4, 0x72, 0x40, 0xdd, 2, 0, 0, 0),
    "a record whose key is a number": frameOf(0xd4, 0x72, 0x40, 0x91, 1, 1),
    "a record with a number that is none": frameOf(0xd4, 0x72, 0x80, 0x90),
    "a record without its values": frameOf(0xd4, 0x72, 0x40, 0x92, 0xa1, 0x61, 0xa1, 0x62, 1),
    "a second value": frameOf(1, 1),
    "a level too many": frame([...repeat(1000, 0x91), 0x90]),
    "a depth bomb": frame(repeat(100_000, 0x91)),
    "an escaped string that is no JSON": frameOf(0xa3, 0x24, 0x22, 0x61),
    "an unknown tag": frameOf(0xa2, 0x24, 0x71),
    "a token that is never used": frameOf(0xc1),
  };
  it.each(Object.entries(refused))("%s", (_, bytes) => {
    expect(() => codec.decode(bytes)).toThrow(new CodecError("the bytes are corrupt"));
  });

  it("to set a prototype", () => {
    const proto = [...new TextEncoder().encode("__proto__")];
    const value = codec.decode(frameOf(0xd4, 0x72, 0x40, 0x91, 0xa9, ...proto, 0xd4, 0x72, 0x41, 0x91, 0xa1, 0x61, 1));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { a?: number }).a).toBeUndefined();
  });

  it("random MessagePack with nothing but a CodecError", () => {
    const token = fc.oneof(
      fc.constantFrom(0xd4, 0x72, 0x40, 0x41, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0x24, 0x22, 0xdc, 0xdd, 0xcb, 0),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (body) => {
        try {
          adopt(codec.decode(frame(body)), "frozen");
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("options that it does not have", () => {
    expect(() => msgpackCodec({ writes: "xml" as "json" })).toThrow(OptionError);
    expect(() => msgpackCodec({ mode: 1 } as object)).toThrow("mode: unknown option; there are writes");
  });
});

describe("between JSON and MessagePack", () => {
  const value = { at: new Date(5), list: [1n, "x"] };

  it("msgpackCodec reads what the default codec wrote", () => {
    expect(sameValue(codec.decode(jsonCodec().encode(value) as Uint8Array), value)).toBe(true); // both are synchronous
  });

  it("it can write JSON, which the default codec reads, while it reads both", () => {
    const both = msgpackCodec({ writes: "json" });
    expect(sameValue(jsonCodec().decode(both.encode(value) as Uint8Array), value)).toBe(true); // synchronous
    expect(sameValue(both.decode(encode(value)), value)).toBe(true);
  });

  it("the default codec takes MessagePack for an unknown format", () => {
    expect(() => jsonCodec().decode(encode(value))).toThrow(new CodecError("unknown format"));
  });
});
