// Makes the API reference from the docstrings: a Markdown page for each entry point, and what the docstrings leave out.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Application, Comment, Logger, LogLevel, ReflectionKind } from "typedoc";
import { MarkdownTheme, MarkdownThemeContext } from "typedoc-plugin-markdown";
import { entryPoints, packageJson } from "./entries.mjs";
import { root } from "./install.mjs";

/** Where the pages are kept, relative to the top. */
export const folder = "docs/reference";

/**
 * The entry points of `exports`, in its order: what is imported, the page's name, and the source that holds on most
 * runtimes (the others have the same names).
 */
export function modulesOf(exports = packageJson.exports) {
  return Object.entries(exports)
    .filter(([path]) => path !== "./package.json")
    .map(([path, target]) => {
      const chosen = typeof target.default === "object" ? target.default : target;
      const [source] = Object.values(entryPoints({ chosen }));
      const subpath = path.slice(2);
      return { name: join(packageJson.name, subpath), page: subpath.replaceAll("/", "-") || packageJson.name, source };
    });
}

/** What the first line of an entry point's source says of it, after its name. */
function summaryOf({ name, source }, base) {
  const [line = ""] = readFileSync(join(base, source), "utf8").split("\n", 1);
  const [, said, summary] = /^\/\/ `?([^`:]+)`?: (.+)$/.exec(line) ?? [];
  if (said !== name) throw new Error(`${source}: begin with "// ${name}: ...", which is what the reference says of it`);
  return summary[0].toUpperCase() + summary.slice(1);
}

/** Keeps what typedoc warns of, and says nothing. */
class Faults extends Logger {
  found = [];
  log(message, level) {
    if (level >= LogLevel.Warn) this.found.push(message);
  }
  addContext(message) {
    return message;
  }
}

/** Whether a declaration, or each of its overloads, has a docstring of its own or inherits one. */
function isDocumented(reflection) {
  const parts = reflection.signatures ?? [reflection];
  return reflection.hasComment() || parts.every((part) => part.hasComment());
}

/** The exported symbols, and the members of exported interfaces and classes, that have no docstring. */
function undocumented(module) {
  const symbols = module.children ?? [];
  const members = symbols.flatMap(({ children = [] }) => children);
  return (
    [...symbols, ...members]
      .filter((each) => !each.kindOf([ReflectionKind.Constructor, ReflectionKind.Reference]))
      // What a member inherits or overwrites is told at the base.
      .filter((each) => !each.flags.isExternal && !each.inheritedFrom && !each.overwrites && !isDocumented(each))
      .map((each) => `${each.getFriendlyFullName()} has no docstring: say meaning, unit, default and errors`)
  );
}

/** Leaves out inherited constructors: those of errors are those of Error. */
function dropConstructors(project) {
  for (const each of project.getReflectionsByKind(ReflectionKind.Class)) {
    const isInherited = ({ kind, inheritedFrom }) => kind === ReflectionKind.Constructor && inheritedFrom !== undefined;
    each.groups = each.groups?.filter(({ children }) => !children.some(isInherited));
  }
}

/** The plugin's pages without what its signatures say already, or what is of no use to a reader. */
class Theme extends MarkdownTheme {
  getRenderContext(page) {
    const context = new MarkdownThemeContext(this, page, this.application.options);
    for (const partial of ["signatureReturns", "inheritance"]) context.partials[partial] = () => "";
    return context;
  }
}

/** The page that lists the others. */
function indexOf(modules) {
  const rows = modules.map(({ name, page, summary }) => `- [\`${name}\`](${page}.md): ${summary}`);
  const intro =
    "Every exported name, from its docstring. Made by `npm run reference`: change the docstrings, not these pages.";
  return `# API reference\n\n${intro}\n\n${rows.join("\n")}\n`;
}

/**
 * The reference of these entry points (name, page and source, which are relative to `base`): its pages by file name, and
 * what is wrong with the docstrings, in words.
 */
export async function makeReference(modules = modulesOf(), base = root) {
  const logger = new Faults();
  const described = modules.map((module) => ({ ...module, summary: summaryOf(module, base) }));
  const out = mkdtempSync(join(tmpdir(), "isocache-reference-"));
  try {
    const app = await Application.bootstrapWithPlugins({
      options: join(root, "typedoc.json"),
      tsconfig: join(base, "tsconfig.workers.json"),
      logLevel: "Warn",
      entryPoints: described.map(({ source }) => join(base, source)),
      basePath: base,
      theme: "reference",
      outputs: [{ name: "markdown", path: out }],
      pageTitleTemplates: { module: ({ rawName }) => described.find(({ page }) => page === rawName)?.name ?? rawName },
    });
    app.logger = logger;
    app.renderer.defineTheme("reference", Theme);
    const project = await app.convert();
    if (project === undefined) return { pages: new Map(), faults: logger.found };
    for (const [index, module] of (project.children ?? []).entries()) {
      const { page, summary } = described[index];
      module.name = page;
      module.comment = new Comment([{ kind: "text", text: summary }]);
    }
    app.validate(project);
    const faults = [...logger.found, ...(project.children ?? []).flatMap(undocumented)];
    dropConstructors(project);
    await app.generateOutputs(project);
    const pages = new Map(
      readdirSync(out).map((name) => [name, readFileSync(join(out, name), "utf8").replace(/\n{3,}/g, "\n\n")]),
    );
    return { pages: pages.set("README.md", indexOf(described)), faults };
  } finally {
    rmSync(out, { recursive: true });
  }
}
