// The blocks of docs/custom-store.md that are for test runners: each runs the whole suite in its own.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { storeConformance } from "../../src/testing/store-conformance.ts";
import { readRepository } from "../house/repository.ts";
import { binary, root, toolEnv } from "../tooling/install.mjs";
import { splitPage } from "./markdown.ts";
import { bundleBlock } from "./snippets.ts";

const page = readRepository().find(({ path }) => path === "docs/custom-store.md");
const { blocks } = splitPage(page ?? { path: "", text: "" });
const runners = blocks.filter(({ words }) => words.includes("runner"));

/** The name of the file that a block says it is. */
const fileOf = (code: string): string => /^\/\/ (\S+)\n/.exec(code)?.[1] ?? "";

/** What starts the runner of a file, and how it says that all cases passed. */
const commands: Readonly<Record<string, readonly [command: string, args: readonly string[], passed: RegExp]>> = {
  "store.vitest.test.ts": ["vitest", ["run", "--root=."], /Tests +(\d+) passed/],
  "store.node.test.ts": ["node", ["--test", "--test-reporter=tap", "store.node.test.ts"], /# pass (\d+)/],
  "store.bun.test.ts": ["bun", ["test", "./store.bun.test.ts"], /(\d+) pass/],
  "store.deno.test.ts": ["deno", ["test", "--no-check", "--no-lock", "store.deno.test.ts"], /(\d+) passed/],
};

const folder = mkdtempSync(join(tmpdir(), "isocache-runners-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  // What a user's folder has: the package, and the runners; here the package is the source, bundled.
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "isocache"), { recursive: true });
  symlinkSync(join(root, "node_modules", "vitest"), join(modules, "vitest"));
  const exports = { ".": "./all.mjs", "./testing": "./all.mjs" };
  writeFileSync(join(modules, "isocache", "package.json"), JSON.stringify({ type: "module", exports }));
  const code = 'export * from "isocache";\nexport * from "isocache/testing";';
  const all = await bundleBlock({ path: "all", language: "ts", words: [], code, lines: [1] });
  writeFileSync(join(modules, "isocache", "all.mjs"), all);
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "vitest.config.mjs"), `export default { test: { include: ["*.vitest.test.ts"] } };`);
  for (const { code } of blocks) if (/^\S+\.ts$/.test(fileOf(code))) writeFileSync(join(folder, fileOf(code)), code);
});

it("there is a block for each runner", () => {
  expect(runners.map(({ code }) => fileOf(code)).sort()).toEqual(Object.keys(commands).sort());
});

for (const [file, [command, args, passed]] of Object.entries(commands)) {
  it(`${file} runs every case`, async () => {
    const env = { ...toolEnv(), NO_COLOR: "1", NODE_TEST_CONTEXT: undefined, VITEST: undefined };
    const output = await new Promise<string>((resolve) => {
      const limits = { cwd: folder, env, timeout: 50_000, killSignal: "SIGKILL" } as const;
      execFile(binary(command), args, limits, (_, stdout, stderr) => resolve(`${stdout}\n${stderr}`));
    });
    expect(passed.exec(output)?.[1], output).toBe(String(storeConformance.length));
  });
}
