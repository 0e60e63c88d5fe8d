// How a file is written: its length, its first line, its exports, its comments.
import ts from "typescript";
import type { SourceText } from "./repository.ts";
import type { Offence, Rule } from "./rule.ts";
import { within } from "./rule.ts";
import { commentsOf, isCode, lineAt, parse, walk } from "./syntax.ts";

const maxLines = 300;

/** Files that may be longer, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {
  "src/store/contract.ts": "types and docstrings alone, meant to be read from the first line to the last",
};

const linesIn = (text: string): number => text.replace(/\n$/, "").split("\n").length;

export function filesStayShort(reasons: Readonly<Record<string, string>>): Rule {
  const look = (file: SourceText): Offence[] => {
    const count = linesIn(file.text);
    const listed = Object.hasOwn(reasons, file.path);
    if (count > maxLines && !listed) {
      const what = `${count} lines: split it by ideas, or give a reason in longFiles (form-rules.ts)`;
      return [{ path: file.path, line: maxLines + 1, what }];
    }
    if (count > maxLines || !listed) return [];
    return [{ path: file.path, line: 1, what: "no longer long: take it off longFiles (form-rules.ts)" }];
  };
  return {
    says: `files of more than ${maxLines} lines have a listed reason`,
    find: (files) => [
      ...within(files.filter(isCode), ["src/", "runtimes/"], look),
      ...Object.keys(reasons)
        .filter((path) => !files.some((file) => file.path === path))
        .map((path) => ({ path, line: 1, what: "does not exist: take it off longFiles (form-rules.ts)" })),
    ],
  };
}

export const firstLineSaysTheIdea: Rule = {
  says: "the first line of a file says its one idea",
  find: (files) =>
    within(files.filter(isCode), ["src/", "runtimes/", "test/"], ({ path, text }) =>
      /^(#!.*\n)?\/\/ \S/.test(text)
        ? []
        : [{ path, line: 1, what: "begins without a comment: say the file's one idea" }],
    ),
};

const isDefault = (node: ts.Node): boolean =>
  ts.isExportAssignment(node) ||
  (ts.isExportSpecifier(node) && node.name.text === "default") ||
  (ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword));

function offendingNodes(file: SourceText, offends: (node: ts.Node) => boolean, what: string): Offence[] {
  const found: Offence[] = [];
  walk(parse(file), (node) => {
    if (offends(node)) found.push({ path: file.path, line: lineAt(node), what });
  });
  return found;
}

export const namedExports: Rule = {
  says: "src has named exports only",
  find: (files) =>
    within(files.filter(isCode), ["src/"], (file) =>
      offendingNodes(file, isDefault, "exports a default: give it a name, the same everywhere"),
    ),
};

export const noAny: Rule = {
  says: "nothing is typed any",
  find: (files) =>
    within(files.filter(isCode), ["src/", "runtimes/"], (file) =>
      offendingNodes(
        file,
        (node) => node.kind === ts.SyntaxKind.AnyKeyword,
        "typed any: use unknown at the edge and parse it once",
      ),
    ),
};

export const todosNameAnIssue: Rule = {
  says: "an open task in a comment names its issue",
  find: (files) =>
    files.filter(isCode).flatMap((file) =>
      commentsOf(file).flatMap(({ text, line }) =>
        text.split("\n").flatMap((part, index) => {
          const mark = /\b(TODO|FIXME|XXX|HACK)\b(?!.*#\d)/.exec(part)?.[1];
          const what = `${mark} without an issue: do it now, or open one and write ${mark} #number`;
          return mark === undefined ? [] : [{ path: file.path, line: line + index, what }];
        }),
      ),
    ),
};
