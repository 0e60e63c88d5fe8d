// `npm run reference`: writes docs/reference from the docstrings; with `--check`, fails if that would change anything.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root } from "./tooling/install.mjs";

ensureInstalled();
const { folder, makeReference } = await import("./tooling/reference.mjs");

const target = join(root, folder);
mkdirSync(target, { recursive: true });
const found = new Map(readdirSync(target).map((name) => [name, readFileSync(join(target, name), "utf8")]));
const { pages, faults } = await makeReference();

const changed = [...pages.keys()].filter((name) => found.get(name) !== pages.get(name));
const left = [...found.keys()].filter((name) => !pages.has(name));
if (process.argv.includes("--check")) {
  for (const name of [...changed, ...left]) faults.push(`${folder}/${name} is out of date: npm run reference`);
} else if (faults.length === 0) {
  for (const name of changed) writeFileSync(join(target, name), pages.get(name));
  for (const name of left) rmSync(join(target, name));
  console.log(`${folder}: ${pages.size} pages, ${changed.length + left.length} changed`);
}
for (const fault of faults) console.log(`FAILED: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
