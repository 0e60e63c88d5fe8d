// The promises hold in random schedules, each from a seed. `npm run simulate -- --seed N` replays one and prints it.
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache.ts";
import { cases } from "./cases.ts";
import { drawPlan } from "./draw-plan.ts";
import { FAULTS } from "./faults.ts";
import { showViolation } from "./history.ts";
import { plainPlan } from "./plain.ts";
import { KEY_WRITES, MANY, READS, WIDE_WRITES, type Plan } from "./plan.ts";
import { showFaults, showRun } from "./report.ts";
import { runSeeds } from "./run-seeds.ts";
import { shrink } from "./shrink.ts";
import { edited, real } from "./subject.ts";
import { simulate } from "./world.ts";

/** Another one each day in CI, which prints it. */
const FIRST_SEED = Number(process.env["ISOCACHE_FIRST_SEED"] ?? 5_000);
const SEEDS = 2_000;

/** What was violated, with the smallest schedule that shows it; undefined if nothing was. */
async function failure(plan: Plan): Promise<string | undefined> {
  const subject = await real();
  const { violations } = await simulate(plan, subject);
  return violations.length === 0 ? undefined : `shrunk:\n${(await showRun(await shrink(plan, subject), subject)).text}`;
}

describe("random schedules", () => {
  it(
    `hold the promises with ${SEEDS} seeds from ${FIRST_SEED} on, and meet every kind of fault`,
    { timeout: 300_000 },
    async () => {
      const violated: string[] = [];
      const { faults } = await runSeeds({
        from: FIRST_SEED,
        seeds: SEEDS,
        subject: await real(),
        onViolation: (line) => violated.push(line),
      });
      const seed = Number(/\d+/.exec(violated[0] ?? "")?.[0]);
      expect(violated, violated.length > 0 ? await failure(drawPlan(seed)) : "").toEqual([]);
      expect(
        FAULTS.filter((name) => !faults.has(name)),
        showFaults(faults),
      ).toEqual([]);
    },
  );

  it("take the same course every time", async () => {
    const subject = await real();
    for (let seed = 0; seed < 20; seed++) {
      const plan = drawPlan(seed);
      expect(await showRun(plan, subject)).toEqual(await showRun(plan, subject));
    }
  });

  it("are drawn part by part: another workload leaves network, faults and instances as they are", () => {
    const { network, faults, instances } = drawPlan(7);
    expect(drawPlan(7)).toMatchObject({ network, faults, instances });
    expect(drawPlan(8).network).not.toEqual(network);
  });

  it("call every method of a cache that does something to its entries", () => {
    // `wrap` and `warm` are getOrSet and delete.
    const others = ["wrap", "warm", "namespace", "bind", "on", "off", "stats", "close"];
    const drawn = [...READS, ...KEY_WRITES, ...WIDE_WRITES, ...Object.keys(MANY)];
    expect([...drawn, ...others].sort()).toEqual(Object.keys(createCache()).sort());
  });
});

describe("a fault that was repaired", () => {
  it.each(cases)("shows only if the repair is undone: $name", async ({ plan, undo }) => {
    expect(await failure(plan)).toBeUndefined();
    const { violations } = await simulate(plan, await edited(undo));
    expect(violations.map(showViolation)).not.toEqual([]);
  });
});

describe("shrinking", () => {
  it("finds a smaller schedule that violates the same promise, and ends with it", async () => {
    const mutant = await edited([
      { file: "engine/read.ts", from: "if (found.length === 0) return undefined;", to: "return undefined;" },
      { file: "engine/join.ts", from: `if (!own.every(({ write }) => isExpiry(write))) return "pending";`, to: "" },
    ]);
    let plan = drawPlan(1);
    while ((await simulate(plan, mutant)).violations.length === 0) plan = drawPlan(plan.seed + 1);
    const shrunk = await shrink(plan, mutant);
    expect(shrunk.ops.length).toBeLessThanOrEqual(4);
    expect(shrunk.ops.length).toBeLessThan(plan.ops.length);
    expect((await simulate(shrunk, mutant)).violations).not.toEqual([]);
    expect((await simulate(shrunk, await real())).violations).toEqual([]);
  });

  it("leaves alone what violates nothing", async () => {
    const plan = plainPlan({ seed: 1, instances: [{}], ops: [{ id: 0, at: 1, instance: 0, kind: "getOrSet" }] });
    expect(await shrink(plan, await real())).toEqual(plan);
  });
});
