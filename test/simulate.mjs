// `npm run simulate`: installs what is missing, then runs the simulator on the installed Node.
import { ensureInstalled, root, runTool } from "./tooling/install.mjs";

ensureInstalled();
const { code } = await runTool("node", [`${root}/test/simulation/main.ts`, ...process.argv.slice(2)], { show: true });
process.exitCode = code;
