// Shapes: what has the shape comes out as a copy, everything else is a StoreError.
import { describe, expect, test } from "vitest";
import { StoreError } from "../../src/errors.ts";
import { BYTES, malformed, pick, shaped } from "../../src/store/shape.ts";
import type { Shape } from "../../src/store/shape.ts";

interface Sample {
  readonly text: string;
  readonly number: number;
  readonly flag: boolean;
  readonly list: readonly string[];
  readonly inner?: { readonly id: string };
}

const shape: Shape<Sample> = { text: "", number: 0, flag: true, list: [""], "inner?": { id: "" } };
const good = { text: "a", number: 1, flag: false, list: ["b"], inner: { id: "c" } };
const read = (item: unknown): unknown => shaped(shape, item, BYTES);

test("what has the shape comes out equal, as a copy, without fields that the shape does not name", () => {
  expect(read({ ...good, more: 1 })).toStrictEqual(good);
  expect(read(good)).not.toBe(good);
  const { inner: _, ...least } = good;
  expect(read(least)).toStrictEqual(least);
});

test.each([
  ["nothing", undefined],
  ["null", null],
  ["text", "abc"],
  ["a list", []],
  ["a missing field", { ...good, text: undefined }],
  ["a number for text", { ...good, text: 1 }],
  ["text for a number", { ...good, number: "1" }],
  ["a number that is not finite", { ...good, number: -Infinity }],
  ["a number for a flag", { ...good, flag: 0 }],
  ["text for a list", { ...good, list: "abc" }],
  ["a list of something else", { ...good, list: [1] }],
  ["null for what may be missing", { ...good, inner: null }],
  ["a record inside that lacks a field", { ...good, inner: {} }],
])("%s is a StoreError", (_, item) => {
  expect(() => read(item)).toThrow(StoreError);
});

describe("bytes", () => {
  test("are those given beside the JSON, if the item is their number", () => {
    const bytes = Uint8Array.of(1, 2);
    expect(shaped({ bytes: BYTES }, { bytes: 2 }, bytes)).toEqual({ bytes });
    for (const length of [1, 3, "2", undefined]) {
      expect(() => shaped({ bytes: BYTES }, { bytes: length }, bytes)).toThrow(StoreError);
    }
  });
});

test("a function looks at the item and chooses its shape", () => {
  const chosen: Shape<"a" | "b"> = (item) => (item === "c" ? malformed() : "");
  expect(shaped(chosen, "a", BYTES)).toBe("a");
  for (const item of ["c", 7, null]) expect(() => shaped(chosen, item, BYTES)).toThrow(StoreError);
});

test("a row is picked by its own name only", () => {
  expect(pick({ a: 1 }, "a")).toBe(1);
  for (const name of ["b", "constructor", "__proto__", ["a"], undefined]) {
    expect(() => pick({ a: 1 }, name)).toThrow(StoreError);
  }
});
