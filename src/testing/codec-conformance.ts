// What every codec must do, as plain cases that any test runner can run.
import type { Codec } from "../codec/contract.ts";
import { sameValue } from "./same-value.ts";

/** One thing a codec must do. */
export interface CodecCase {
  /** The behaviour, as a sentence. */
  readonly name: string;
  /** Resolves if the codec behaves so, rejects with an Error that says what it did instead. */
  run(codec: Codec): Promise<void>;
}

/** Values that must come back the same, by what they are. Made anew on each call. */
const carried = (): Record<string, unknown> => ({
  "strings, with lone surrogates, NUL, a byte order mark and emoji": [
    "",
    "é😀",
    "\ud800",
    "a\udc00",
    "\0",
    "\ufeffx",
    "\u2028",
  ],
  "strings that look like tags": [
    "$",
    "$$",
    "$u",
    "$undefined",
    "$Map",
    "$Date 5",
    "$NaN",
    ["$Map", 1],
    ["$Set"],
    { $: "$" },
  ],
  "numbers at the edges": [0, 1.5, -1, 2 ** 53, 5e-324, Number.MAX_VALUE],
  "NaN, the infinities and negative zero": [NaN, Infinity, -Infinity, -0, { a: -0 }],
  "true, false and null": [true, false, null],
  "undefined in objects and arrays": { a: undefined, b: [undefined, 1] },
  "BigInt of any size and sign": [0n, -1n, 255n, 2n ** 64n, -(10n ** 300n)],
  "dates, invalid ones too": [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)],
  "maps with keys of any kind": new Map<unknown, unknown>([
    [{ a: 1 }, "object"],
    [new Map([[1, new Set()]]), undefined],
    [NaN, -0],
    ["__proto__", new Date(1)],
  ]),
  "sets, empty and nested": new Set<unknown>([new Set(), new Set([new Set([1n])]), "$Set", undefined]),
  "every kind of buffer": [
    new ArrayBuffer(0),
    new Uint8Array([0, 1, 255]).buffer,
    new DataView(new Uint8Array([9, 8, 7]).buffer, 1),
    new Int8Array([-1]),
    new Uint8Array(),
    new Uint8ClampedArray([255]),
    new Int16Array([-2]),
    new Uint16Array([65_535]),
    new Int32Array([-3]),
    new Uint32Array([4_294_967_295]),
    new Float32Array([1.5, NaN]),
    new Float64Array([-0, Infinity]),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 64n - 1n]),
  ],
  "a view on a part of a buffer": new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2),
  "keys that are special elsewhere": Object.fromEntries([
    ["__proto__", { polluted: true }],
    ["constructor", null],
    ["toJSON", "x"],
    ["", 1],
    ["10", "b"],
    ["9", "a"],
    ["a.b", new Date(5)],
  ]),
  "an own __proto__ beside what JSON cannot say": { ["__proto__"]: { a: 1n }, b: undefined },
  "five hundred levels": Array.from({ length: 500 }).reduce<unknown>((inner) => ({ inner }), [undefined]),
  "the same object twice": ((x) => [x, x])({ a: 1 }),
});

const uncarried = (): Record<string, unknown> => ({
  "user.save": { user: { save: () => 1 } },
  "items[1]": { items: [1, Symbol("x")] },
  "at[0].error": { at: [{ error: new Error("x") }] },
  point: { point: new (class Point {})() },
  map: { map: new (class extends Map {})() },
});

/** Runs and returns what was thrown; an Error if nothing was. */
async function thrown(run: () => unknown): Promise<unknown> {
  let value: unknown;
  try {
    value = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`expected a CodecError, got ${typeof value}`);
}

async function fails(run: () => unknown, about = ""): Promise<void> {
  const error = await thrown(run);
  const right =
    error instanceof Error && "code" in error && error.code === "ISOCACHE_CODEC" && error.message.includes(about);
  if (!right) throw new Error(`expected a CodecError about "${about}"`, { cause: error });
}

