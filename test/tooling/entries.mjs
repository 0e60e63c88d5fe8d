// What the package publishes, read from package.json's `exports`: the one list that build, sizes and package checks follow.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./install.mjs";

export const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Every file that a target of `exports` names, conditions flattened. */
function targets(target) {
  return typeof target === "string" ? [target] : Object.values(target).flatMap(targets);
}

/**
 * The published modules: `{ "src/index": "src/index.ts" }` for a target "./dist/src/index.js". A target of another form
 * that is not a declaration or the package.json itself is an error, and so is a types target without its module.
 */
export function entryPoints(exports = packageJson.exports) {
  const files = [...new Set(targets(exports))].filter((file) => file !== "./package.json");
  const modules = files.flatMap((file) => /^\.\/dist\/(.+)\.js$/.exec(file)?.[1] ?? []);
  const rest = files.filter(
    (file) => !modules.some((name) => [`./dist/${name}.js`, `./dist/${name}.d.ts`].includes(file)),
  );
  if (rest.length > 0)
    throw new Error(`package.json: exports name ${rest.join(", ")}: use ./dist/<path of the source>.js`);
  return Object.fromEntries(modules.map((name) => [name, `${name}.ts`]));
}

/** `entryPoints()`, or an error that names those whose source does not exist. */
export function existingEntryPoints() {
  const entries = entryPoints();
  const missing = Object.values(entries).filter((source) => !existsSync(join(root, source)));
  if (missing.length > 0) {
    throw new Error(`package.json: exports promise modules without a source: write ${missing.join(", ")} or drop them`);
  }
  return entries;
}
