// Installs a folder's packages if they are missing or do not fit its lockfile. Plain Node 20: it runs before anything is there.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the repository, without a slash at the end. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Whether what npm noted down as installed is what the lockfile asks for. Optional packages may be missing (they are
 * for other platforms); a package of another version, or one that the lockfile does not know, means it does not fit.
 */
export function lockfileFits(lockfile, installed) {
  const wanted = lockfile.packages ?? {};
  const found = installed?.packages ?? {};
  const same = (path) =>
    found[path].version === wanted[path]?.version && found[path].integrity === wanted[path].integrity;
  return (
    Object.entries(wanted).every(([path, entry]) => path === "" || path in found || entry.optional === true) &&
    Object.keys(found).every(same)
  );
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Whether the folder's node_modules can be used as it is. */
export function isInstalled(folder = root) {
  const lockfile = readJson(join(folder, "package-lock.json"));
  const installed = readJson(join(folder, "node_modules", ".package-lock.json"));
  if (lockfile === undefined) throw new Error(`${folder} has no package-lock.json: restore it from git`);
  const nodeIsThere = !("node_modules/node" in lockfile.packages) || existsSync(binary("node", folder));
  return installed !== undefined && nodeIsThere && lockfileFits(lockfile, installed);
}

/**
 * Runs `npm ci` in the folder, quietly, unless `isInstalled`. Ends the process with npm's own message if that fails.
 * Without their install scripts packages take less room: those are what copies programs to where they start faster.
 */
export function ensureInstalled(folder = root, { scripts = true } = {}) {
  if (isInstalled(folder)) return;
  const modules = join(folder, "node_modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      `${modules} is a link to packages that do not fit package-lock.json: run "npm ci" where it points to`,
    );
    process.exit(1);
  }
  console.error("Installing packages (npm ci), about a minute ...");
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  if (!scripts) args.push("--ignore-scripts");
  const npmScript = process.env.npm_execpath;
  const [command, prefix] = npmScript?.endsWith(".js") ? [process.execPath, [npmScript]] : ["npm", []];
  const { status, error } = spawnSync(command, [...prefix, ...args], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status === 0 && isInstalled(folder)) return;
  console.error(`npm ci failed in ${folder}${error ? `: ${error.message}` : ""}`);
  process.exit(1);
}

/** The path of an installed command. */
export function binary(name, folder = root) {
  return join(folder, "node_modules", ".bin", name);
}

/** The environment in which the folder's commands, and the Node they run on, are the installed ones. */
export function toolEnv(folder = root) {
  return { ...process.env, PATH: join(folder, "node_modules", ".bin") + delimiter + process.env.PATH };
}

/**
 * Runs a command, an installed one before any other, in the repository and on the installed Node. Resolves with its exit code and, unless `show`
 * hands it the terminal, what it printed.
 */
export function runTool(name, args, { show = false, env = {} } = {}) {
  const stdio = show ? "inherit" : ["ignore", "pipe", "pipe"];
  const child = spawn(name, args, { cwd: root, env: { ...toolEnv(), ...env }, stdio });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 1, output: output + error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