/** The value is made anew to compare with. Its bytes need not be the same each time: encryption is random. */
async function roundTrip(codec: Codec, make: () => unknown): Promise<void> {
  const value = make();
  const bytes = await codec.encode(value);
  if (!sameValue(value, make())) throw new Error("encoding changed the value");
  for (const each of [bytes, await codec.encode(value)]) {
    if (!sameValue(await codec.decode(each), value)) throw new Error("came back different");
  }
}

/** Bytes as some stores return them: a part of a larger buffer, at an odd offset. */
const shifted = (bytes: Uint8Array): Uint8Array => {
  const wide = new Uint8Array(bytes.length + 5).fill(7);
  wide.set(bytes, 3);
  return wide.subarray(3, 3 + bytes.length);
};

const everything = (): unknown => Object.values(carried());

/** The cases, for any codec. They take no clock, no randomness and no network. */
export const codecConformance: readonly CodecCase[] = [
  ...Object.keys(carried()).map((name) => ({
    name: `carries ${name}`,
    run: (codec: Codec) => roundTrip(codec, () => carried()[name]),
  })),
  {
    name: "carries each of them as the root too",
    async run(codec) {
      const roots = (): unknown[] => Object.values(carried()).flatMap((value) => (Array.isArray(value) ? value : []));
      for (const index of roots().keys()) await roundTrip(codec, () => roots()[index]);
      await roundTrip(codec, () => undefined);
    },
  },
  {
    name: "gives array holes back as undefined and null-prototype objects as ordinary ones",
    async run(codec) {
      const holes: unknown[] = [1];
      holes[2] = 3;
      const bare: unknown = Object.assign(Object.create(null), { a: 1 });
      const back = await codec.decode(await codec.encode([holes, bare]));
      if (!sameValue(back, [[1, undefined, 3], { a: 1 }])) throw new Error("came back different");
    },
  },
  ...Object.keys(uncarried()).map((path) => ({
    name: `refuses ${path} by its path`,
    run: (codec: Codec) => fails(() => codec.encode(uncarried()[path]), path),
  })),
  {
    name: "refuses cycles and great depth without overflowing the stack",
    async run(codec) {
      const cycle: Record<string, unknown> = {};
      cycle["self"] = cycle;
      await fails(() => codec.encode(cycle), "cyclic");
      const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 0);
      await fails(() => codec.encode(deep), "deeper");
    },
  },
  {
    name: "reads bytes in the middle of a larger buffer, and copies what it takes from them",
    async run(codec) {
      const bytes = shifted(await codec.encode(everything()));
      const back = await codec.decode(bytes);
      bytes.fill(0);
      if (!sameValue(back, everything())) throw new Error("came back different");
    },
  },
  {
    name: "writes buffers without inflating them",
    async run(codec) {
      const { length } = await codec.encode({ a: new Uint8Array(10_000).map((_, i) => i * 7) });
      if (length > 10_400) throw new Error(`10,000 bytes became ${length}`);
    },
  },
  {
    name: "refuses every truncation",
    async run(codec) {
      for (const value of [everything(), { plain: [1, "x"] }]) {
        const bytes = await codec.encode(value);
        for (let end = 0; end < bytes.length; end++) await fails(() => codec.decode(bytes.subarray(0, end)));
      }
    },
  },
  {
    name: "refuses foreign bytes and other versions",
    async run(codec) {
      for (const text of ["", "x", "{}", "null", "icj", "ic??{}", "PK\x03\x04"]) {
        await fails(() => codec.decode(new TextEncoder().encode(text)));
      }
      const bytes = await codec.encode({ a: 1 });
      for (let i = 0; i < 4; i++) {
        const other = bytes.slice();
        other[i]! ^= 0x80;
        await fails(() => codec.decode(other));
      }
    },
  },
];
