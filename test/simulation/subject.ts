// What is simulated: the cache and store, bundled from their sources; for a mutant, with some lines changed, or a storage that lies.
import type { BuildOptions, Plugin } from "esbuild";
import { readFile } from "node:fs/promises";
import type { createHost } from "../../runtimes/cloudflare/host.ts";
import type { durableObjectStore } from "../../runtimes/cloudflare/store.ts";
import type { createBus } from "../../src/bus/create.ts";
import type { createCache } from "../../src/cache.ts";
import type { jsonCodec } from "../../src/codec/json.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Platform } from "../../src/platform.ts";
import type { localStore } from "../../src/store/local-store.ts";
import type { mapStorage } from "../../src/store/map-storage.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import type { storeOver } from "../../src/store/redis/store-over.ts";
import type { createSubscriber } from "../../src/store/redis/subscriber.ts";
import type { sqlStorage } from "../../src/store/sql-storage.ts";
import { bundle } from "../tooling/bundle.mjs";
import { root } from "../tooling/install.mjs";

interface Parts {
  readonly createCache: typeof createCache;
  readonly createBus: typeof createBus;
  readonly jsonCodec: typeof jsonCodec;
  readonly localStore: typeof localStore;
  readonly mapStorage: typeof mapStorage;
  /** The engine of each cache, by the platform that it was given: what a cache remembers is to be seen nowhere else. */
  readonly engines: WeakMap<Platform, Engine>;
  readonly durableObjectStore: typeof durableObjectStore;
  readonly createHost: typeof createHost;
  readonly sqlStorage: typeof sqlStorage;
  readonly storeOver: typeof storeOver;
  readonly createSubscriber: typeof createSubscriber;
  readonly script: string;
}

export interface Subject extends Parts {
  /** Called before a store executes a request; gives the request that it gets instead. */
  readonly meddle?: (operation: string, request: object, storage: PartitionStorage) => object;
  /** What a Redis runs instead of the script that it is sent, and knows by the hash of the real one. */
  readonly runs?: string;
}

/** A piece of a source file (its path below src/, or one in runtimes/), which must be there exactly once, and what it is replaced by. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Lets the simulator see what an engine remembers, without a way in for others. */
const PROBE: Edit = {
  file: "engine/engine.ts",
  from: "export function createEngine(options: EngineOptions): Engine {\n  return {",
  to: `export const engines = new WeakMap<Platform, Engine>();
    export function createEngine(options: EngineOptions): Engine {
      const engine = makeEngine(options);
      engines.set(options.platform, engine);
      return engine;
    }
    function makeEngine(options: EngineOptions): Engine {
      return {`,
};

/** The cache and store with some lines of their sources changed. Throws if a line is not found: the mutant is out of date. */
export async function edited(edits: readonly Edit[]): Promise<Subject> {
  const all = [PROBE, ...edits];
  const left = new Set(all);
  const patch: Plugin = {
    name: "patch",
    setup(build) {
      build.onLoad({ filter: /\/(src|runtimes)\/.*\.ts$/ }, async ({ path }) => {
        const mine = all.filter(({ file }) => path.endsWith(`/${inRepository(file)}`));
        mine.forEach((edit) => left.delete(edit));
        const contents = mine.reduce(replaceOnce, await readFile(path, "utf8"));
        return { contents, loader: "ts" };
      });
    },
  };
  const code = `
    export { createCache } from "./src/cache.ts";
    export { createBus } from "./src/bus/create.ts";
    export { jsonCodec } from "./src/codec/json.ts";
    export { engines } from "./src/engine/engine.ts";
    export { localStore } from "./src/store/local-store.ts";
    export { mapStorage } from "./src/store/map-storage.ts";
    export { durableObjectStore } from "./runtimes/cloudflare/store.ts";
    export { createHost } from "./runtimes/cloudflare/host.ts";
    export { sqlStorage } from "./src/store/sql-storage.ts";
    export { storeOver } from "./src/store/redis/store-over.ts";
    export { createSubscriber } from "./src/store/redis/subscriber.ts";
    export { script } from "./src/store/redis/script.ts";`;
  const options: BuildOptions = { plugins: [patch], minify: false };
  const { text } = await bundle(code, root, options);
  for (const { file } of left) throw new Error(`${inRepository(file)} is not part of what is simulated`);
  const url = `data:text/javascript;base64,${Buffer.from(text as string).toString("base64")}`;
  return (await import(/* @vite-ignore */ url)) as Parts; // the code above
}

let bundled: Promise<Subject> | undefined;

/** The cache and store as they are. */
export const real = (): Promise<Subject> => (bundled ??= edited([]));

const inRepository = (file: string): string => (file.startsWith("runtimes/") ? file : `src/${file}`);

export function replaceOnce(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  if (parts.length !== 2)
    throw new Error(`${inRepository(file)} has ${parts.length - 1} times what a mutant replaces: ${from}`);
  return parts.join(to);
}
