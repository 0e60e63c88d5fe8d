// Keys of calls: equal arguments have equal keys, different ones different keys, and what has no stable key is refused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCache } from "../../src/index.ts";
import { sameValue } from "../../src/testing/same-value.ts";
import { carriedValue } from "../codec/arbitraries.ts";

/** Printed by fast-check if a property fails; another one with each run. */
const seed = Number(process.env["ISOCACHE_FIRST_SEED"] ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: 1_000 };

const { wrap } = createCache();
const keyOf = (...args: unknown[]): string => wrap((..._: unknown[]) => 1, { name: "f" }).key(...args);

type Tree = Record<string, unknown>;

/** The same value with the properties of its objects in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [reversed(key), reversed(item)]));
  if (value instanceof Set) return new Set([...value].map(reversed));
  if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
  const entries = Object.entries(value as Tree).map(([key, item]) => [key, reversed(item)]);
  return Object.fromEntries(entries.reverse());
}

describe(`with the seed ${seed}`, () => {
  test("arguments that differ in the order of properties alone have one key", () => {
    fc.assert(
      fc.property(fc.array(carriedValue, { maxLength: 3 }), (args) => {
        expect(keyOf(...args.map(reversed))).toBe(keyOf(...args));
      }),
      runs,
    );
  });

  test("a copy of the arguments has their key", () => {
    fc.assert(
      fc.property(fc.clone(carriedValue, 2), ([one, other]) => {
        expect(keyOf(other)).toBe(keyOf(one));
      }),
      runs,
    );
  });

  // Small values meet often, which strings of any length do not.
  const small: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 2 },
      fc.constantFrom<unknown>(
        0,
        -0,
        1,
        1n,
        "1",
        "",
        "$",
        "$$",
        NaN,
        "NaN",
        "$NaN",
        null,
        undefined,
        "undefined",
        true,
      ),
      fc.constantFrom<unknown>("[", "]", '"', "\\", ",", "[]", "$Set", "$Map", "$Date 1", new Date(1), new Date(NaN)),
      fc.constantFrom<unknown>(new Uint8Array([1]), new Int8Array([1]), new Uint8Array([1, 0]), new Uint16Array([1])),
      fc.array(tie("value"), { maxLength: 2 }),
      fc
        .array(fc.tuple(fc.constantFrom("a", "b", "a,b", "__proto__"), tie("value")), { maxLength: 2 })
        .map(Object.fromEntries),
      fc.array(tie("value"), { maxLength: 2 }).map((items) => new Set(items)),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 2 }).map((entries) => new Map(entries)),
    ),
  })).value;

  test.each([
    ["any", carriedValue],
    ["small", small],
  ])("different arguments have different keys (%s)", (_, value) => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 2 }), fc.array(value, { maxLength: 2 }), (one, other) => {
        expect(keyOf(...one) === keyOf(...other)).toBe(sameValue(one, other));
      }),
      { ...runs, numRuns: 5_000 },
    );
  });

  test("functions of different names have different keys, whatever their names look like", () => {
    const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom("[", "]", '"', ",", "a", "1", "\\") });
    const args = fc.array(fc.oneof(name, fc.constant(1), fc.array(name, { maxLength: 2 })), { maxLength: 2 });
    const key = (of: string, given: unknown[]): string => wrap((..._: unknown[]) => 1, { name: of }).key(...given);
    fc.assert(
      fc.property(name, args, name, args, (one, a, other, b) => {
        fc.pre(one !== other);
        expect(key(one, a)).not.toBe(key(other, b));
      }),
      { ...runs, numRuns: 5_000 },
    );
  });
});

describe("told apart", () => {
  const pairs: [string, unknown[], unknown[]][] = [
    ["0 and -0", [0], [-0]],
    ["1 and 1n and their texts", [1], [1n]],
    ["a number and its text", [1], ["1"]],
    ["nothing and an undefined that is passed", [], [undefined]],
    ["null and undefined", [null], [undefined]],
    ["an undefined property and none", [{ a: undefined }], [{}]],
    ["a Date and its number", [new Date(1)], [1]],
    ["a Date and its text", [new Date(1)], ["$Date 1"]],
    ["a Map and its entries", [new Map([["a", 1]])], [[["a", 1]]]],
    ["a Map and an object", [new Map([["a", 1]])], [{ a: 1 }]],
    ["a Set and an array", [new Set([1])], [[1]]],
    ["Sets of different order", [new Set([1, 2])], [new Set([2, 1])]],
    ["one argument and two", [[1, 2]], [1, 2]],
    ["bytes of different kinds", [new Uint8Array([1])], [new Int8Array([1])]],
    ["lone surrogates", ["\ud800"], ["\ud801"]],
  ];
  test.each(pairs)("%s", (_, one, other) => {
    expect(keyOf(...one)).not.toBe(keyOf(...other));
  });
});

describe("a key reads as the call", () => {
  test("of plain arguments", () => {
    expect(keyOf("ada", 1, { page: 2, by: "name" })).toBe('f["ada",1,{"by":"name","page":2}]');
  });
});

describe("a KeyError names the path of", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const refused: [string, unknown, string][] = [
    ["a function", () => 1, "[1].of[0] is a Function"],
    ["a symbol", Symbol("s"), "[1].of[0] is a Symbol"],
    ["a class instance", new (class Account {})(), "[1].of[0] is a Account"],
    ["a Request", new Request("https://example.com"), "[1].of[0] is a Request"],
    ["a RegExp", /a/, "[1].of[0] is a RegExp"],
    ["an Error", new Error("e"), "[1].of[0] is a Error"],
    ["a promise", Promise.resolve(1), "[1].of[0] is a Promise"],
    ["what is cyclic", cyclic, "or cyclic"],
  ];
  test.each(refused)("%s", (_, value, path) => {
    expect(() => keyOf(0, { of: [value] })).toThrow(
      expect.objectContaining({ code: "ISOCACHE_KEY", message: expect.stringContaining(path) }),
    );
  });

  test("a getter that throws, and keeps what it says out of the message", () => {
    const secret = Object.defineProperty({}, "a", { enumerable: true, get: () => expect.fail("hunter2") });
    expect(() => keyOf(secret)).toThrow(expect.objectContaining({ code: "ISOCACHE_KEY" }));
    expect(() => keyOf(secret)).not.toThrow("hunter2");
  });
});
