// The walk: what is copied, frozen, counted, shared and named.
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "../../src/codec/json.ts";
import { adopt, give, hold } from "../../src/codec/walk.ts";
import { sameValue } from "../../src/testing/same-value.ts";
import { carriedValue, jsonValue } from "./arbitraries.ts";

const codec = jsonCodec();
const decoded = (value: unknown): unknown => codec.decode(codec.encode(value) as Uint8Array);

/** Every object in a value, with the value itself. */
function objectsIn(value: unknown, found: Set<object> = new Set()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value)) return found;
  found.add(value);
  const items = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  if (!ArrayBuffer.isView(value)) for (const item of items) objectsIn(item, found);
  return found;
}

const isPlainContainer = (value: object): boolean =>
  Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;

describe("hold", () => {
  it("gives readers the same value, frozen where it can be, and never an object of the user's", () => {
    fc.assert(
      fc.property(carriedValue, (value) => {
        const users = objectsIn(value);
        const held = hold(value, "frozen");
        const [one, two] = [give(held), give(held)];
        expect(sameValue(one, value)).toBe(true);
        for (const object of objectsIn(one)) {
          expect(users.has(object)).toBe(false);
          expect(Object.isFrozen(object) || !isPlainContainer(object)).toBe(true);
          if (!isPlainContainer(object)) expect(objectsIn(two).has(object)).toBe(false);
        }
        for (const object of users) expect(Object.isFrozen(object) && isPlainContainer(object)).toBe(false);
      }),
    );
  });

  it("gives each reader a value of its own in mode copied", () => {
    fc.assert(
      fc.property(carriedValue, (value) => {
        const held = hold(value, "copied");
        const one = give(held);
        expect(sameValue(one, value)).toBe(true);
        const others = new Set([...objectsIn(value), ...objectsIn(held.value), ...objectsIn(give(held))]);
        for (const object of objectsIn(one)) expect(others.has(object)).toBe(false);
      }),
    );
  });

  it("touches nothing in mode shared", () => {
    const value = Object.freeze({ a: [NaN, , undefined], n: NaN, d: new Date(1), m: new Map([[1, {}]]) });
    const held = hold(value, "shared");
    expect([held.value === value, held.perRead, held.plain, give(held) === value]).toEqual([true, false, false, true]);
    expect([held.uncarried, Object.isFrozen(value.a), 1 in value.a]).toEqual([undefined, false, false]);
  });

  it("shares between readers what holds nothing that must be copied", () => {
    const held = hold({ rows: [{ id: 1 }], meta: { at: new Date(1), by: { id: 2 } } }, "frozen");
    // The type of what give returns is the one supplied.
    const [one, two] = [give(held), give(held)] as { rows: unknown; meta: { at: Date; by: unknown } }[];
    expect([one!.rows === two!.rows, one!.meta.by === two!.meta.by]).toEqual([true, true]);
    expect([one === two, one!.meta === two!.meta, one!.meta.at === two!.meta.at]).toEqual([false, false, false]);
    one!.meta.at.setTime(5);
    expect(two!.meta.at.getTime()).toBe(1);
    expect(Object.isFrozen(one!.meta)).toBe(true);
  });

  it("calls plain exactly what JSON carries unchanged", () => {
    fc.assert(fc.property(jsonValue, (value) => hold(value, "frozen").plain));
    fc.assert(
      fc.property(carriedValue, (value) => {
        const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? 0 : item)) as
          string | undefined; // undefined for undefined, whatever the types say
        const same = text !== undefined && sameValue(JSON.parse(text), value);
        expect(hold(value, "frozen").plain).toBe(same);
      }),
    );
  });

  it("reads accessors once and keeps what they gave", () => {
    let reads = 0;
    const held = hold(
      {
        get n() {
          return ++reads;
        },
      },
      "frozen",
    );
    expect([held.value, held.value, reads]).toEqual([{ n: 1 }, { n: 1 }, 1]);
  });

  it("drops symbol keys, hidden properties, extra properties of arrays, and fills holes", () => {
    const list = Object.assign([1, , 3], { extra: 1 });
    const value = Object.defineProperty({ list, [Symbol("s")]: 1 }, "hidden", { value: 1 });
    const copy = hold(value, "frozen").value;
    expect(sameValue(copy, { list: [1, undefined, 3] })).toBe(true);
    expect(Reflect.ownKeys(copy as object)).toEqual(["list"]);
  });

  it("keeps an own __proto__ as data and makes null-prototype objects ordinary", () => {
    const value: unknown = Object.assign(Object.create(null), { ["__proto__"]: { a: new Date(1) }, b: 1 });
    const copy = give(hold(value, "frozen"));
    expect(Object.keys(copy as object)).toEqual(["__proto__", "b"]);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it("takes objects of another realm for what they are", () => {
    const value: unknown = runInNewContext(
      "({ a: [1, { b: 2 }], d: new Date(3), m: new Map([[1, new Set([2])]]), u: new Uint8Array([4]), n: new ArrayBuffer(2) })",
    );
    const held = hold(value, "frozen");
    expect(held.uncarried).toBeUndefined();
    const expected = {
      a: [1, { b: 2 }],
      d: new Date(3),
      m: new Map([[1, new Set([2])]]),
      u: new Uint8Array([4]),
      n: new ArrayBuffer(2),
    };
    expect(sameValue(give(held), expected)).toBe(true);
    expect(sameValue(decoded(value), expected)).toBe(true);
  });

  it("takes a Buffer as the bytes it shows, and a detached buffer as not carried", () => {
    expect(sameValue(give(hold(Buffer.from("abc"), "frozen")), new Uint8Array([97, 98, 99]))).toBe(true);
    const gone = new ArrayBuffer(8);
    structuredClone(gone, { transfer: [gone] });
    expect(hold({ gone }, "frozen").uncarried).toBe("gone cannot be read");
  });
});

