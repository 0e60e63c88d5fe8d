// Finds code blocks, links and headings in Markdown: as much of its grammar as our own pages use.
import type { SourceText } from "../house/repository.ts";

export interface Block {
  readonly path: string;
  readonly language: string;
  /** What follows the language on the opening line: `ts worker` has ["worker"]. */
  readonly words: readonly string[];
  readonly code: string;
  /** The line of the page on which each line of the code stands, counted from 1. */
  readonly lines: readonly number[];
}

const fence = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/;

/** Splits a page into its code blocks and the rest, in which code is blanked and lines keep their numbers. */
export function splitPage({ path, text }: SourceText): { blocks: Block[]; prose: string[] } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { indent: number; mark: string; info: string; code: string[]; first: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", mark = "", info = ""] = fence.exec(line) ?? [];
    if (open === undefined && mark === "") {
      prose.push(line.replace(/`[^`]*`/g, (code) => " ".repeat(code.length)));
      continue;
    }
    prose.push("");
    if (open === undefined) {
      open = { indent: indent.length, mark, info, code: [], first: index + 2 };
    } else if (mark.startsWith(open.mark) && info === "") {
      const [language = "", ...words] = open.info.split(/\s+/);
      const { first } = open;
      blocks.push({ path, language, words, code: open.code.join("\n"), lines: open.code.map((_, at) => first + at) });
      open = undefined;
    } else {
      open.code.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  return { blocks, prose };
}

/** A block that says `continued` is one module with the last block of its language before it on the page. */
export function joinContinued(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const at = block.words.includes("continued")
      ? joined.findLastIndex(({ language }) => language === block.language)
      : -1;
    const before = joined[at];
    if (before === undefined) joined.push(block);
    else joined[at] = { ...before, code: `${before.code}\n${block.code}`, lines: [...before.lines, ...block.lines] };
  }
  return joined;
}

/** Targets of inline links, images and reference definitions, with their lines. */
export function linksIn(prose: readonly string[]): { target: string; line: number }[] {
  const link = /\]\(<?([^)>\s]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*<?([^>\s]+)/g;
  return prose.flatMap((text, index) =>
    [...text.matchAll(link)].map(([, inline, reference]) => ({ target: inline ?? reference ?? "", line: index + 1 })),
  );
}

/** The anchors of a page: those that GitHub makes of its headings, and those that it sets itself. */
export function anchorsIn({ text, path }: SourceText): string[] {
  const inCode = new Set(splitPage({ text, path }).blocks.flatMap(({ lines }) => lines));
  const headings = text.split("\n").filter((line, index) => /^#{1,6} /.test(line) && !inCode.has(index + 1));
  const count = new Map<string, number>();
  const slugs = headings.map((line) => {
    const slug = line
      .replace(/^#+ /, "")
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const times = count.get(slug) ?? 0;
    count.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
  return [...slugs, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)];
}

/** Tables, each with the nearest heading above it; the first of the rows of cells is not the header. A `\|` stays in its cell. */
export function tablesIn(text: string): { heading: string; rows: string[][] }[] {
  const tables: { heading: string; rows: string[][] }[] = [];
  let heading = "";
  let above = "";
  for (const line of text.split("\n")) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (/^#+ /.test(line)) heading = line.replace(/^#+ /, "");
    if (/^\|[-: |]+\|$/.test(line) && above.startsWith("|")) tables.push({ heading, rows: [] });
    else if (line.startsWith("|") && above.startsWith("|")) tables.at(-1)?.rows.push(cells.slice(1, -1));
    above = line;
  }
  return tables;
}

/** The rows of the first table under a heading; a cell that is one piece of code comes without its backticks. */
export const rowsUnder = (text: string, heading: string): string[][] =>
  (tablesIn(text).find((table) => table.heading === heading)?.rows ?? []).map((row) =>
    row.map((cell) => cell.replace(/^`([^`]*)`$/, "$1")),
  );
