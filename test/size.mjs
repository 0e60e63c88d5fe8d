// `npm run size`: bundles what budgets.mjs lists, and fails if something is too big or drags in what was not asked for.
import { budgets } from "./budgets.mjs";
import { ensureInstalled, root } from "./tooling/install.mjs";

ensureInstalled();
const { measure } = await import("./tooling/measure.mjs");

const column = (text) => String(text).padStart(10);
const width = Math.max(...budgets.map(({ name }) => name.length));

console.log("".padEnd(width) + ["minified", "gzip", "limit", "goal"].map(column).join(""));
for (const budget of budgets) {
  const { minified, gzipped, faults } = await measure(budget, root);
  console.log(budget.name.padEnd(width) + [minified, gzipped, budget.limit, budget.goal].map(column).join(""));
  for (const fault of faults) console.log(`  FAILED: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
