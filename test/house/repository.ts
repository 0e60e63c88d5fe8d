// The files of this repository as texts: what the rules of the house look at.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tooling/install.mjs";

/** A file, real or planted by a test. The path is relative to the top, with slashes. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

const skipped = /^(node_modules|dist|coverage|\.git|\.wrangler|\.env.*|\.dev\.vars|.*\.tgz|.*\.bundled_.*)$/;

function paths(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (skipped.test(entry.name)) return [];
    if (entry.isDirectory()) return paths(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Every text file that belongs to the repository, sorted by path. Files with a zero byte are not text. */
export function readRepository(): SourceText[] {
  const files = paths("").map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  return files.filter(({ text }) => !text.includes("\0")).sort((a, b) => (a.path < b.path ? -1 : 1));
}
