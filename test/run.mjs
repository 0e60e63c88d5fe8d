// `npm test`: installs what is missing, then runs every test, the fast ones first. Arguments go to vitest.
import { ensureInstalled, runTool } from "./tooling/install.mjs";

ensureInstalled();
const { code } = await runTool("vitest", ["run", ...process.argv.slice(2)], { show: true });
process.exitCode = code;
