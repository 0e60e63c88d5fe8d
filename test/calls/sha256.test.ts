// The hash of long keys is SHA-256: it agrees with the platform's, at every length of the last block.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../../src/calls/sha256.ts";

const reference = (text: string): string => createHash("sha256").update(text).digest("hex");

test("the empty text and abc, as in FIPS 180", () => {
  expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("texts of every length up to four blocks", () => {
  for (let length = 0; length < 260; length++) {
    const text = "x".repeat(length);
    expect(sha256(text)).toBe(reference(text));
  }
});

test("texts of any characters, and one of a million", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      expect(sha256(text)).toBe(reference(text));
    }),
  );
  const long = "€".repeat(1_000_000);
  expect(sha256(long)).toBe(reference(long));
});
