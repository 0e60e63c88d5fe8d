// `npm run demo`: installs what the demo needs and nothing else, then runs it. Plain Node 20.
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "../../test/tooling/install.mjs";
import { readOptions, USAGE } from "./options.mjs";

let options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`);
  process.exit(2);
}
if (options.help) {
  console.log(USAGE);
} else {
  ensureInstalled(fileURLToPath(new URL(".", import.meta.url)), { scripts: false });
  const { demo } = await import("./demo.mjs");
  process.exitCode = await demo(options);
}
