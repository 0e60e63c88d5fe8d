// The frame: four bytes that say what follows.
import { describe, expect, it } from "vitest";
import { frame, unframe } from "../../src/codec/frame.ts";
import { CodecError } from "../../src/errors.ts";

describe("a frame", () => {
  it("is ic, the format, the version, then the parts", () => {
    const bytes = frame("j", [new Uint8Array([1, 2]), new Uint8Array([]), new Uint8Array([3])]);
    expect([...bytes]).toEqual([0x69, 0x63, 0x6a, 1, 1, 2, 3]);
    expect(unframe(bytes, ["x", "j"])).toEqual({ format: "j", body: new Uint8Array([1, 2, 3]) });
  });

  it("with an empty body is read, and one cut short is not", () => {
    expect(unframe(frame("x", []), ["x"]).body.length).toBe(0);
    expect(() => unframe(frame("x", []).subarray(0, 3), ["x"])).toThrow(CodecError);
  });

  it("of a format the codec does not read is refused", () => {
    expect(() => unframe(frame("x", []), ["j"])).toThrow(CodecError);
  });

  it("with any byte of its magic changed is refused", () => {
    for (let i = 0; i < 4; i++) {
      const bytes = frame("j", [new Uint8Array(9)]).map((byte, at) => (at === i ? byte ^ 1 : byte));
      expect(() => unframe(bytes, ["j", "x"])).toThrow(CodecError);
    }
  });
});
