// The default codec: the shared conformance cases, its wire format, properties and hostile bytes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "../../src/codec/json.ts";
import { adopt, hold } from "../../src/codec/walk.ts";
import { CodecError } from "../../src/errors.ts";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { sameValue } from "../../src/testing/same-value.ts";
import { carriedValue, jsonValue } from "./arbitraries.ts";

const codec = jsonCodec();
const encode = (value: unknown, hint?: { plain: boolean }): Uint8Array => codec.encode(value, hint) as Uint8Array;
const frameOf = (format: string, body: string): Uint8Array => new TextEncoder().encode(`ic${format}\x01${body}`);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("jsonCodec conforms", () => {
  for (const { name, run } of codecConformance) it(name, () => run(codec));
});

describe("jsonCodec writes", () => {
  it("plain values as exactly the text of JSON.stringify", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(textOf(encode(value))).toBe("icj\x01" + JSON.stringify(value));
      }),
    );
  });

  it("the same bytes with the hint of the walk as without", () => {
    fc.assert(
      fc.property(carriedValue, (value) => {
        const held = hold(value, "frozen");
        expect(held.uncarried).toBeUndefined();
        expect(sameValue(encode(held.value, held), encode(value))).toBe(true);
      }),
    );
  });

  it("tags that stay readable in the stored text", () => {
    const value = { $: "$5", at: new Date(7), m: new Map([[-5n, new Set([undefined])]]), u: new Uint8Array([65, 66]) };
    expect(textOf(encode(value))).toBe(
      'icx\x01{"$":"$$5","at":"$Date 7","m":["$Map","$-0x5",["$Set","$undefined"]],"u":"$Uint8Array 2"}\0AB',
    );
  });

  it("nothing of toJSON, symbol keys or inherited properties", () => {
    const value = Object.assign(new Date(5), { toJSON: () => "no" });
    expect(sameValue(codec.decode(encode({ value, [Symbol("x")]: 1 })), { value: new Date(5) })).toBe(true);
    expect(() => encode({ toJSON: () => 1 })).toThrow(new CodecError("toJSON is a Function"));
  });

  it("a getter that throws as a CodecError with its cause kept out of the message", () => {
    const value = {
      get secret(): never {
        throw new Error("hunter2");
      },
    };
    expect(() => encode(value)).toThrow(new CodecError("the value cannot be read"));
    expect(() => encode(value, { plain: true })).toThrow(CodecError);
  });
});

describe("jsonCodec keeps", () => {
  it("every carried value through a round trip", () => {
    fc.assert(
      fc.property(carriedValue, (value) => {
        expect(sameValue(codec.decode(encode(value)), value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("a thousand levels and not one more", () => {
    const nest = (levels: number): unknown =>
      Array.from({ length: levels - 1 }).reduce<unknown>((inner) => [inner], [undefined]);
    expect(sameValue(codec.decode(encode(nest(1000))), nest(1000))).toBe(true);
    expect(() => encode(nest(1001))).toThrow(/deeper than 1000/);
  });
});

describe("jsonCodec refuses", () => {
  const refused: Record<string, Uint8Array> = {
    "text that is not JSON": frameOf("j", "{"),
    "invalid UTF-8": new Uint8Array([...frameOf("j", '"'), 0xff, 0x22]),
    "an extended body without its zero byte": frameOf("x", '"$NaN"'),
    "unknown tags": frameOf("x", '"$q"\0'),
    "numbers that need no tag": frameOf("x", '"$5"\0'),
    "a tag that names a function": frameOf("x", '"$Function 0"\0'),
    "a tag that names a container": frameOf("x", '"$Map 0"\0'),
    "a container tag that is not first": frameOf("x", '[1,"$Map"]\0'),
    "a map that ends after a key": frameOf("x", '["$Map",1]\0'),
    "a bigint without digits": frameOf("x", '"$0x"\0'),
    "a buffer longer than the tail": frameOf("x", '"$Uint8Array 9007199254740991"\0abc'),
    "a buffer of negative length, to read the tail twice": frameOf(
      "x",
      '["$Uint8Array 3","$Uint8Array -3","$Uint8Array 3"]\0abc',
    ),
    "a buffer of a length that does not fit its kind": frameOf("x", '"$Float64Array 3"\0abc'),
    "a tail that is left over": frameOf("x", "[]\0abc"),
    "a level too many": frameOf("x", "[".repeat(1001) + "]".repeat(1001) + "\0"),
    "a depth bomb with tags": frameOf("x", "[".repeat(100_000) + "]".repeat(100_000) + "\0"),
    "a depth bomb that is cut off": frameOf("j", "[".repeat(5_000_000)),
    "another version": frameOf("j", "{}").map((byte, i) => (i === 3 ? 2 : byte)),
  };
  for (const [name, bytes] of Object.entries(refused)) {
    it(name, () => expect(() => codec.decode(bytes)).toThrow(CodecError));
  }

  it("a plain depth bomb at the latest when it is adopted", () => {
    const value = codec.decode(frameOf("j", "[".repeat(100_000) + "]".repeat(100_000)));
    expect(adopt(value, "frozen").uncarried).toMatch(/deeper than 1000/);
  });

  it("to change a prototype", () => {
    for (const bytes of [frameOf("j", '{"__proto__":{"x":1}}'), frameOf("x", '{"__proto__":{"x":"$NaN"}}\0')]) {
      const value = codec.decode(bytes);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value as object)).toEqual(["__proto__"]);
    }
  });

  it("random bytes and mutations of its own frames with nothing but a CodecError", () => {
    const mutation = fc.tuple(fc.nat(), fc.nat(255), fc.nat(2));
    fc.assert(
      fc.property(
        fc.oneof(
          carriedValue.map((value) => encode(value)),
          fc.uint8Array(),
          fc.string().map((body) => frameOf("x", body + "\0")),
        ),
        fc.array(mutation, { maxLength: 4 }),
        (bytes, mutations) => {
          const list = [...bytes];
          for (const [at, byte, kind] of mutations)
            list.splice(at % (list.length + 1), kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [byte]));
          try {
            adopt(codec.decode(Uint8Array.from(list)), "frozen");
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
