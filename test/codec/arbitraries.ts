// Random values for the property tests of the walk and the codecs.
import fc from "fast-check";

const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toJSON", "$", "0", "length"));
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "$", "$$u", "$Map", "$Set", "$NaN", "$Date 1"),
);

/** Own properties only, whatever the keys are called. */
const record = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries));

/** What plain JSON carries unchanged. */
export const jsonValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
    record(tie("value")),
  ),
})).value;

type View = new (buffer: ArrayBuffer) => ArrayBufferView;
const views: readonly View[] = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView],
];

const buffer = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(undefined, ...views)).map(([bytes, View]) => {
  const content = bytes.slice(0, bytes.length - (bytes.length % 8)).buffer;
  return View ? new View(content) : content;
});

/** Everything the default codec carries. Arrays have no holes: those come back as undefined. */
export const carriedValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.double(),
    fc.constantFrom<unknown>(-0, NaN, Infinity, -Infinity, undefined, null, true, false),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    buffer,
    fc.array(tie("value"), { maxLength: 5 }),
    record(tie("value")),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new Set(items)),
  ),
})).value;
