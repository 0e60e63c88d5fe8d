// Packs the package and tries what comes out, as a user would get it: types, exports, plain Node, a Workers bundle.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { entryPoints, packageJson } from "./tooling/entries.mjs";
import { binary, ensureInstalled, root, toolEnv } from "./tooling/install.mjs";

ensureInstalled();
const { bundle } = await import("./tooling/bundle.mjs");

const folder = mkdtempSync(join(tmpdir(), "isocache-package-"));
const installed = join(folder, "node_modules", packageJson.name);
const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, env: toolEnv(), encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** The public names of the package, such as "isocache/testing", each with the module it stands for on plain Node. */
function subpaths() {
  const names = Object.entries(packageJson.exports).filter(([path]) => path !== "./package.json");
  return names.map(([path, target]) => ({
    name: packageJson.name + path.slice(1),
    source: Object.values(entryPoints({ [path]: target.default ?? target }))[0],
  }));
}

function pack() {
  run("npm", ["pack", "--silent", "--pack-destination", folder]);
  const tarball = join(
    folder,
    readdirSync(folder).find((file) => file.endsWith(".tgz")),
  );
  mkdirSync(installed, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  // As a user has them who imports what needs them.
  for (const peer of Object.keys(packageJson.peerDependencies ?? {})) {
    symlinkSync(join(root, "node_modules", peer), join(folder, "node_modules", peer), "dir");
  }
  return tarball;
}

/** The Node of the machine, which may be older, and the one that is installed here. */
function nodes() {
  const modules = join("node_modules", ".bin");
  const folders = process.env.PATH.split(delimiter).filter((path) => !path.includes(modules));
  const system = execFileSync("sh", ["-c", "command -v node"], {
    env: { PATH: folders.join(delimiter) },
    encoding: "utf8",
  });
  return [system.trim(), binary("node")];
}

function importInPlainNode(node) {
  const version = run(node, ["--version"]).trim();
  // Modules of a runtime need it: those are tried in a bundle, and by the tests on that runtime.
  const names = subpaths().filter(({ source }) => !source.startsWith("runtimes/"));
  for (const { name } of names) {
    const code = `const m = await import("${name}"); if (Object.keys(m).length === 0) throw new Error("exports nothing")`;
    run(node, ["--input-type=module", "-e", code], folder);
  }
  return `${names.map(({ name }) => name).join(", ")} in Node ${version}`;
}

async function bundleForWorkers() {
  for (const { name } of subpaths()) {
    const { text } = await bundle(`export * from "${name}"`, folder, { platform: "neutral" });
    const foreign = /\bfrom ?"(?!cloudflare:)([^"]+)"/.exec(text)?.[1];
    if (foreign !== undefined) throw new Error(`${name} imports ${foreign} at run time`);
  }
  const code = `import * as all from "${packageJson.name}"; console.log(all)`;
  const { inputs } = await bundle(code, folder);
  const entry = `node_modules/${packageJson.name}/dist/runtimes/cloudflare/entry.js`;
  if (!inputs.includes(entry))
    throw new Error(`the condition "workerd" does not lead to ${entry}: ${inputs.join(", ")}`);
  return `the condition "workerd" leads to ${entry}`;
}

try {
  const tarball = pack();
  writeFileSync(join(folder, "package.json"), `{ "private": true }`);
  const done = (what) => console.log(`ok     ${what}`);
  console.log(run("publint", [tarball, "--strict"]).trim());
  done("publint");
  run("attw", ["--profile", "esm-only", "--no-emoji", tarball]);
  done("types resolve (attw, ESM only)");
  for (const node of nodes()) done(`import ${importInPlainNode(node)}`);
  done(await bundleForWorkers());
} catch (error) {
  console.error(`${error.stdout ?? ""}FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
