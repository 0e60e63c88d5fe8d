// Reads code with the TypeScript parser, so that comments and strings raise no false alarm and lines are right.
import { posix } from "node:path";
import ts from "typescript";
import type { SourceText } from "./repository.ts";

const codeFile = /\.(ts|mts|js|mjs)$/;
const parsed = new WeakMap<SourceText, ts.SourceFile>();

export const isCode = ({ path }: SourceText): boolean => codeFile.test(path);

export function parse(file: SourceText): ts.SourceFile {
  let source = parsed.get(file);
  if (source === undefined) {
    source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2022, true);
    parsed.set(file, source);
  }
  return source;
}

/** The line of a node, counted from 1. */
export function lineAt(node: ts.Node): number {
  return node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

/** Calls `visit` for every node below. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  ts.forEachChild(node, (child) => {
    visit(child);
    walk(child, visit);
  });
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** The file that a relative specifier means, as it is written. Absent for packages and schemes. */
  readonly path?: string;
}

/** What the node imports, in any of the forms: import, export from, import(), import type(), require. */
function specifierOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal as ts.Expression; // a string
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require");
  return loads ? node.arguments[0] : undefined;
}

/** Every import of a file, type-only ones included. A computed specifier is given as its code. */
export function importsOf(file: SourceText): Import[] {
  const found: Import[] = [];
  walk(parse(file), (node) => {
    const expression = specifierOf(node);
    if (expression === undefined) return;
    const specifier = ts.isStringLiteralLike(expression) ? expression.text : expression.getText();
    const path = specifier.startsWith(".") ? posix.join(posix.dirname(file.path), specifier) : undefined;
    found.push({ specifier, line: lineAt(expression), ...(path !== undefined && { path }) });
  });
  return found;
}

/** Every comment of a file with its line. */
export function commentsOf(file: SourceText): { text: string; line: number }[] {
  const source = parse(file);
  const found = new Map<number, string>();
  const collect = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(file.text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(file.text, node.end) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, file.text.slice(pos, end));
    for (const child of node.getChildren(source)) collect(child);
  };
  collect(source);
  return [...found].map(([pos, text]) => ({ text, line: source.getLineAndCharacterOfPosition(pos).line + 1 }));
}
