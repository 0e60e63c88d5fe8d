// What must hold for a page besides its code: links lead somewhere, commands exist, every block can be checked.
import { posix } from "node:path";
import type { SourceText } from "../house/repository.ts";
import type { Offence } from "../house/rule.ts";
import type { Block } from "./markdown.ts";
import { anchorsIn, linksIn, splitPage } from "./markdown.ts";

const shells = new Set(["sh", "bash", "console"]);
const languages = new Set(["ts", "js", ...shells, "json", "jsonc", "toml", "text", "http", "diff"]);

/** Links of a page that lead to no file of the repository, or to no heading. */
export function brokenLinks(page: SourceText, files: readonly SourceText[]): Offence[] {
  const found: Offence[] = [];
  for (const { target, line } of linksIn(splitPage(page).prose)) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
    const [file = "", anchor = ""] = target.split("#");
    const path = file === "" ? page.path : posix.join(posix.dirname(page.path), decodeURI(file)).replace(/\/$/, "");
    const linked = files.find((other) => other.path === path);
    if (linked === undefined && !files.some((other) => other.path.startsWith(`${path}/`))) {
      found.push({ path: page.path, line, what: `links to ${target}: there is no ${path}` });
    } else if (anchor !== "" && linked !== undefined && !anchorsIn(linked).includes(anchor)) {
      found.push({ path: page.path, line, what: `links to ${target}: ${path} has no such heading` });
    }
  }
  return found;
}

const npmBuiltins = /^(ci|i|install|init|create|pack|publish|exec|view)$/;

/** What a line of shell asks for that does not exist: a script of package.json or a file given to node. */
function missingIn(line: string, scripts: readonly string[], files: readonly SourceText[]): string[] {
  const missing: string[] = [];
  for (const [, run, command = ""] of line.matchAll(/\bnpm (run )?([\w:.-]+)/g)) {
    if (command.startsWith("-") || (run === undefined && npmBuiltins.test(command))) continue;
    if (!scripts.includes(command)) missing.push(`package.json has no script "${command}"`);
  }
  for (const [, file = ""] of line.matchAll(/\bnode ([\w./-]+\.\w+)/g)) {
    if (!files.some(({ path }) => path === posix.normalize(file))) missing.push(`there is no ${file}`);
  }
  return missing;
}

/** Shell blocks that name what does not exist, and blocks of a language that nothing checks. */
export function badBlocks(
  blocks: readonly Block[],
  scripts: readonly string[],
  files: readonly SourceText[],
): Offence[] {
  return blocks.flatMap(({ path, language, code, lines }) => {
    const first = (lines[0] ?? 1) - 1;
    if (!languages.has(language)) {
      const what = `a block in "${language}": write one of ${[...languages].join(", ")}, so that it is checked or known not to be`;
      return [{ path, line: first, what }];
    }
    if (!shells.has(language)) return [];
    return code
      .split("\n")
      .flatMap((text, index) =>
        missingIn(text, scripts, files).map((what) => ({ path, line: lines[index] ?? first, what })),
      );
  });
}
