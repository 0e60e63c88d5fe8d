// Every snippet of the docs compiles and runs, every command exists, every link leads somewhere.
import { describe, expect, it } from "vitest";
import { readRepository } from "../house/repository.ts";
import { show } from "../house/rule.ts";
import { packageJson } from "../tooling/entries.mjs";
import { joinContinued, splitPage } from "./markdown.ts";
import { keepsPromise, promisedOutput } from "./output.ts";
import { badBlocks, brokenLinks } from "./pages.ts";
import { bundleBlock, isSnippet, isWorker, placeOf, runBlock, typeErrors } from "./snippets.ts";

const files = readRepository();
const pages = files.filter(({ path }) => path.endsWith(".md"));
const scripts = Object.keys((packageJson as { scripts: object }).scripts); // read from JSON
const blocks = pages.flatMap((page) => joinContinued(splitPage(page).blocks));
const snippets = blocks.filter(isSnippet);
const named = snippets.map((block) => ({ block, place: placeOf(block) }));

describe("the docs", () => {
  it("link to what exists", () => {
    expect(pages.flatMap((page) => brokenLinks(page, files)).map(show)).toEqual([]);
  });

  it("name commands that exist, in blocks that can be checked", () => {
    expect(badBlocks(blocks, scripts, files).map(show)).toEqual([]);
  });

  it("compile", () => {
    expect(typeErrors(snippets).map(show)).toEqual([]);
  });

  for (const { block, place } of named) {
    if (isWorker(block)) {
      it(`${place} bundles for Workers`, () => bundleBlock(block));
      continue;
    }
    it(`${place} runs and prints what it says`, async () => {
      const output = await runBlock(block);
      if (!keepsPromise(block, output)) expect(output.split("\n").slice(0, -1)).toEqual(promisedOutput(block));
    });
  }
});

/** The blocks of a page made of these lines. */
const blocksOf = (...lines: string[]) => joinContinued(splitPage({ path: "a.md", text: lines.join("\n") }).blocks);

describe("the check of the docs", () => {
  it("shows a type error at its line of the page", () => {
    const found = typeErrors(blocksOf("# A", "```ts", "const a = 1;", "const b: string = a;", "```"));
    expect(found.map(show)).toEqual(["a.md:4: Type 'number' is not assignable to type 'string'."]);
  });

  it("shows a type error in a Worker, which has no document", () => {
    const found = typeErrors(blocksOf("```ts worker", "export const a = document;", "```"));
    expect(found.map(show)).toEqual([expect.stringMatching(/^a.md:2: Cannot find name 'document'/)]);
  });

  it("counts lines through a continued block", () => {
    const page = ["```ts", "const a = 1;", "```", "and then", "```ts continued", "const b: string = a;", "```"];
    expect(typeErrors(blocksOf(...page)).map(show)).toEqual([expect.stringMatching(/^a.md:6: /)]);
  });

  it("runs a block to its end, with top-level await", async () => {
    const [block] = blocksOf(
      "- In a list:",
      "  ```ts",
      "  const a: number = await Promise.resolve(2);",
      "  console.log(a);",
      "  ```",
    );
    expect(block && (await runBlock(block))).toBe("2\n");
  });

  it("fails a block that throws, naming page and line", async () => {
    const [block] = blocksOf("", "```js", `throw new Error("planted");`, "```");
    await expect(block && runBlock(block)).rejects.toThrow(/^a.md:3: [^]*planted/);
  });

  it("compares what a block prints with its comments", () => {
    const code = [
      "// not this",
      "console.log(a); // 1",
      "// nor this",
      "on((b) => console.log(b)); // two: or so",
      'console.log("http://c");',
      'console.log("d");',
      "// http://c",
      "// d",
    ];
    const [block] = blocksOf("```ts", ...code, "```");
    if (block === undefined) throw new Error("there is a block");
    expect(promisedOutput(block)).toEqual(["1", "two: or so", "http://c", "d"]);
    expect(keepsPromise(block, "1\ntwo\nhttp://c\nd\n")).toBe(true);
    expect(keepsPromise(block, "1\ntw\nhttp://c\nd\n")).toBe(false);
    expect(keepsPromise(block, "1\ntwo\nhttp://c\n")).toBe(false);
    expect(keepsPromise(block, "1\ntwo\nhttp://c\nd\ne\n")).toBe(false);
  });

  it("ends a block that does not end", async () => {
    const [block] = blocksOf("```ts", "setInterval(() => undefined, 1000);", "```");
    await expect(block && runBlock(block, 300)).rejects.toThrow("a.md:2: not over after 300 ms");
  });

  it("fails a Worker that imports what does not exist", async () => {
    const [block] = blocksOf("```ts worker", `import { a } from "isocache/nowhere";`, `console.log(a);`, "```");
    await expect(block && bundleBlock(block)).rejects.toThrow("isocache/nowhere");
  });

  it("finds commands that do not exist and languages that nobody checks", () => {
    const page = ["```sh", "npm i isocache && npm run check", "npm run chekc", "npm tset", "node test/none.mjs", "```"];
    const found = badBlocks(blocksOf(...page, "```typescript", "```"), scripts, files);
    expect(found.map(show)).toEqual([
      `a.md:3: package.json has no script "chekc"`,
      `a.md:4: package.json has no script "tset"`,
      "a.md:5: there is no test/none.mjs",
      expect.stringMatching(/^a.md:\d+: a block in "typescript"/),
    ]);
  });

  it("finds links to files and headings that do not exist", () => {
    const text = [
      "## Two words: here",
      "[ok](#two-words-here) [ok](../package.json) [ok](../src) [ok](https://example.com) `[code](none.md)`",
      "[gone](none.md)",
      "[lost](#three-words)",
      "[reference]: ../none",
      "```text",
      "[code](none.md)",
      "```",
    ].join("\n");
    const page = { path: "docs/a.md", text };
    expect(brokenLinks(page, [...files, page]).map(show)).toEqual([
      "docs/a.md:3: links to none.md: there is no docs/none.md",
      "docs/a.md:4: links to #three-words: docs/a.md has no such heading",
      "docs/a.md:5: links to ../none: there is no none",
    ]);
  });
});
