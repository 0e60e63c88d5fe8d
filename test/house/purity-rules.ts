// What src must not touch: a runtime's globals and names, clocks, randomness and timers.
import ts from "typescript";
import { globalUses } from "./globals.ts";
import type { SourceText } from "./repository.ts";
import type { Offence, Rule } from "./rule.ts";
import { within } from "./rule.ts";
import { isCode, lineAt, parse, walk } from "./syntax.ts";

/** Not on every runtime. */
const runtimeGlobals = {
  process: true,
  Buffer: true,
  Deno: true,
  Bun: true,
  require: true,
  module: true,
  global: true,
  __dirname: true,
  __filename: true,
  setImmediate: true,
  EventSource: true,
  window: true,
  document: true,
  localStorage: true,
} as const;

/** What a virtual platform could not control. */
const impureGlobals = {
  Date: ["now", "new()", "()"],
  Math: ["random"],
  AbortSignal: ["timeout"],
  performance: true,
  crypto: true,
  setTimeout: true,
  clearTimeout: true,
  setInterval: true,
  clearInterval: true,
} as const;

/** The one file that reads the real ones, at call time. */
const realPlatform = "src/default-platform.ts";
/** Keys, initialization vectors and signatures come from Web Crypto alone: with a seeded random, encryption would be none. */
const cryptography: readonly string[] = ["src/codec/encrypt.ts", "src/bus/sign.ts"];

/** The clients of Redis that are written for one runtime tell bytes from text by its class, and take no other. */
const bufferClients = "src/store/redis/buffer.ts";
/** The one file that looks for variables of the environment, where there is a place for them. */
const environment = "src/store/redis/environment.ts";

const sourceFiles = (files: readonly SourceText[]): SourceText[] =>
  files.filter((file) => isCode(file) && file.path.startsWith("src/"));

export const noRuntimeGlobals: Rule = {
  says: "src uses no globals that only some runtimes have",
  find: (files) =>
    globalUses(sourceFiles(files), runtimeGlobals)
      .filter(({ path, name }) => path !== bufferClients || name !== "Buffer")
      .filter(({ path, name }) => path !== environment || name !== "process")
      .map(({ path, line, name }) => ({
        path,
        line,
        what: `uses ${name}, which not every runtime has: use a Web API, or have runtimes/ pass it in`,
      })),
};

export const askThePlatform: Rule = {
  says: "src asks the platform for time, randomness and timers",
  find: (files) =>
    globalUses(
      sourceFiles(files).filter(({ path }) => path !== realPlatform),
      impureGlobals,
    )
      .filter(({ path, name }) => !cryptography.includes(path) || name !== "crypto")
      .map(({ path, line, name }) => ({
        path,
        line,
        what: `uses ${name}: ask the Platform (or a clock passed in), so that tests own time and chance`,
      })),
};

const runtimeNames = new Set(["cloudflare", "workerd", "miniflare", "vercel", "deno", "bun", "nodejs"]);

function wordsOf(text: string): string[] {
  return text.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/).map((word) => word.toLowerCase());
}

function namedRuntimes(file: SourceText): Offence[] {
  const found: Offence[] = [];
  walk(parse(file), (node) => {
    if (!ts.isIdentifier(node) && !ts.isStringLiteralLike(node) && !ts.isTemplateLiteralToken(node)) return;
    for (const word of wordsOf(node.text).filter((word) => runtimeNames.has(word))) {
      found.push({
        path: file.path,
        line: lineAt(node),
        what: `names ${word}: only runtimes/ knows a runtime; pass in what differs`,
      });
    }
  });
  return found;
}

export const onlyRuntimesNameRuntimes: Rule = {
  says: "code outside runtimes/ names no runtime",
  find: (files) => within(files.filter(isCode), ["src/"], namedRuntimes),
};
