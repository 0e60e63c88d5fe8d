// Finds uses of global names: by scope, so that a parameter called `process` is no alarm and `globalThis.process` is one.
import ts from "typescript";
import type { SourceText } from "./repository.ts";
import { lineAt, parse, walk } from "./syntax.ts";

export interface GlobalUse {
  readonly path: string;
  readonly line: number;
  /** The global's name, or with the member that is used: "Date.now", "new Date()". */
  readonly name: string;
}

/** Binds the files to each other's scopes without any library, so that whatever is not declared in them is global. */
function checkerOf(files: readonly SourceText[]): ts.TypeChecker {
  const sources = new Map(files.map((file) => [file.path, parse(file)]));
  const host: ts.CompilerHost = {
    getSourceFile: (path) => sources.get(path),
    fileExists: (path) => sources.has(path),
    readFile: () => undefined,
    writeFile: () => undefined,
    getDefaultLibFileName: () => "none",
    getCurrentDirectory: () => "",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  };
  const options = { noLib: true, noResolve: true, allowJs: true, moduleDetection: ts.ModuleDetectionKind.Force };
  return ts.createProgram([...sources.keys()], options, host).getTypeChecker();
}

/** An identifier that names a member, a label or an import of something else, not a thing in scope. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent) || ts.isImportSpecifier(parent)) return parent.propertyName === node;
  if (ts.isExportSpecifier(parent)) return parent.propertyName !== undefined && parent.name === node;
  if (ts.isMetaProperty(parent) || ts.isLabeledStatement(parent) || ts.isNamedTupleMember(parent)) return true;
  return (
    (ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent)) && parent.name === node
  );
}

/** The expression inside parentheses, casts and assertions. */
function bare(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node)
    ? bare(node.expression)
    : node;
}

const objects = new Set(["globalThis", "self", "window"]);

/** The member that an access names, as in `object.member` and `object["member"]`. */
function member(node: ts.Node): { object: ts.Expression; name: string } | undefined {
  if (ts.isPropertyAccessExpression(node)) return { object: bare(node.expression), name: node.name.text };
  if (!ts.isElementAccessExpression(node) || !ts.isStringLiteralLike(node.argumentExpression)) return undefined;
  return { object: bare(node.expression), name: node.argumentExpression.text };
}

/** The names of members used of a global: accessed, or taken out by a pattern; "" for any other use. */
function membersUsed(node: ts.Expression): string[] {
  let outer: ts.Node = node;
  while (ts.isParenthesizedExpression(outer.parent) || ts.isAsExpression(outer.parent)) outer = outer.parent;
  const { parent } = outer;
  const access = member(parent);
  if (access !== undefined && access.object === node) return [access.name];
  if (ts.isNewExpression(parent) && parent.expression === outer) {
    return [parent.arguments === undefined || parent.arguments.length === 0 ? "new()" : "new"];
  }
  if (ts.isCallExpression(parent) && parent.expression === outer) return ["()"];
  if (ts.isVariableDeclaration(parent) && ts.isObjectBindingPattern(parent.name)) {
    return parent.name.elements.map((element) => (element.propertyName ?? element.name).getText());
  }
  return [""];
}

/**
 * Finds the uses of globals. `banned` says for each name that matters which members matter: `true` for all uses, or a
 * list, in which "new()" is construction without arguments and "()" a call.
 */
export function globalUses(
  files: readonly SourceText[],
  banned: Readonly<Record<string, true | readonly string[]>>,
): GlobalUse[] {
  const checker = checkerOf(files);
  const flags = ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Namespace | ts.SymbolFlags.Alias;
  const isLocal = (node: ts.Identifier): boolean =>
    checker.getSymbolsInScope(node, flags).some((symbol) => symbol.name === node.text);

  /** The name of the global that the node is, bare or as a member of the global object. */
  const globalName = (node: ts.Node): string | undefined => {
    if (ts.isIdentifier(node)) {
      return Object.hasOwn(banned, node.text) && !isMemberName(node) && !isLocal(node) ? node.text : undefined;
    }
    const access = member(node);
    if (access === undefined || !ts.isIdentifier(access.object) || !objects.has(access.object.text)) return undefined;
    return Object.hasOwn(banned, access.name) ? access.name : undefined;
  };

  const found: GlobalUse[] = [];
  for (const file of files) {
    walk(parse(file), (node) => {
      const name = globalName(node);
      if (name === undefined) return;
      const members = banned[name];
      const used = membersUsed(node as ts.Expression); // identifiers and accesses are
      const bad = members === true ? [""] : used.filter((used) => members?.includes(used));
      for (const part of bad) found.push({ path: file.path, line: lineAt(node), name: described(name, part) });
    });
    found.push(...takenOut(file, banned));
  }
  const order = new Map(files.map(({ path }, index) => [path, index]));
  return found.sort((a, b) => (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) || a.line - b.line);
}

/** Names taken out of the global object by a pattern: `const { process } = globalThis`. */
function takenOut(file: SourceText, banned: Readonly<Record<string, unknown>>): GlobalUse[] {
  const found: GlobalUse[] = [];
  walk(parse(file), (node) => {
    if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return;
    const from = bare(node.initializer);
    if (!ts.isIdentifier(from) || !objects.has(from.text) || !ts.isObjectBindingPattern(node.name)) return;
    for (const element of node.name.elements) {
      const name = (element.propertyName ?? element.name).getText();
      if (Object.hasOwn(banned, name)) found.push({ path: file.path, line: lineAt(element), name });
    }
  });
  return found;
}

function described(name: string, part: string): string {
  if (part === "") return name;
  if (part === "new()") return `new ${name}()`;
  return part === "()" ? `${name}()` : `${name}.${part}`;
}
