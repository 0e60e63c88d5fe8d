// What users pay in bytes, minified and gzipped (kB = 1,000 bytes). Raising a limit needs its reason here.

/**
 * `entry` is what a user writes; `limit` is in bytes; `without` are folders of which nothing may be in the bundle: a
 * user pays only for what they import.
 */
export const budgets = [
  {
    name: "core: createCache",
    entry: `export { createCache } from "./src/index.ts"`,
    limit: 9_000,
    reason: "engine, memory tier, coherence and the default codec, on every page and in every Worker",
    without: ["src/testing/"],
  },
  {
    name: "memoryStore alone",
    entry: `export { memoryStore } from "./src/index.ts"`,
    limit: 3_000,
    reason: "as any adapter; whoever hands it to something else does not pay for the engine",
    without: ["src/engine/", "src/memory/", "src/codec/", "src/testing/"],
  },
  {
    name: "durableObjectStore alone",
    entry: `export { durableObjectStore } from "./runtimes/cloudflare/index.ts"`,
    limit: 2_000,
    reason: "the client in each Worker, on top of the core",
    without: ["src/engine/", "src/memory/", "src/testing/"],
  },
  {
    name: "IsocacheObject alone",
    entry: `export { IsocacheObject } from "./runtimes/cloudflare/index.ts"`,
    limit: 6_000,
    reason: "the Durable Object: entries, leases, log, eviction",
    without: ["src/engine/", "src/memory/", "src/testing/"],
  },
];
