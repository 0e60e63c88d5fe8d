// What is simulated: the real cache and store; or, for a mutant, a bundle with one line changed, or a storage that lies.
import type { BuildOptions, Plugin } from "esbuild";
import { readFile } from "node:fs/promises";
import { createCache } from "../../src/cache.ts";
import { localStore } from "../../src/store/local-store.ts";
import { mapStorage } from "../../src/store/map-storage.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import { bundle } from "../tooling/bundle.mjs";
import { root } from "../tooling/install.mjs";

interface Parts {
  readonly createCache: typeof createCache;
  readonly localStore: typeof localStore;
  readonly mapStorage: typeof mapStorage;
}

export interface Subject extends Parts {
  /** Called before a store executes a request; gives the request that it gets instead. */
  readonly meddle?: (operation: string, request: object, storage: PartitionStorage) => object;
}

export const real: Subject = { createCache, localStore, mapStorage };

/** A piece of a source file, which must be there exactly once, and what it is replaced by. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The cache and store with some lines of their sources changed. Throws if a line is not found: the mutant is out of date. */
export async function edited(edits: readonly Edit[]): Promise<Subject> {
  const patch: Plugin = {
    name: "patch",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const mine = edits.filter(({ file }) => path.endsWith(`/src/${file}`));
        const contents = mine.reduce(replaceOnce, await readFile(path, "utf8"));
        return { contents, loader: "ts" };
      });
    },
  };
  const code = `
    export { createCache } from "./src/cache.ts";
    export { localStore } from "./src/store/local-store.ts";
    export { mapStorage } from "./src/store/map-storage.ts";`;
  const options: BuildOptions = { plugins: [patch], minify: false };
  const { text } = await bundle(code, root, options);
  const url = `data:text/javascript;base64,${Buffer.from(text as string).toString("base64")}`;
  return (await import(/* @vite-ignore */ url)) as Parts; // the code above
}

function replaceOnce(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`src/${file} has ${parts.length - 1} times what a mutant replaces: ${from}`);
  return parts.join(to);
}
