// The tables of docs/api.md against the code: nothing is missing, and every default is the one that applies.
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import * as errors from "../../src/errors.ts";
import { IsocacheError } from "../../src/errors.ts";
import type { EventName } from "../../src/observe/events.ts";
import { resolveCache } from "../../src/options/cache.ts";
import { parseSize } from "../../src/options/durations.ts";
import { DEFAULTS, ENTRY, resolveEntry } from "../../src/options/entry.ts";
import { readRepository } from "../house/repository.ts";
import { tablesIn } from "./markdown.ts";

const page = readRepository().find(({ path }) => path === "docs/api.md")?.text ?? "";

/** The rows under a heading, without the header row; cells without their backticks. */
const rowsUnder = (heading: string): readonly (readonly string[])[] =>
  (tablesIn(page).find((table) => table.heading === heading)?.rows ?? []).map((row) =>
    row.map((cell) => cell.replace(/^`(.*)`$/, "$1")),
  );

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

describe("the tables of docs/api.md", () => {
  const cacheRows = rowsUnder("Cache options");
  const entryRows = rowsUnder("Entry options");

  it("list every cache option", () => {
    const listed = cacheRows.map(([name = ""]) => name.split(".")[0]);
    const inherited = Object.keys(ENTRY);
    expect(new Set([...listed, ...inherited])).toEqual(new Set(namesTaken()));
  });

  it("list every entry option", () => {
    expect(entryRows.map(([name]) => name).sort()).toEqual(Object.keys(ENTRY).sort());
  });

  for (const [name = "", cell = ""] of cacheRows) {
    it(`show the default of ${name}`, () => {
      const value = valueOf(cell);
      if (name === "memory.maxBytes") return expect(defaultPlatform().memoryBytes).toBe(parseSize(name, value));
      const [outer = "", inner] = name.split(".");
      const given = inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } };
      expect(resolveCache(given)).toEqual(resolveCache({}));
      if (value === undefined) expect(resolveCache({})).toHaveProperty(outer, undefined);
    });
  }

  for (const [name = "", cell = ""] of entryRows) {
    it(`show the default of ${name}`, () => {
      const value = valueOf(cell);
      expect(resolveEntry(DEFAULTS, { [name]: value })).toEqual(DEFAULTS);
      const resolvedName = name in DEFAULTS ? name : `${name}Ms`; // durations are resolved to milliseconds
      if (value === undefined) expect(DEFAULTS).toHaveProperty(resolvedName, undefined);
    });
  }

  it("list every method", () => {
    const methods = rowsUnder("Methods").map(([call = ""]) => /^cache\.(\w+)\(/.exec(call)?.[1]);
    expect(methods.sort()).toEqual(Object.keys(createCache()).sort());
  });

  it("list every event", () => {
    // Typed by the names, so that none can be forgotten here.
    const events: Record<EventName, true> = {
      hit: true,
      miss: true,
      load: true,
      write: true,
      sync: true,
      breaker: true,
      evict: true,
      error: true,
    };
    expect(
      rowsUnder("Events")
        .map(([name]) => name)
        .sort(),
    ).toEqual(Object.keys(events).sort());
  });

  it("list every error with its code", () => {
    const classes = Object.values(errors).filter((each) => each !== IsocacheError);
    const thrown = classes.map((Each) => {
      const { name, code } = new (Each as new () => IsocacheError)(); // all but the base can be made
      return [name, code];
    });
    expect(
      rowsUnder("Errors")
        .map((row) => row.slice(0, 2))
        .sort(),
    ).toEqual(thrown.sort());
  });
});
