// Type-checks the code blocks of the docs together, and runs each as a module of its own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import type { Offence } from "../house/rule.ts";
import { binary, root, toolEnv } from "../tooling/install.mjs";
import type { Block } from "./markdown.ts";

/** Blocks that run by themselves; those marked `runner` are for test runners, and run in custom-store.test.ts. */
export const isSnippet = ({ language, words }: Block): boolean =>
  (language === "ts" || language === "js") && !words.includes("runner");

/** Blocks that need workerd: they see Workers' types and are bundled, not run in Node. */
export const isWorker = ({ words }: Block): boolean => words.includes("worker");

/** Packages that are no modules ask for Node's own so. */
const withRequire = `import * as modules from "node:module"; const require = modules.createRequire(import.meta.url);`;

/** Where a block stands, as "README.md:12". */
export const placeOf = ({ path, lines }: Block): string => `${path}:${lines[0] ?? 0}`;

function optionsFrom(config: string, more: ts.CompilerOptions): ts.CompilerOptions {
  const { config: json } = ts.readConfigFile(join(root, config), ts.sys.readFile) as { config: unknown }; // untyped by ts
  const { options } = ts.parseJsonConfigFileContent(json, ts.sys, root);
  const lenient = { noUnusedLocals: false, noUnusedParameters: false, allowJs: true };
  return { ...options, ...lenient, moduleDetection: ts.ModuleDetectionKind.Force, ...more };
}

/** Type errors in blocks that share one set of globals. */
function typeErrorsWith(options: ts.CompilerOptions, blocks: readonly Block[]): Offence[] {
  const byFile = new Map(blocks.map((block, index) => [join(root, `${block.path}.${index}.${block.language}`), block]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => byFile.has(path) || fileExists(path);
  host.readFile = (path) => byFile.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const block = byFile.get(path);
    return block === undefined
      ? getSourceFile(path, target, ...rest)
      : ts.createSourceFile(path, block.code, target, true);
  };
  const program = ts.createProgram([...byFile.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const what = ts.flattenDiagnosticMessageText(messageText, "\n");
    const block = byFile.get(file?.fileName ?? "");
    if (file === undefined || start === undefined) return { path: "tsconfig", line: 1, what };
    const at = file.getLineAndCharacterOfPosition(start).line;
    return { path: block?.path ?? file.fileName, line: block?.lines[at] ?? at + 1, what };
  });
}

/** Every type error of the blocks, at its line of the page. */
export function typeErrors(blocks: readonly Block[]): Offence[] {
  const workers = blocks.filter(isWorker);
  const others = blocks.filter((block) => !isWorker(block));
  return [
    ...(others.length > 0 ? typeErrorsWith(optionsFrom("tsconfig.json", { types: ["node"] }), others) : []),
    ...(workers.length > 0 ? typeErrorsWith(optionsFrom("tsconfig.workers.json", {}), workers) : []),
  ];
}

/** Bundles a block for where it runs; `isocache` is the source, by the `paths` of the tsconfig. */
export async function bundleBlock(block: Block): Promise<string> {
  const worker = isWorker(block);
  const { outputFiles } = await build({
    stdin: { contents: block.code, resolveDir: root, sourcefile: placeOf(block), loader: "ts" },
    tsconfig: join(root, worker ? "tsconfig.workers.json" : "tsconfig.json"),
    bundle: true,
    format: "esm",
    platform: worker ? "neutral" : "node",
    write: false,
    logLevel: "silent",
    ...(worker
      ? { conditions: ["workerd", "worker"], external: ["cloudflare:*", "node:*"] }
      : { banner: { js: withRequire } }),
  });
  return outputFiles[0]?.text ?? "";
}

/** Runs a block in Node as a module. Rejects, naming its place, if it throws or is not over in time. */
export async function runBlock(block: Block, limitMs = 10_000): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "isocache-snippet-"));
  const file = join(folder, "snippet.mjs");
  writeFileSync(file, await bundleBlock(block));
  const limits = { cwd: root, env: toolEnv(), timeout: limitMs, killSignal: "SIGKILL" } as const;
  try {
    return await new Promise((resolve, reject) => {
      execFile(binary("node"), [file], limits, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const why = error.killed === true ? `not over after ${limitMs} ms` : stderr.trim();
        reject(new Error(`${placeOf(block)}: ${why}`, { cause: error }));
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
