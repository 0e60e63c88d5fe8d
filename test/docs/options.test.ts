// The tables of docs/options.md against the code: nothing is missing, and every default is the one that applies.
import { describe, expect, it } from "vitest";
import { memoryBus } from "../../src/bus/memory.ts";
import { createCache } from "../../src/cache.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import { OptionError } from "../../src/errors.ts";
import { resolveCache, type CacheOptions } from "../../src/options/cache.ts";
import { parseSize } from "../../src/options/durations.ts";
import { DEFAULTS, ENTRY, resolveEntry } from "../../src/options/entry.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { readRepository } from "../house/repository.ts";
import { rowsUnder } from "./markdown.ts";

const files = readRepository();
const page = files.find(({ path }) => path === "docs/options.md")?.text ?? "";

/** The value that a cell shows; undefined for "none". */
const valueOf = (cell: string): unknown =>
  cell === "none" ? undefined : cell === "Infinity" ? Infinity : JSON.parse(cell);

/** Every name that `createCache` takes, from the message that refuses an unknown one. */
function namesTaken(): string[] {
  const unknown: object = { nothing: 1 };
  try {
    createCache(unknown);
  } catch (error) {
    return /there are (.*)$/.exec(String(error))?.[1]?.split(", ") ?? [];
  }
  return [];
}

/** For each word in "takes": what is taken, and what is refused. */
const kinds: Readonly<Record<string, readonly [taken: readonly unknown[], refused: readonly unknown[]]>> = {
  duration: [
    [0, 5, "2.5h", "1ms", Infinity],
    [-1, "5", "5kb", true, null],
  ],
  "time-out": [
    [1, "2s", "24d"],
    [0, "25d", Infinity, "5kb"],
  ],
  size: [
    [0, 5, "512b", "64kb", "1gb"],
    [-1, "5s", "5", null],
  ],
  count: [
    [1, 8_388_608],
    [0, 1.5, 8_388_609, "1"],
  ],
  "count, Infinity": [
    [1, 8_388_608, Infinity],
    [0, 1.5],
  ],
  fraction: [
    [0, 0.5, 1],
    [-0.1, 1.1, "1"],
  ],
  flag: [
    [true, false],
    [0, "true", null],
  ],
  text: [
    ["x", "x".repeat(1_024)],
    [1, null],
  ],
  texts: [
    [[], ["x"]],
    ["x", [1], [""], Array.from({ length: 101 }, String)],
  ],
  "a mode": [[], ["nothing", 1, null]],
  options: [[{}], [null, { nothing: 1 }]],
  "options, `false`": [
    [{}, false],
    [null, { nothing: 1 }, true],
  ],
  "a store": [[memoryStore()], [null, {}]],
  "a bus": [[memoryBus()], [null, {}]],
  "a codec": [[{ name: "x", encode: () => undefined, decode: () => undefined }], [null, {}]],
  "a logger": [[console], [null, {}]],
  "a platform": [[virtualPlatform()], [null, {}]],
  "an AbortSignal": [[new AbortController().signal], [null, {}]],
  "a schema or function": [[() => true], [null, {}]],
};

/** The options object in which "memory.maxBytes" has this value. */
function optionsOf(name: string, value: unknown): CacheOptions {
  const [outer = "", inner] = name.split(".");
  const given = inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } };
  // A cache without memory needs a store.
  return outer === "memory" && value === false ? { ...given, store: memoryStore() } : given;
}

describe("the tables of docs/options.md", () => {
  const cacheRows = rowsUnder(page, "Cache options");
  const entryRows = rowsUnder(page, "Entry options");

  it("list every cache option", () => {
    const listed = cacheRows.map(([name = ""]) => name.split(".")[0]);
    const inherited = Object.keys(ENTRY);
    expect(new Set([...listed, ...inherited])).toEqual(new Set(namesTaken()));
  });

  it("list what is inside of options that are objects", () => {
    const inside = (outer: string) => cacheRows.flatMap(([name = ""]) => name.split(`${outer}.`)[1] ?? []);
    for (const outer of ["memory", "storeBreaker"]) {
      const unknown = optionsOf(`${outer}.nothing`, 1);
      expect(() => resolveCache(unknown)).toThrow(`there are ${inside(outer).join(", ")}`);
    }
  });

  it("list every entry option", () => {
    expect(entryRows.map(([name]) => name).sort()).toEqual(Object.keys(ENTRY).sort());
  });

  for (const [name = "", , cell = ""] of cacheRows) {
    it(`show the default of ${name}`, () => {
      const value = valueOf(cell);
      if (name === "memory.maxBytes") return expect(defaultPlatform().memoryBytes).toBe(parseSize(name, value));
      expect(resolveCache(optionsOf(name, value))).toEqual(resolveCache({}));
      if (value === undefined) expect(resolveCache({})).toHaveProperty(name, undefined);
    });
  }

  it("show the default of memory.maxBytes on Workers", () => {
    const meaning = cacheRows.find(([name]) => name === "memory.maxBytes")?.[3];
    // Its platform cannot be imported outside of workerd.
    const { text = "" } = files.find(({ path }) => path === "runtimes/cloudflare/platform.ts") ?? {};
    const megabytes = /memoryBytes: (\d+) \* 1024 \*\* 2/.exec(text)?.[1] ?? "none";
    expect(meaning).toContain(`on Workers the default is ${megabytes} MB`);
  });

  for (const [name = "", , cell = ""] of entryRows) {
    it(`show the default of ${name}`, () => {
      const value = valueOf(cell);
      expect(resolveEntry(DEFAULTS, { [name]: value })).toEqual(DEFAULTS);
      const resolvedName = name in DEFAULTS ? name : `${name}Ms`; // durations are resolved to milliseconds
      if (value === undefined) expect(DEFAULTS).toHaveProperty(resolvedName, undefined);
    });
  }

  it("say of every option what it takes", () => {
    for (const [name = "", takes = ""] of cacheRows) {
      const [taken, refused] = kinds[takes] ?? [];
      for (const value of taken ?? []) resolveCache(optionsOf(name, value));
      for (const value of refused ?? [undefined])
        expect(() => resolveCache(optionsOf(name, value)), `${name}: ${String(value)}`).toThrow(OptionError);
    }
    for (const [name = "", takes = ""] of entryRows) {
      const [taken, refused] = kinds[takes] ?? [];
      for (const value of taken ?? []) resolveEntry(DEFAULTS, { [name]: value });
      for (const value of refused ?? [undefined])
        expect(() => resolveEntry(DEFAULTS, { [name]: value }), `${name}: ${String(value)}`).toThrow(OptionError);
    }
  });

  it("name every mode", () => {
    for (const [name = "", takes, cell = "", meaning = ""] of [...cacheRows, ...entryRows]) {
      if (takes !== "a mode") continue;
      const modes = [cell, ...[...meaning.matchAll(/`("\w+")`/g)].map(([, mode = ""]) => mode)].map(valueOf);
      const refusal = new RegExp(`is not ${modes.map((mode) => JSON.stringify(mode)).join(" or ")}$`);
      expect(() => resolveCache(optionsOf(name, "nothing"))).toThrow(refusal);
    }
  });
});
