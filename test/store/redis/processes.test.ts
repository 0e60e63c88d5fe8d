// Four real processes on one Redis: one load, take-over, and a Redis that goes and comes back while all of them read.
import { expect, onTestFinished, test } from "vitest";
import { startProcess, type Process } from "../../support/processes/processes.ts";
import { hasRedisServer, startRedis } from "../../support/redis.ts";

/** What the processes are set to, and how late a busy machine may be. */
const BOUND_MS = 200;
const LATE_MS = 3_000;
/** Clocks show whole milliseconds. */
const TICK_MS = 2;

async function four() {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const processes = await Promise.all(Array.from({ length: 4 }, () => startProcess(redis.url)));
  return { redis, processes };
}

const all = <T>(processes: readonly Process[], task: string, request: object): Promise<T[]> =>
  Promise.all(processes.map((each) => each.ask<T>(task, request)));

interface Crowd {
  readonly values: readonly number[];
  readonly loads: number;
}

interface Steady {
  readonly reads: readonly (readonly [key: string, at: number, value: number])[];
  readonly failed: readonly string[];
}

const required = process.env["ISOCACHE_REQUIRE_SERVICES"] === "1";
const redisTest = test.skipIf(!hasRedisServer() && !required);

redisTest("four processes with sixty callers each load a cold key once", async () => {
  const { processes } = await four();
  for (let round = 0; round < 5; round++) {
    const crowds = await all<Crowd>(processes, "crowd", { key: `k${round}`, callers: 60, ms: 100 });
    expect(new Set(crowds.flatMap(({ values }) => values)).size).toBe(1);
    expect(crowds.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
  }
  expect(processes.flatMap(({ errors }) => errors)).toEqual([]);
});

redisTest("when the one that loads is killed, another takes over within its lease", async () => {
  const { processes } = await four();
  const [first, ...others] = processes;
  const lost = first!.ask("load", { key: "k", ms: 60_000 }).catch(String);
  await first!.loading();
  const startedAt = Date.now();
  const crowds = all<Crowd>(others, "crowd", { key: "k", callers: 20, ms: 50 });
  await first!.kill();
  expect(await lost).toContain("has ended");
  expect(new Set((await crowds).flatMap(({ values }) => values)).size).toBe(1);
  expect(Date.now() - startedAt).toBeLessThan(1_000 + LATE_MS);
});

redisTest("Redis stopped and started under load fails no read, and nothing stale comes back", async () => {
  const { redis, processes } = await four();
  const keys = ["a", "b", "c"];
  const steady = all<Steady>(processes, "steady", { keys, ms: 6_000 });
  const done: { readonly key: string; readonly askedAt: number; readonly doneAt: number }[] = [];
  let refused = 0;
  let isOver = false;
  const invalidating = (async (): Promise<void> => {
    for (let round = 0; !isOver; round++) {
      const key = keys[round % keys.length]!;
      const askedAt = Date.now();
      await processes[round % processes.length]!.ask("delete", { key }).then(
        () => done.push({ key, askedAt, doneAt: Date.now() }),
        () => refused++,
      );
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  for (const downMs of [300, 1_000]) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await redis.restart();
  }
  const ends = await steady;
  isOver = true;
  await invalidating;
  expect(ends.flatMap(({ failed }) => failed)).toEqual([]);
  const reads = ends.flatMap(({ reads }) => reads);
  const stale = reads.filter(([key, at, value]) =>
    done.some((each) => each.key === key && at > each.doneAt + BOUND_MS + TICK_MS && value < each.askedAt),
  );
  expect(stale).toEqual([]);
  // It was really down, and really used before, meanwhile and after.
  expect(refused).toBeGreaterThan(0);
  expect(done.length).toBeGreaterThan(30);
  expect(reads.length).toBeGreaterThan(1_000);
});
