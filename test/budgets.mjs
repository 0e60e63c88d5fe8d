// What users pay in bytes, minified and gzipped (kB = 1,000 bytes). Raising a limit needs its reason here.

/**
 * `entry` is what a user writes; `goal` is the budget of the design, in bytes; `limit` fails: where the goal is not
 * reached yet, it only goes down (#9 is to bring it there); `without` are folders of which nothing may be in the bundle: a
 * user pays only for what they import.
 */
export const budgets = [
  {
    name: "core: createCache",
    entry: `export { createCache } from "./src/index.ts"`,
    goal: 9_000,
    // Raised from 14,160: the logger, listeners of all events, the breaker, the strict mode, and a limit to concurrent loads.
    limit: 15_240,
    reason: "engine, memory tier, coherence and the default codec, on every page and in every Worker",
    without: ["src/testing/"],
  },
  {
    name: "memoryStore alone",
    entry: `export { memoryStore } from "./src/index.ts"`,
    goal: 3_000,
    // Raised from 4,150: an epoch that comes back after a fail-over is recognised (P1).
    limit: 4_200,
    reason: "as any adapter; whoever hands it to something else does not pay for the engine",
    without: ["src/engine/", "src/memory/", "src/codec/", "src/testing/"],
  },
  {
    name: "durableObjectStore alone",
    entry: `export { durableObjectStore } from "./runtimes/cloudflare/index.ts"`,
    goal: 2_000,
    limit: 2_000,
    reason: "the client in each Worker, on top of the core",
    without: ["src/engine/", "src/memory/", "src/testing/"],
  },
  {
    name: "IsocacheObject alone",
    entry: `export { IsocacheObject } from "./runtimes/cloudflare/index.ts"`,
    goal: 6_000,
    // Raised from 6,420: an epoch that comes back after a fail-over is recognised (P1).
    limit: 6_490,
    reason: "the Durable Object: entries, leases, log, eviction",
    without: ["src/engine/", "src/memory/", "src/testing/"],
  },
];
