// Four real processes on one SQLite file: one load, take-over, invalidation, and a file that survives who writes it. And Bun.
import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { createCache } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sql.ts";
import { binary, runTool } from "../tooling/install.mjs";
import { databaseFile, valueOf } from "./sqlite/files.ts";
import { startProcess } from "../support/processes/processes.ts";
import type { Process } from "../support/processes/processes.ts";

/** What the processes are set to, and how late a busy machine may be. */
const BOUND_MS = 200;
const LATE_MS = 3_000;

async function four() {
  const file = databaseFile();
  const processes = await Promise.all(Array.from({ length: 4 }, () => startProcess(file.path)));
  return { ...file, processes };
}

const all = <T>(processes: readonly Process[], task: string, request: object): Promise<T[]> =>
  Promise.all(processes.map((each) => each.ask<T>(task, request)));

test("four processes that miss at once share one load", async () => {
  const { processes } = await four();
  for (let round = 0; round < 5; round++) {
    const values = await all<number>(processes, "load", { key: `k${round}`, ms: 100 });
    expect(new Set(values).size).toBe(1);
  }
  expect(processes.flatMap(({ errors }) => errors)).toEqual([]);
});

test("when the one that loads is killed, another takes over after the lease", async () => {
  const { processes } = await four();
  const [first, ...others] = processes;
  const lost = first!.ask("load", { key: "k", ms: 60_000 }).catch(String);
  await first!.loading();
  const startedAt = Date.now();
  const values = all<number>(others, "load", { key: "k", ms: 50 });
  await first!.kill();
  expect(await lost).toContain("has ended");
  expect(new Set(await values).size).toBe(1);
  expect(Date.now() - startedAt).toBeLessThan(1_000 + LATE_MS);
});

test("an invalidation in one process is seen by all others within the bound", async () => {
  const { processes } = await four();
  const [first, ...others] = processes;
  const [from] = await all<number>(processes, "load", { key: "k", ms: 0, tags: ["t"] });
  const changed = all<number>(others, "changed", { key: "k", from, ms: 10_000 });
  await first!.ask("invalidate", { tags: ["t"] });
  const took = await changed;
  expect(Math.max(...took)).toBeLessThan(BOUND_MS + LATE_MS);
  expect(await all(processes, "get", { key: "k" })).toEqual([undefined, undefined, undefined, undefined]);
});

test("processes killed in the middle of writing leave a sound file, right totals, and a cache that works", async () => {
  const { path, open, processes } = await four();
  const started = [...processes];
  const lost = processes.map((each, seed) => each.ask("churn", { seed, ms: 60_000 }).catch(String));
  let next = 4;
  for (let round = 0; round < 8; round++) {
    await new Promise((resolve) => setTimeout(resolve, 60 + round * 17));
    await processes.shift()?.kill();
    const another = await startProcess(path);
    lost.push(another.ask("churn", { seed: next++, ms: 60_000 }).catch(String));
    processes.push(another);
    started.push(another);
  }
  for (const each of processes) await each.kill();
  await Promise.all(lost);
  expect(started.flatMap(({ errors }) => errors)).toEqual([]);

  const handle = open();
  const cache = createCache({ name: "shop", store: sqliteStore(handle), memory: false });
  onTestFinished(() => cache.close());
  expect(valueOf(handle, "PRAGMA integrity_check")).toBe("ok");
  expect(Number(valueOf(handle, "SELECT COUNT(*) FROM iso1_shop_log"))).toBeGreaterThan(100);
  const gap = "SELECT COUNT(*) - (MAX(seq) - MIN(seq) + 1) FROM iso1_shop_log";
  expect(valueOf(handle, gap)).toBe(0);
  const sums = "SELECT COUNT(*) AS entries, SUM(head ->> '$.costBytes') AS bytes FROM iso1_shop_entries";
  expect(handle.prepare("SELECT entries, bytes FROM iso1_shop_totals").get()).toEqual(handle.prepare(sums).get());
  await cache.set("k", "v");
  expect(await cache.get("k")).toBe("v");
});

const runtimes = { bun: [], deno: ["run", "--no-lock", "--no-remote", "--node-modules-dir=manual", "-A"] };
for (const [name, args] of Object.entries(runtimes)) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  test.skipIf(reason)(`SQLite in ${name} keeps every promise of the store contract${reason}`, async () => {
    const script = "test/store/sqlite/other-runtimes.mjs";
    const { output } = await runTool(program, [...args, script], { env: { NO_COLOR: "1" } });
    expect(output.trim()).toMatch(/^(\d+) of \1 held$/);
  });
}
