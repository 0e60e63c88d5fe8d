// What is simulated: the real cache and store; or, for a mutant, a bundle with one line changed, or a storage that lies.
import type { BuildOptions, Plugin } from "esbuild";
import { readFile } from "node:fs/promises";
import { createHost } from "../../runtimes/cloudflare/host.ts";
import { durableObjectStore } from "../../runtimes/cloudflare/store.ts";
import { createCache } from "../../src/cache.ts";
import { localStore } from "../../src/store/local-store.ts";
import { mapStorage } from "../../src/store/map-storage.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import { bundle } from "../tooling/bundle.mjs";
import { root } from "../tooling/install.mjs";

interface Parts {
  readonly createCache: typeof createCache;
  readonly localStore: typeof localStore;
  readonly mapStorage: typeof mapStorage;
  readonly durableObjectStore: typeof durableObjectStore;
  readonly createHost: typeof createHost;
  readonly sqlStorage: typeof sqlStorage;
}

export interface Subject extends Parts {
  /** Called before a store executes a request; gives the request that it gets instead. */
  readonly meddle?: (operation: string, request: object, storage: PartitionStorage) => object;
}

export const real: Subject = { createCache, localStore, mapStorage, durableObjectStore, createHost, sqlStorage };

/** A piece of a source file (its path below src/, or one in runtimes/), which must be there exactly once, and what it is replaced by. */
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
      build.onLoad({ filter: /\/(src|runtimes)\/.*\.ts$/ }, async ({ path }) => {
        const mine = edits.filter(({ file }) => path.endsWith(`/${inRepository(file)}`));
        const contents = mine.reduce(replaceOnce, await readFile(path, "utf8"));
        return { contents, loader: "ts" };
      });
    },
  };
  const code = `
    export { createCache } from "./src/cache.ts";
    export { localStore } from "./src/store/local-store.ts";
    export { mapStorage } from "./src/store/map-storage.ts";
    export { durableObjectStore } from "./runtimes/cloudflare/store.ts";
    export { createHost } from "./runtimes/cloudflare/host.ts";
    export { sqlStorage } from "./src/store/sql-storage.ts";`;
  const options: BuildOptions = { plugins: [patch], minify: false };
  const { text } = await bundle(code, root, options);
  const url = `data:text/javascript;base64,${Buffer.from(text as string).toString("base64")}`;
  return (await import(/* @vite-ignore */ url)) as Parts; // the code above
}

const inRepository = (file: string): string => (file.startsWith("runtimes/") ? file : `src/${file}`);

function replaceOnce(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  if (parts.length !== 2)
    throw new Error(`${inRepository(file)} has ${parts.length - 1} times what a mutant replaces: ${from}`);
  return parts.join(to);
}
