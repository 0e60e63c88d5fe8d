// The tests in four groups that run one after the other: what takes milliseconds first, real runtimes last.
import { defineConfig } from "vitest/config";

// Real runtimes on a busy machine: the limits only end what hangs.
const slow = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } };

// Group 0 is not first: vitest puts its files last where it runs one file at a time.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/docs/**", "test/miniflare/**", "test/examples/**"],
          // Finds Redis and the like, or starts them.
          globalSetup: ["test/support/services.ts"],
          sequence: { groupOrder: 1 },
          // Time is virtual: this only ends what hangs, however slow the machine.
          testTimeout: 60_000,
          expect: slow.expect, // where it is not: the servers are real
        },
      },
      { test: { name: "docs", include: ["test/docs/**/*.test.ts"], sequence: { groupOrder: 2 }, ...slow } },
      // One file at a time: each starts workerd processes of its own, and some measure time.
      {
        test: {
          name: "workerd",
          include: ["test/miniflare/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          ...slow,
        },
      },
      {
        test: {
          name: "examples",
          include: ["test/examples/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          ...slow,
        },
      },
    ],
  },
});
