// The table of docs/bus.md against the code: nothing is missing, every default is the one that applies, wrong values are refused.
import { describe, expect, it } from "vitest";
import { resolveBus } from "../../src/bus/options.ts";
import type { BusOptions } from "../../src/bus/options.ts";
import { readRepository } from "../house/repository.ts";
import { rowsUnder } from "./markdown.ts";

const page = readRepository().find(({ path }) => path === "docs/bus.md")?.text ?? "";
const rows = rowsUnder(page, "Options");

const kinds: Readonly<Record<string, readonly [taken: readonly unknown[], refused: readonly unknown[]]>> = {
  "time-out": [
    [1, "2s", "24d"],
    [0, "25d", Infinity, null],
  ],
  count: [
    [1, 100_000],
    [0, 1.5, Infinity, "1"],
  ],
  "count, Infinity": [
    [1, Infinity],
    [0, 1.5, null],
  ],
  flag: [
    [true, false],
    [0, "true", null],
  ],
  name: [
    ["worker-1", "x".repeat(100)],
    ["", "x".repeat(101), 1, null],
  ],
  secret: [["0123456789abcdef"], ["short", 1, null]],
};

/** The options object in which "dedupe.ttl" has this value. */
function optionsOf(name: string, value: unknown): BusOptions {
  const [outer = "", inner] = name.split(".");
  if (inner === undefined) return { [outer]: value };
  return { [outer]: { ...(outer === "sign" && { secret: "a secret of length" }), [inner]: value } };
}

const namesTaken = (options: object): string[] => {
  try {
    resolveBus(options);
  } catch (error) {
    return /there are (.*)$/.exec(String(error))?.[1]?.split(", ") ?? [];
  }
  return [];
};

describe("the table of docs/bus.md", () => {
  it("lists every option", () => {
    const names = namesTaken({ nothing: 1 }).flatMap((outer) => {
      const inner = namesTaken({ [outer]: { nothing: 1 } });
      return inner.length > 0 ? inner.map((name) => `${outer}.${name}`) : [outer];
    });
    expect(rows.map(([name]) => name).sort()).toEqual(names.sort());
  });

  it.each(rows.map(([name = "", takes = "", cell = ""]) => ({ name, takes, cell })))(
    "says what $name takes, and its default",
    ({ name, takes, cell }) => {
      const [taken, refused] = kinds[takes]!;
      for (const value of taken) expect(() => resolveBus(optionsOf(name, value))).not.toThrow();
      for (const value of refused) {
        expect(() => resolveBus(optionsOf(name, value))).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
      }
      if (cell === "none") return;
      const value: unknown = JSON.parse(cell);
      const base = name.startsWith("sign.") ? optionsOf(name, undefined) : {};
      expect(resolveBus(optionsOf(name, value))).toEqual(resolveBus(base));
    },
  );
});
