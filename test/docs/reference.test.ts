// The API reference: a page for each entry point, and nothing exported that has no docstring. `npm run check` says if it is old.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeReference, modulesOf } from "../tooling/reference.mjs";

const base = mkdtempSync(join(tmpdir(), "isocache-reference-test-"));
afterAll(() => rmSync(base, { recursive: true }));

function write(path: string, ...lines: readonly string[]): void {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), [...lines, ""].join("\n"));
}

it("has a page for each entry point of the package, by what most runtimes import", () => {
  const types = (name: string) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  const exports = {
    ".": { workerd: types("runtimes/entry"), default: types("src/index") },
    "./codec/new": types("src/codec/new"),
    "./package.json": "./package.json",
  };
  expect(modulesOf(exports)).toEqual([
    { name: "isocache", page: "isocache", source: "src/index.ts" },
    { name: "isocache/codec/new", page: "codec-new", source: "src/codec/new.ts" },
  ]);
});

it("names what has no docstring, and types that are not exported", async () => {
  write("tsconfig.workers.json", `{ "compilerOptions": { "strict": true }, "files": ["a.ts"] }`);
  write("package.json", `{ "name": "planted" }`);
  write(
    "a.ts",
    "// isocache/a: what is planted.",
    "interface Hidden { readonly deep: number }",
    "/** Told. */",
    "export interface Base {",
    "  /** Told. */",
    "  readonly told: number;",
    "  readonly untold: Hidden;",
    "}",
    "/** Told. */",
    "export interface Derived extends Base {",
    "  run(): void;",
    "  /** Told. */",
    "  walk(): void;",
    "}",
    "/** Told. */",
    "export class Failure extends Error {",
    "  override readonly name = 'Failure';",
    "}",
    "export function untold(base: Base): Derived { return base as Derived; }",
    "/** See {@link Nowhere}. */",
    "export const told = 1;",
  );
  const { faults, pages } = await makeReference([{ name: "isocache/a", page: "a", source: "a.ts" }], base);
  expect(faults.sort()).toEqual([
    expect.stringMatching(/^Failed to resolve link to "Nowhere"/),
    expect.stringMatching(/^Hidden, .* is referenced by a.Base.untold but not included/),
    expect.stringMatching(/^a.Base.untold has no docstring/),
    expect.stringMatching(/^a.Derived.run has no docstring/),
    expect.stringMatching(/^a.untold has no docstring/),
  ]);
  expect([...pages.keys()].sort()).toEqual(["README.md", "a.md"]);
  expect(pages.get("README.md")).toContain("- [`isocache/a`](a.md): What is planted.");
  expect(pages.get("a.md")).toMatch(/^# isocache\/a\n\nWhat is planted\.\n/);
});

it("refuses an entry point whose first line does not say what it is", async () => {
  write("b.ts", "// The codec.");
  await expect(makeReference([{ name: "isocache/b", page: "b", source: "b.ts" }], base)).rejects.toThrow(
    'b.ts: begin with "// isocache/b: ..."',
  );
});
