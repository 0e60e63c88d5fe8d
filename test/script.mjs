// `npm run script`: makes the script of the Redis stores of its Lua; with `--check`, fails if that would change anything.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root } from "./tooling/install.mjs";

ensureInstalled();
const { makeScript } = await import("./tooling/script.mjs");

for (const [path, text] of await makeScript()) {
  if (readFileSync(join(root, path), "utf8") === text) continue;
  if (process.argv.includes("--check")) {
    console.log(`FAILED: ${path} is out of date: npm run script`);
    process.exitCode = 1;
  } else {
    writeFileSync(join(root, path), text);
    console.log(`${path}: changed`);
  }
}
