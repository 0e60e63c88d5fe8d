// The house is clean, each rule finds what is planted against it, and none cries over what is allowed.
import { describe, expect, it } from "vitest";
import { filesStayShort, longFiles } from "./form-rules.ts";
import type { SourceText } from "./repository.ts";
import { readRepository } from "./repository.ts";
import type { Rule } from "./rule.ts";
import { show } from "./rule.ts";
import { rules } from "./rules.ts";

type RuleName = keyof typeof rules;
const ruleNames = Object.keys(rules) as RuleName[]; // its own keys

/** Files by path, a line per string. */
function plant(files: Record<string, readonly string[]>): SourceText[] {
  return Object.entries(files).map(([path, lines]) => ({ path, text: [...lines, ""].join("\n") }));
}

function offences(rule: Rule, files: Record<string, readonly string[]>): string[] {
  return rule.find(plant(files)).map(show);
}

/** Those that may be long, as they are. */
const listed = Object.fromEntries(Object.keys(longFiles).map((path) => [path, Array.from({ length: 301 }, () => "")]));

/** Each offence as "file:line" and a piece of what is said. */
const planted: Record<RuleName, { files: Record<string, readonly string[]>; found: readonly [string, string][] }> = {
  sourceImportsOnlyItself: {
    files: {
      "src/a.ts": [
        `import { readFileSync } from "node:fs";`,
        `import type { DurableObject } from "cloudflare:workers";`,
        `import { pack } from "msgpackr";`,
        `export * from "../runtimes/cloudflare/index.ts";`,
        `const sqlite = await import("bun:sqlite");`,
        `type Path = import("node:path").ParsedPath;`,
        `import fs = require("fs");`,
        `import { seed } from "../test/seed.ts";`,
      ],
      "src/codec/msgpack.ts": [`import { pack } from "msgpackr";`],
    },
    found: [
      ["src/a.ts:1", `"node:fs"`],
      ["src/a.ts:2", `"cloudflare:workers"`],
      ["src/a.ts:3", `"msgpackr"`],
      ["src/a.ts:4", `"../runtimes/cloudflare/index.ts"`],
      ["src/a.ts:5", `"bun:sqlite"`],
      ["src/a.ts:6", `"node:path"`],
      ["src/a.ts:7", `"fs"`],
      ["src/a.ts:8", `"../test/seed.ts"`],
      ["src/codec/msgpack.ts:1", `"msgpackr"`],
    ],
  },
  noRuntimeGlobals: {
    files: {
      "src/a.ts": [
        `export const home = process.env["HOME"];`,
        `export const bytes = Buffer.from("a");`,
        `export const env = globalThis.Deno;`,
        `export const bun = (globalThis as { Bun?: unknown }).Bun;`,
        `const { process: p } = globalThis;`,
        `export const kind = typeof window;`,
        `export const object = { Buffer };`,
      ],
    },
    found: [
      ["src/a.ts:1", "process"],
      ["src/a.ts:2", "Buffer"],
      ["src/a.ts:3", "Deno"],
      ["src/a.ts:4", "Bun"],
      ["src/a.ts:5", "process"],
      ["src/a.ts:6", "window"],
      ["src/a.ts:7", "Buffer"],
    ],
  },
  arrowsPointInward: {
    files: {
      "src/engine/read.ts": [`import { memoryStore } from "../store/memory.ts";`],
      "src/store/memory.ts": [`import type { Flight } from "../engine/flight.ts";`],
      "src/memory/tier.ts": [`import { StoreError } from "../errors.ts";`],
      "src/duration.ts": [`export { createCache } from "./cache.ts";`],
      "src/errors.ts": [`import { tier } from "./memory/tier.ts";`],
      "src/codec/json.ts": [`import { partitionOf } from "../../runtimes/cloudflare/client.ts";`],
      "src/attic/old.ts": [`export const old = 1;`],
      "runtimes/cloudflare/client.ts": [`import { now } from "../node/clock.ts";`],
    },
    found: [
      ["src/engine/read.ts:1", "src/store/memory.ts"],
      ["src/store/memory.ts:1", "src/engine/flight.ts"],
      ["src/memory/tier.ts:1", "src/errors.ts"],
      ["src/duration.ts:1", "src/cache.ts"],
      ["src/errors.ts:1", "src/memory/tier.ts"],
      ["src/codec/json.ts:1", "runtimes/cloudflare/client.ts"],
      ["src/attic/old.ts:1", "no row"],
      ["runtimes/cloudflare/client.ts:1", "runtimes/node/clock.ts"],
    ],
  },
  noCycles: {
    files: {
      "src/a.ts": [`import { b } from "./b.ts";`],
      "src/b.ts": [``, `import type { C } from "./c.ts";`],
      "src/c.ts": [`export type { A } from "./a.ts";`],
      "src/self.ts": [`import { me } from "./self.ts";`],
    },
    found: [
      ["src/c.ts:1", "src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts"],
      ["src/self.ts:1", "src/self.ts -> src/self.ts"],
    ],
  },
  askThePlatform: {
    files: {
      "src/engine/a.ts": [
        `const at = Date.now();`,
        `const day = new Date();`,
        `const text = Date();`,
        `const { now } = Date;`,
        `const chance = Math.random();`,
        `const since = performance.now();`,
        `setTimeout(() => at, 1);`,
        `const timer = globalThis.setInterval;`,
        `const id = crypto.randomUUID();`,
        `const signal = AbortSignal.timeout(5);`,
        `const fn = { setTimeout };`,
        `const again = globalThis.Date["now"]();`,
        `const { random } = Math as { random(): number };`,
      ],
      "src/codec/encrypt.ts": [`const chance = Math.random();`],
    },
    found: [
      ["src/engine/a.ts:1", "Date.now"],
      ["src/engine/a.ts:2", "new Date()"],
      ["src/engine/a.ts:3", "Date()"],
      ["src/engine/a.ts:4", "Date.now"],
      ["src/engine/a.ts:5", "Math.random"],
      ["src/engine/a.ts:6", "performance"],
      ["src/engine/a.ts:7", "setTimeout"],
      ["src/engine/a.ts:8", "setInterval"],
      ["src/engine/a.ts:9", "crypto"],
      ["src/engine/a.ts:10", "AbortSignal.timeout"],
      ["src/engine/a.ts:11", "setTimeout"],
      ["src/engine/a.ts:12", "Date.now"],
      ["src/engine/a.ts:13", "Math.random"],
      ["src/codec/encrypt.ts:1", "Math.random"],
    ],
  },
  filesStayShort: {
    files: { "src/a.ts": Array.from({ length: 301 }, () => ""), ...listed },
    found: [["src/a.ts:301", "301 lines"]],
  },
  firstLineSaysTheIdea: {
    files: { "src/a.ts": [`import { b } from "./b.ts";`], "test/a.test.ts": [``, `// Too late.`] },
    found: [
      ["src/a.ts:1", "one idea"],
      ["test/a.test.ts:1", "one idea"],
    ],
  },
  importsNameTheFile: {
    files: { "src/a.ts": [`import { b } from "./b";`, `import { c } from "./c";`, `import { d } from ".";`] },
    found: [
      ["src/a.ts:1", "./file.ts"],
      ["src/a.ts:2", "./file.ts"],
      ["src/a.ts:3", "./file.ts"],
    ],
  },
  namedExports: {
    files: {
      "src/a.ts": [`export default function a() {}`],
      "src/b.ts": [`const b = 1;`, `export default b;`],
      "src/c.ts": [`const c = 1;`, `export { c as default };`],
    },
    found: [
      ["src/a.ts:1", "a default"],
      ["src/b.ts:2", "a default"],
      ["src/c.ts:2", "a default"],
    ],
  },
  noAny: {
    files: { "src/a.ts": [`export const a = (b: any) => b;`, `export type C = Map<string, any>;`] },
    found: [
      ["src/a.ts:1", "unknown"],
      ["src/a.ts:2", "unknown"],
    ],
  },
  todosNameAnIssue: {
    files: {
      "src/a.ts": [`const a = 1; // TODO: more`, `/*`, ` * FIXME`, ` */`, `function b() {`, `  // TODO`, `}`, `// XXX`],
    },
    found: [
      ["src/a.ts:1", "TODO"],
      ["src/a.ts:3", "FIXME"],
      ["src/a.ts:6", "TODO"],
      ["src/a.ts:8", "XXX"],
    ],
  },
  onlyRuntimesNameRuntimes: {
    files: {
      "src/a.ts": [
        `export const isDeno = false;`,
        `export const key = Symbol.for("@vercel/request-context");`,
        "export const text = `on ${key} or workerd`;",
      ],
    },
    found: [
      ["src/a.ts:1", "deno"],
      ["src/a.ts:2", "vercel"],
      ["src/a.ts:3", "workerd"],
    ],
  },
  noMachinePaths: {
    files: {
      "README.md": [``, ["Unpack it in ", "tmp", "cache."].join("/")],
      "test/a.ts": [`const folder = "${["", "home", "me", "isocache"].join("/")}";`],
      "docs/a.md": [["[log](file://", "work", "log)"].join("/")],
    },
    found: [
      ["README.md:2", "os.tmpdir()"],
      ["test/a.ts:1", "relative to the repository"],
      ["docs/a.md:1", "relative to the repository"],
    ],
  },
  noRegistries: {
    files: {
      ".npmrc": [``, ["registry", "somewhere"].join("=")],
      "README.md": [`https://${"registry"}.example.com/isocache`],
    },
    found: [
      [".npmrc:2", "somewhere"],
      ["README.md:1", "example.com"],
    ],
  },
  lockfileIsInSync: {
    files: {
      "package.json": [`{ "devDependencies": { "vitest": "5.1.1", "tsup": "9.0.0" } }`],
      "package-lock.json": [
        `{ "packages": {`,
        `  "": { "devDependencies": { "vitest": "5.1.0",`,
        `    "left-over": "1.0.0" } },`,
        `  "node_modules/vitest": { "resolved": "https://packages.example.com/vitest.tgz" }`,
        `} }`,
      ],
    },
    found: [
      ["package-lock.json:2", "vitest"],
      ["package-lock.json:1", "tsup"],
      ["package-lock.json:3", "left-over"],
      ["package-lock.json:4", "packages.example.com"],
    ],
  },
};

