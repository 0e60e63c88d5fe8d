// The frame: four bytes that say what follows.
import { describe, expect, it } from "vitest";
import { BODY, concat, formatOf, PLAIN, TAGGED } from "../../src/codec/frame.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { CodecError } from "../../src/errors.ts";

const codec = jsonCodec();

describe("a frame", () => {
  it("is ic, the format, the version, then the body", () => {
    const bytes = codec.encode([1]) as Uint8Array; // the default codec is synchronous
    expect([...bytes]).toEqual([0x69, 0x63, 0x6a, 1, 0x5b, 0x31, 0x5d]);
    expect([formatOf(bytes), new TextDecoder().decode(bytes.subarray(BODY))]).toEqual([PLAIN, "[1]"]);
    expect(formatOf(codec.encode([1n]) as Uint8Array)).toBe(TAGGED); // the same
  });

  it("that is cut short is of no format", () => {
    const bytes = new TextEncoder().encode(TAGGED);
    expect(formatOf(bytes)).toBe(TAGGED);
    for (let end = 0; end < BODY; end++) expect([PLAIN, TAGGED]).not.toContain(formatOf(bytes.subarray(0, end)));
  });

  it("with any byte of its magic changed is refused", () => {
    for (let i = 0; i < BODY; i++) {
      const bytes = new TextEncoder().encode(`${PLAIN}{}`).map((byte, at) => (at === i ? byte ^ 1 : byte));
      expect(() => codec.decode(bytes)).toThrow(new CodecError("unknown format"));
    }
  });

  it("is joined from its parts, empty ones too", () => {
    const parts = [[1, 2], [], [3]].map((part) => Uint8Array.from(part));
    expect([...concat(parts)]).toEqual([1, 2, 3]);
    expect(concat([]).length).toBe(0);
  });
});