describe("what is not carried", () => {
  class Point {
    x = 1;
  }
  const named: [string, unknown][] = [
    ["the value is a Function", () => 1],
    ["user.avatar is a Blob", { user: { avatar: new Blob([]) } }],
    ["list[2] is a Symbol", { list: [1, 2, Symbol("x")] }],
    ["p is a Promise", { p: Promise.resolve() }],
    ["point is a Point", { point: new Point() }],
    ["m is a class instance", { m: new (class extends Map {})() }],
    ["a is a Rows", { a: new (class Rows extends Array {})() }],
    ["m.pick is a Function", { m: new Map([["pick", () => 1]]) }],
    ["s is a String", { s: Object("boxed") }],
    ["b is a SharedArrayBuffer", { b: new SharedArrayBuffer(1) }],
  ];
  for (const [message, value] of named) {
    it(`is named: ${message}`, () => expect(hold(value, "frozen").uncarried).toBe(message));
  }

  it("is shared as is inside a copy of the rest", () => {
    const point = new Point();
    const value = { list: [point], at: new Date(1) };
    for (const mode of ["frozen", "copied"] as const) {
      const copy = give(hold(value, mode)) as typeof value; // a copy has the type of what was supplied
      expect([copy === value, copy.list === value.list, copy.at === value.at]).toEqual([false, false, false]);
      expect(copy.list[0]).toBe(point);
      expect(Object.isFrozen(point)).toBe(false);
    }
    expect(hold(point, "copied")).toMatchObject({ value: point, perRead: false, plain: false });
  });

  it("is reported apart if it is a body or a stream, even behind something else", () => {
    expect(hold({ f: () => 1, r: [new Response("x")] }, "frozen")).toMatchObject({
      uncarried: "f is a Function",
      stream: "r[0] is a Response",
    });
    for (const stream of [new Request("http://x.test"), new ReadableStream(), new TransformStream()]) {
      expect(hold(stream, "shared").stream).toBe(`the value is a ${stream.constructor.name}`);
    }
    expect(hold({ blob: new Blob([]) }, "frozen").stream).toBeUndefined();
  });

  it("is reported apart where built-ins have no tag of their own, as in workerd before 2024-09-26", () => {
    class Response {}
    expect(hold(new Response(), "frozen").stream).toBe("the value is a Response");
  });

  it("includes cycles and great depth, shared as a whole", () => {
    const cycle: Record<string, unknown> = { at: new Date(1) };
    cycle["me"] = [cycle];
    const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => ({ inner }), 0);
    for (const value of [cycle, deep]) {
      for (const held of [hold(value, "frozen"), hold(value, "copied"), hold(value, "shared")]) {
        expect([held.value === value, held.perRead, held.plain]).toEqual([true, false, false]);
        expect(held.uncarried).toMatch(/ is nested deeper than 1000 or cyclic$/);
        expect(held.uncarried!.length).toBeLessThan(300);
        expect(give(held) === value).toBe(true);
      }
    }
  });

  it("includes what is too large, found before the work or the memory grows with it", () => {
    const doubling = Array.from({ length: 40 }).reduce<unknown>((x) => [x, x], 1);
    const sparse: unknown[] = [];
    sparse.length = 2 ** 32 - 1;
    const liar = new Proxy([], { get: (_, key) => (key === "length" ? "many" : undefined) });
    for (const value of [doubling, sparse, new Uint8Array(2 ** 26), "x".repeat(2 ** 26), liar]) {
      expect(hold(value, "frozen").uncarried).toMatch(/ is too large$/);
    }
    expect(hold([1, 2, 3], "frozen", 100).uncarried).toBe("the value is too large");
    expect(hold(new Uint8Array(2 ** 26), "frozen", 2 ** 28).uncarried).toBeUndefined();
  });

  it("includes what throws when read", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const thrower = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    const getter = {
      a: {
        get b(): never {
          throw new Error("no");
        },
      },
    };
    const spoof = Object.create(Map.prototype) as unknown;
    expect(hold({ x: [proxy] }, "frozen").uncarried).toBe("x[0] cannot be read");
    expect(hold({ x: thrower }, "shared").uncarried).toBe("x cannot be read");
    expect(hold(getter, "copied").uncarried).toBe("a cannot be read");
    expect(hold(spoof, "frozen").uncarried).toBe("the value cannot be read");
  });
});