/** What looks like an offence and is none. */
const allowed: Record<RuleName, Record<string, readonly string[]>> = {
  sourceImportsOnlyItself: {
    "src/a.ts": [`// import "node:fs"`, `const text = 'import "node:fs"';`, `export * from "./errors.ts";`],
    "runtimes/node/a.ts": [`import { readFileSync } from "node:fs";`],
    "src/codec/msgpack.ts": [`import { Packr } from "msgpackr/index-no-eval";`],
  },
  noRuntimeGlobals: {
    "src/a.ts": [
      `// process.env and Buffer`,
      `export const run = (process: () => void) => process();`,
      `export const text = "Buffer";`,
      `export interface Task { process(): void; Buffer: number }`,
      `export const task = { process: 1, Deno() {} };`,
      `export const used = task.process;`,
      `export const { process: renamed } = task;`,
    ],
    "runtimes/node/a.ts": [`export const env = process.env;`],
  },
  arrowsPointInward: {
    "src/index.ts": [`export { memoryStore } from "./store/memory.ts";`],
    "src/cache.ts": [`import { read } from "./engine/read.ts";`],
    "src/testing/index.ts": [`import { memoryStore } from "../store/memory.ts";`],
    "src/engine/read.ts": [
      `import type { Store } from "../store/contract.ts";`,
      `import { walk } from "../codec/walk.ts";`,
      `import { flight } from "./flight.ts";`,
    ],
    "src/store/memory.ts": [`import { StoreError } from "../errors.ts";`],
    "runtimes/cloudflare/entry.ts": [
      `import { waitUntil } from "cloudflare:workers";`,
      `export * from "../../src/index.ts";`,
    ],
  },
  noCycles: {
    "src/a.ts": [`import "./b.ts";`, `import "./c.ts";`],
    "src/b.ts": [`import "./c.ts";`],
    "src/c.ts": [`// import "./a.ts"`],
  },
  askThePlatform: {
    "src/engine/a.ts": [
      `// Date.now() and Math.random()`,
      `import type { Platform } from "../platform.ts";`,
      `export function run(platform: Platform, date: Date): number {`,
      `  const { now, setTimeout } = platform;`,
      `  setTimeout(() => undefined, 5);`,
      `  platform.setTimeout(() => undefined, Math.max(1, platform.random()));`,
      `  if (date instanceof Date) return new Date(now()).getTime();`,
      `  return Date.UTC(2026, 1);`,
      `}`,
      `export const fake = { setTimeout: run, crypto: "Date.now()" };`,
    ],
    "src/default-platform.ts": [`export const now = (): number => Date.now();`],
    "src/codec/encrypt.ts": [`export const iv = () => crypto.getRandomValues(new Uint8Array(12));`],
    "runtimes/cloudflare/object.ts": [`export const now = (): number => Date.now();`],
  },
  filesStayShort: { "src/a.ts": Array.from({ length: 300 }, () => ""), ...listed },
  firstLineSaysTheIdea: { "src/a.ts": [`// One idea.`], "test/run.mjs": [`#!/usr/bin/env node`, `// Runs.`] },
  importsNameTheFile: { "src/a.ts": [`import { b } from "./b.ts";`], "test/a.ts": [`import { it } from "vitest";`] },
  namedExports: {
    "src/a.ts": [`export const a = (): string => "export default";`],
    "vitest.config.ts": [`export default {};`],
  },
  noAny: { "src/a.ts": [`/** any */`, `export const any = "any";`] },
  todosNameAnIssue: {
    "src/a.ts": [`// TODO #12: more`, `export const text = "// TODO";`, "export const b = `// TODO`;"],
  },
  onlyRuntimesNameRuntimes: {
    "src/a.ts": [`// Cloudflare and Deno`, `export const bundle = (node: string) => node + "bundled";`],
    "runtimes/deno/a.ts": [`export const isDeno = true;`],
  },
  noMachinePaths: {
    "src/a.ts": [`import { work } from "../work/tmp/a.ts";`, `const url = "https://example.com/home/a";`],
  },
  noRegistries: {
    "src/a.ts": [`const registry = new Map();`],
    "README.md": [`https://www.npmjs.com/package/isocache`],
  },
  lockfileIsInSync: {
    "package.json": [`{ "devDependencies": { "vitest": "5.1.1" } }`],
    "package-lock.json": [
      `{ "packages": { "": { "devDependencies": { "vitest": "5.1.1" } },`,
      `  "node_modules/vitest": { "resolved": "https://${"registry"}.npmjs.org/vitest/-/vitest-5.1.1.tgz" } } }`,
    ],
  },
};

