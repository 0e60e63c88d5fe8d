// The table of docs/codecs.md is what the codecs do: what comes back of each kind of value.
import { expect, it } from "vitest";
import { compress } from "../../src/codec/compress.ts";
import type { Codec } from "../../src/codec/contract.ts";
import { encrypt } from "../../src/codec/encrypt.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { msgpackCodec } from "../../src/codec/msgpack.ts";
import { CodecError } from "../../src/errors.ts";
import { sameValue } from "../../src/testing/same-value.ts";
import { keyOf, padded } from "../codec/codecs.ts";
import { readRepository } from "../house/repository.ts";
import { tablesIn } from "./markdown.ts";

const page = readRepository().find(({ path }) => path === "docs/codecs.md")?.text ?? "";
const tableUnder = (heading: string): string[][] =>
  (tablesIn(page).find((table) => table.heading === heading)?.rows ?? []).map((row) =>
    row.map((cell) => cell.replaceAll("`", "")),
  );

/** Values of one kind; what may come back instead, in words; what else must hold of what comes back. */
interface Kind {
  readonly values: () => readonly unknown[];
  readonly becomes?: readonly [words: string, value: unknown];
  readonly holds?: (back: unknown) => boolean;
}

const like = (value: unknown): { values: () => unknown[] } => ({ values: () => [value] });
const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const views: readonly (new (buffer: ArrayBuffer) => ArrayBufferView)[] = [
  ...[Uint8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float32Array, Float64Array],
  ...[BigInt64Array, BigUint64Array, DataView],
];
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const shared = { a: 1 };

const kinds: Readonly<Record<string, Kind>> = {
  "strings, null, booleans": like(["", "é😀", "\ufeff", null, true, false]),
  "strings with lone surrogates": like("\ud800" + "x".repeat(100)),
  "finite numbers": like([0, 1.5, -1, 2 ** 53, 5e-324, Number.MAX_VALUE]),
  "-0": like([-0]),
  "NaN, Infinity, -Infinity": like([NaN, Infinity, -Infinity]),
  BigInt: like([0n, -1n, 2n ** 200n]),
  "undefined inside a value": like({ a: undefined, b: [undefined] }),
  "plain objects and arrays": like({ a: [{ b: {} }, []] }),
  "an own key __proto__": like(Object.fromEntries([["__proto__", { a: 1 }]])),
  Date: like([new Date(0), new Date(NaN)]),
  Map: like(new Map<unknown, unknown>([[{ a: 1 }, new Date(1)]])),
  Set: like(new Set([1, new Set()])),
  "ArrayBuffer, DataView, typed arrays": like([bytes.buffer, ...views.map((View) => new View(bytes.slice().buffer))]),
  "Node's Buffer": { values: () => [Buffer.from("ab")], becomes: ["a Uint8Array", Uint8Array.of(97, 98)] },
  "a hole in an array": { values: () => [[, 1]], becomes: ["undefined", [undefined, 1]] },
  "an object without a prototype": {
    values: () => [Object.assign(Object.create(null), { a: 1 })],
    becomes: ["a plain object", { a: 1 }],
  },
  "an object used twice": {
    values: () => [[shared, shared]],
    holds: (back) => Array.isArray(back) && back[0] === back[1],
    becomes: ["two objects", [shared, shared]],
  },
  "keys that are symbols": {
    values: () => [{ a: 1, [Symbol.iterator]: 2 }],
    holds: (back) => Object.getOwnPropertySymbols(back).length > 0,
    becomes: ["dropped", { a: 1 }],
  },
  "a toJSON method": { values: () => [{ toJSON: () => "x" }], becomes: ["what it returns", "x"] },
  "class instances": { values: () => [new (class Point {})(), new URL("http://a"), /a/, new Error("a")] },
  "functions, symbols": { values: () => [() => 1, Symbol("a"), [() => 1]] },
  cycles: like(cyclic),
  "more than 1,000 levels": like(Array.from({ length: 1001 }).reduce<unknown>((inner) => [inner], 1)),
};

const plainJson: Codec = {
  name: "JSON",
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
};
const columns: Readonly<Record<string, Codec>> = {
  "plain JSON": plainJson,
  "jsonCodec()": jsonCodec(),
  "msgpackCodec()": msgpackCodec(),
  "compress(...)": compress(padded(jsonCodec()), { thresholdBytes: 0 }),
  "encrypt(...)": encrypt(jsonCodec(), { keys: { k: keyOf("k") } }),
};

async function outcome(codec: Codec, value: unknown, { becomes, holds }: Kind): Promise<string> {
  try {
    const back = await codec.decode(await codec.encode(value));
    if (sameValue(back, value) && (holds?.(back) ?? true)) return "same";
    return becomes && sameValue(back, becomes[1]) ? becomes[0] : "changed";
  } catch (error) {
    return error instanceof CodecError || codec === plainJson ? "refused" : `failed: ${String(error)}`;
  }
}

/** What most of the values of a kind come to that do not come back the same; "same" only if all do. */
async function cell(codec: Codec, kind: Kind): Promise<string> {
  const outcomes = await Promise.all(kind.values().map((value) => outcome(codec, value, kind)));
  const found = [...new Set(outcomes)].filter((each) => each !== "same").sort();
  return found.join(" or ") || "same";
}

it("the table of what comes back is what the codecs do", async () => {
  const rows = await Promise.all(
    Object.entries(kinds).map(async ([name, kind]) => [
      name,
      ...(await Promise.all(Object.values(columns).map((codec) => cell(codec, kind)))),
    ]),
  );
  const header = ["a value", ...Object.keys(columns)];
  const table = [header, header.map(() => "-"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
  expect(tableUnder("What comes back"), `the table should be\n\n${table}\n`).toEqual(rows);
});
