// What holds for every file, code or not: nothing of one machine, one registry, a lockfile that fits.
import type { SourceText } from "./repository.ts";
import type { Offence, Rule } from "./rule.ts";
import { lineOf } from "./rule.ts";

/** Every match of a pattern (with the flag g) in a file. */
function matches(file: SourceText, pattern: RegExp, what: (found: string) => string): Offence[] {
  return [...file.text.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineOf(file.text, match.index + match[0].length - 1),
    what: what(match[1] ?? match[0]),
  }));
}

const machinePath = /(?:^|[\s"'`(=:<[]|file:\/\/)(\/(?:work|tmp|home|root|Users|var\/folders)\/[^\s"'`)]*)/gm;

export const noMachinePaths: Rule = {
  says: "no file names a path of one machine",
  find: (files) =>
    files.flatMap((file) =>
      matches(file, machinePath, (path) => `names ${path}: use a path relative to the repository, or os.tmpdir()`),
    ),
};

const registryUrl = /https?:\/\/[\w.-]*registry[\w.-]*\.[\w/.-]*|^\s*(?:\S+:)?registry\s*=.*$/gm;

export const noRegistries: Rule = {
  says: "only the lockfile names a package registry",
  find: (files) =>
    files
      .filter(({ path }) => !path.endsWith("package-lock.json"))
      .flatMap((file) =>
        matches(file, registryUrl, (url) => `names the registry ${url}: leave that to npm's configuration`),
      ),
};

type Manifest = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;

const dependencyFields = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

/** Where package.json and the lockfile's copy of it name different packages or versions. */
function drift(manifest: Manifest, locked: Manifest): string[] {
  return dependencyFields.flatMap((field) => {
    const wanted = manifest[field] ?? {};
    const found = locked[field] ?? {};
    const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
    return [...names].filter((name) => wanted[name] !== found[name]);
  });
}

export const lockfileIsInSync: Rule = {
  says: "the lockfile holds what package.json asks for, from npm's own registry",
  find: (files) =>
    files
      .filter(({ path }) => /(^|\/)package-lock\.json$/.test(path))
      .flatMap((file) => {
        const manifest = files.find(({ path }) => path === file.path.replace("package-lock", "package"));
        const locked = (JSON.parse(file.text) as { packages: Record<string, Manifest> }).packages[""] ?? {}; // npm's format
        const wanted = JSON.parse(manifest?.text ?? "{}") as Manifest; // what is wrong in it, npm says
        const drifted = drift(wanted, locked).map((name) => ({
          path: file.path,
          line: lineOf(file.text, Math.max(0, file.text.indexOf(`"${name}"`))),
          what: `does not hold ${name} as package.json asks: run npm install and commit both`,
        }));
        const foreign = /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)([^"]*)"/g;
        return [...drifted, ...matches(file, foreign, (url) => `resolved from ${url}: lock with npm's own registry`)];
      }),
};
