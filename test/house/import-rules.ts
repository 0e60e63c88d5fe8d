// Who may import whom (DESIGN's arrows), as a table; and no cycles.
import type { SourceText } from "./repository.ts";
import type { Offence, Rule } from "./rule.ts";
import { within } from "./rule.ts";
import { importsOf, isCode } from "./syntax.ts";

/** Types and pure functions on which everything else may rest. */
const contracts = [
  "src/platform.ts",
  "src/errors.ts",
  "src/event-stream.ts",
  "src/pause.ts",
  "src/store/contract.ts",
  "src/store/position.ts",
  "src/bus/contract.ts",
  "src/store/hash.ts",
  "src/codec/contract.ts",
  "src/observe/logger.ts",
];

/** The resolved form of options, which is all the engine accepts. */
const resolved = "src/options/entry.ts";

/** The first row whose `from` matches a file holds for it; `to` are the beginnings of the paths that it may import. */
const arrows: readonly { readonly from: RegExp; readonly to: readonly string[] }[] = [
  { from: /^src\/(index|cache|cache-types)\.ts$/, to: ["src/"] },
  { from: /^src\/testing\//, to: ["src/"] },
  {
    from: /^src\/engine\//,
    to: ["src/engine/", "src/memory/", "src/observe/", "src/codec/walk.ts", resolved, ...contracts],
  },
  {
    from: /^src\/calls\//,
    to: ["src/calls/", "src/options/", "src/engine/context.ts", "src/codec/walk.ts", "src/codec/tags.ts", ...contracts],
  },
  { from: /^src\/options\//, to: ["src/options/", "src/codec/walk.ts", ...contracts] },
  { from: /^src\/memory\//, to: ["src/memory/"] },
  { from: /^src\/observe\//, to: ["src/observe/", ...contracts] },
  { from: /^src\/store\/(redis|upstash)\.ts$/, to: ["src/store/", "src/bus/", ...contracts] },
  { from: /^src\/store\//, to: ["src/store/", "src/bus/receiver.ts", ...contracts] },
  {
    from: /^src\/bus\//,
    to: [
      "src/store/redis/clients.ts",
      "src/store/redis/transport.ts",
      "src/bus/",
      "src/options/",
      "src/store/wire.ts",
      "src/default-platform.ts",
      ...contracts,
    ],
  },
  { from: /^src\/codec\//, to: ["src/codec/", "src/options/parse.ts", "src/options/durations.ts", ...contracts] },
  // What the facade is made of. src/index.ts and src/cache.ts themselves would be cycles.
  { from: /^src\/[^/]+\.ts$/, to: contracts },
  { from: /^runtimes\/cloudflare\//, to: ["runtimes/cloudflare/", "src/"] },
  { from: /^runtimes\/vercel\//, to: ["runtimes/vercel/", "src/"] },
];

function wrongWay(file: SourceText): Offence[] {
  const row = arrows.find(({ from }) => from.test(file.path));
  const inner = importsOf(file).filter(({ path }) => path !== undefined);
  if (row === undefined) {
    return [
      { path: file.path, line: 1, what: "its folder has no row in the table of arrows: add one in import-rules.ts" },
    ];
  }
  return inner
    .filter(({ path = "" }) => !row.to.some((prefix) => path.startsWith(prefix)))
    .map(({ path = "", line }) => ({
      path: file.path,
      line,
      what: `imports ${path}, against the arrows: from here only ${row.to.join(", ")}; import a contract, or have it passed in`,
    }));
}

export const arrowsPointInward: Rule = {
  says: "arrows point inward: runtimes to src, adapters and engine to contracts",
  find: (files) => within(files.filter(isCode), ["src/", "runtimes/"], wrongWay),
};

/** The packages that a file may import because it is named after them: whoever imports it has asked for them. */
const packages: Readonly<Record<string, string>> = { "src/codec/msgpack.ts": "msgpackr/index-no-eval" };

export const sourceImportsOnlyItself: Rule = {
  says: "src imports nothing but itself: no runtime's modules, no packages but by the file named after one",
  find: (files) =>
    within(files.filter(isCode), ["src/"], (file) =>
      importsOf(file)
        .filter(({ path }) => path === undefined || !path.startsWith("src/"))
        .filter(({ specifier }) => packages[file.path] !== specifier)
        .map(({ specifier, line }) => ({
          path: file.path,
          line,
          what: `imports "${specifier}": src runs anywhere; use a Web API, or have runtimes/ or the user pass it in`,
        })),
    ),
};

export const importsNameTheFile: Rule = {
  says: "relative imports name the file with its suffix",
  find: (files) =>
    within(files.filter(isCode), ["src/", "runtimes/", "test/", "examples/"], (file) =>
      importsOf(file)
        .filter(({ path }) => path !== undefined && !/\.(ts|mjs|js|json|wasm)$/.test(path))
        .map(({ specifier, line }) => ({
          path: file.path,
          line,
          what: `imports "${specifier}": name the defining file with its suffix, as in "./file.ts"`,
        })),
    ),
};

/** Imports of a file that are among the files, by path. */
type Graph = ReadonlyMap<string, readonly { readonly to: string; readonly line: number }[]>;

function graphOf(files: readonly SourceText[]): Graph {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ path, line }) => (path !== undefined && known.has(path) ? [{ to: path, line }] : [])),
    ]),
  );
}

/** Depth-first: an import of a file that is still being visited closes a cycle. Each file is visited once. */
function cyclesIn(graph: Graph): Offence[] {
  const found: Offence[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    trail.push(path);
    for (const { to, line } of graph.get(path) ?? []) {
      const start = trail.indexOf(to);
      if (start >= 0) {
        const circle = [...trail.slice(start), to].join(" -> ");
        found.push({ path, line, what: `closes a cycle: ${circle}; move what both need into a file of its own` });
      } else if (!done.has(to)) {
        visit(to);
      }
    }
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) if (!done.has(path)) visit(path);
  return found;
}

export const noCycles: Rule = {
  says: "no import cycles, type imports included",
  find: (files) => cyclesIn(graphOf(files.filter((file) => isCode(file) && /^(src|runtimes)\//.test(file.path)))),
};