const repository = readRepository();

describe.each(ruleNames)("%s", (name) => {
  const rule = rules[name];

  it("finds what is planted, naming file, line and remedy", () => {
    const found = offences(rule, planted[name].files);
    expect(found.map((text) => /^\S+:\d+/.exec(text)?.[0])).toEqual(planted[name].found.map(([place]) => place));
    for (const [index, [, piece]] of planted[name].found.entries()) expect(found[index]).toContain(piece);
  });

  it("is silent about what is allowed", () => {
    expect(offences(rule, allowed[name])).toEqual([]);
  });

  it(`holds in this repository: ${rule.says}`, () => {
    expect(rule.find(repository).map(show)).toEqual([]);
  });
});

describe("filesStayShort with reasons", () => {
  const long = Array.from({ length: 301 }, () => "");

  it("accepts a long file with a reason", () => {
    expect(offences(filesStayShort({ "src/a.ts": "a table" }), { "src/a.ts": long })).toEqual([]);
  });

  it("asks to remove a reason that is no longer needed", () => {
    const rule = filesStayShort({ "src/a.ts": "a table", "src/gone.ts": "was a table" });
    expect(offences(rule, { "src/a.ts": [""] })).toEqual([
      "src/a.ts:1: no longer long: take it off longFiles (form-rules.ts)",
      "src/gone.ts:1: does not exist: take it off longFiles (form-rules.ts)",
    ]);
  });
});

it("the rules look at the repository's own files", () => {
  const paths = repository.map(({ path }) => path);
  expect(paths).toContain("src/errors.ts");
  expect(paths).toContain("package-lock.json");
  expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
});
