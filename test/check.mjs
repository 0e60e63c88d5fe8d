// `npm run check`: types, lint, format and the rules of the house, side by side; every failure is shown.
import { availableParallelism } from "node:os";
import { ensureInstalled, runTool } from "./tooling/install.mjs";

const checks = [
  { name: "lint", tool: "eslint", args: ["."] },
  { name: "types of tests", tool: "tsc", args: ["-p", "test"] },
  { name: "types on Workers", tool: "tsc", args: ["-p", "tsconfig.workers.json"] },
  { name: "format", tool: "prettier", args: ["--check", "--log-level=warn", "."] },
  { name: "reference", tool: "node", args: ["test/reference.mjs", "--check"] },
  { name: "script", tool: "node", args: ["test/script.mjs", "--check"] },
  { name: "types", tool: "tsc", args: ["-p", "."] },
  { name: "lockfile", tool: "npm", args: ["ci", "--dry-run", "--no-audit", "--no-fund", "--loglevel=error"] },
  { name: "house rules", tool: "vitest", args: ["run", "--project=unit", "test/house"] },
];

const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

async function runCheck({ name, tool, args }) {
  const startedMs = performance.now();
  const { code, output } = await runTool(tool, args);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds(startedMs)})`);
  if (code !== 0) console.log(`\n$ ${tool} ${args.join(" ")}\n${output.trimEnd()}\n`);
  return code === 0;
}

ensureInstalled();
const startedMs = performance.now();
const waiting = [...checks];
const failed = [];
async function work() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    if (!(await runCheck(check))) failed.push(check.name);
  }
}
// One more than the cores: most checks wait for the disk now and then.
await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));
console.log(failed.length === 0 ? `all checks passed in ${seconds(startedMs)}` : `FAILED: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