describe("adopt", () => {
  it("freezes in place and gives the same as hold", () => {
    fc.assert(
      fc.property(carriedValue, fc.constantFrom("frozen", "copied", "shared"), (value, mode) => {
        const ours = decoded(value);
        const held = adopt(ours, mode);
        expect(held.value).toBe(ours);
        const { bytes, plain, perRead } = hold(value, mode);
        expect(held).toMatchObject({ bytes, plain, perRead, uncarried: undefined });
        const one = give(held);
        expect(sameValue(one, value)).toBe(true);
        for (const object of objectsIn(one)) {
          if (mode === "frozen") expect(Object.isFrozen(object) || !isPlainContainer(object)).toBe(true);
          if (mode === "copied") expect(objectsIn(ours).has(object)).toBe(false);
          if (mode === "frozen" && !isPlainContainer(object)) expect(objectsIn(ours).has(object)).toBe(false);
        }
      }),
    );
  });
});

describe("the estimate", () => {
  const text = "x".repeat(1000);
  const cases: [string, unknown, number][] = [
    ["a one-byte string takes a byte a unit", text, 1024],
    ["a two-byte string takes two", "\u1234" + text, 2026],
    ["an array of small integers takes a word each", Array.from({ length: 100 }, (_, i) => i), 832],
    ["a frozen array of fractions holds them boxed", Array.from({ length: 100 }, (_, i) => i + 0.5), 2432],
    ["a buffer takes its bytes", new Uint8Array(10_000), 10_240],
    [
      "a large record takes a dictionary",
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i])),
      10_832,
    ],
  ];
  for (const [name, value, bytes] of cases) {
    it(name, () => expect(hold(value, "frozen").bytes - hold(0, "frozen").bytes).toBe(bytes));
  }
});
