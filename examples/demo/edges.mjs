// The same Worker twice in one workerd, each with memory of its own, and the Durable Object that they share.
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../test/tooling/install.mjs";

/** Bundles a file beside this one as wrangler would; `isocache` is the sources of this repository. */
async function bundle(path) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    logLevel: "silent",
    alias: {
      isocache: join(root, "runtimes/cloudflare/entry.ts"),
      "isocache/cloudflare": join(root, "runtimes/cloudflare/index.ts"),
    },
  });
  return outputFiles[0].text;
}

/**
 * workerd warns when a promise outlives the request that waited for it, as it does wherever somebody gives up on a load;
 * the report says what became of those. Anything else is shown.
 */
function showLog({ level, message }) {
  if (!message.includes("from a different request context")) console.error(`workerd ${level}: ${message}`);
}

/** Starts them. Each edge has its own address, without a proxy in between: a client that disconnects is noticed. */
export async function startEdges({ originUrl, storeDelayMs }) {
  const [edge, store] = await Promise.all([bundle("edge/index.ts"), bundle("edge/store.ts")]);
  const worker = (name, contents, bindings) => ({
    name,
    modules: [{ type: "ESModule", path: "index.mjs", contents }],
    compatibilityDate: "2026-10-23",
    bindings,
    durableObjects: { CACHE: { className: "DistantObject", scriptName: "store", useSQLite: true } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  });
  const names = ["edge-1", "edge-2"];
  const workers = [
    ...names.map((name) => worker(name, edge, { ORIGIN: originUrl, EDGE: name })),
    worker("store", store, { STORE_DELAY_MS: storeDelayMs }),
  ];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ port: 0, cf: false, handleStructuredLogs: showLog, workers }),
  );
  try {
    const urls = await Promise.all(names.map((name) => miniflare.unsafeGetDirectURL(name)));
    return { urls, stop: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
