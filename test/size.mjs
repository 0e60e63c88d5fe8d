// `npm run size`: bundles what budgets.mjs lists, and fails if something is too big or drags in what was not asked for.
import { budgets } from "./budgets.mjs";
import { ensureInstalled, root } from "./tooling/install.mjs";

ensureInstalled();
const { bundle } = await import("./tooling/bundle.mjs");

const bytes = (count) => String(count).padStart(8);

async function measure({ name, entry, limit, without }) {
  try {
    const { minified, gzipped, inputs } = await bundle(entry, root);
    const foreign = inputs.filter((path) => without.some((folder) => path.startsWith(folder)));
    const faults = foreign.map((path) => `pulls in ${path}: import less, or move what is shared`);
    if (gzipped > limit) faults.unshift(`${gzipped - limit} bytes over its limit`);
    return { name, line: bytes(minified) + bytes(gzipped) + bytes(limit), faults };
  } catch (error) {
    return { name, line: bytes("-").repeat(2) + bytes(limit), faults: [error.message] };
  }
}

const width = Math.max(...budgets.map(({ name }) => name.length));
console.log(`${"".padEnd(width)}${bytes("minified")}${bytes("gzip")}${bytes("limit")}`);
for (const budget of budgets) {
  const { name, line, faults } = await measure(budget);
  console.log(name.padEnd(width) + line);
  for (const fault of faults) console.log(`  FAILED: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
