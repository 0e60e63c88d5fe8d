// The promises hold in random schedules, each from a seed; and the checkers can fail. `SEED=n` replays one and prints it.
import { describe, expect, it } from "vitest";
import { cases } from "./cases.ts";
import { mutants } from "./mutants.ts";
import { showPlan } from "./plain.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { edited, real, type Subject } from "./subject.ts";
import { simulate } from "./world.ts";

const FIRST_SEED = 5_000;
const SEEDS = 400;
/** Within how many seeds a mutant must be caught. */
const MUTANT_SEEDS = 1_000;

/** The course of a schedule, readable. */
async function replay(plan: Plan, subject: Subject): Promise<string> {
  const { timeline, violations } = await simulate(plan, subject, true);
  const found = violations.map(({ promise, what }) => `${promise}: ${what}`);
  return [`SEED=${plan.seed}`, showPlan(plan), ...timeline, ...found].join("\n");
}

/** What was violated, with the smallest schedule that shows it; undefined if nothing was. */
async function failure(plan: Plan): Promise<string | undefined> {
  const { violations } = await simulate(plan);
  return violations.length === 0 ? undefined : `shrunk:\n${await replay(await shrink(plan, real), real)}`;
}

const wanted = process.env["SEED"];

describe.runIf(wanted !== undefined)("one schedule", () => {
  it(`holds the promises with the seed ${wanted}`, { timeout: 60_000 }, async () => {
    console.log(await replay(drawPlan(Number(wanted)), real));
    expect(await failure(drawPlan(Number(wanted)))).toBeUndefined();
  });
});

describe.runIf(wanted === undefined)("random schedules", () => {
  it(`hold the promises with ${SEEDS} seeds from ${FIRST_SEED} on`, { timeout: 120_000 }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++)
      expect(await failure(drawPlan(seed))).toBeUndefined();
  });

  it("take the same course every time", async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 10; seed++) {
      expect(await replay(drawPlan(seed), real)).toBe(await replay(drawPlan(seed), real));
    }
  });
});

describe.runIf(wanted === undefined)("a fault that was repaired", () => {
  it.each(cases)("shows only if the repair is undone: $name", async ({ plan, undo }) => {
    expect(await failure(plan)).toBeUndefined();
    const { violations } = await simulate(plan, await edited(undo));
    expect(violations).not.toEqual([]);
  });
});

describe.runIf(wanted === undefined)("a mutant is caught", () => {
  /** The first seed with which it violates what the real one keeps. */
  const catchAt = async (mutant: Subject): Promise<number | undefined> => {
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
      const plan = drawPlan(seed);
      if ((await simulate(plan, mutant)).violations.length === 0) continue;
      if ((await simulate(plan, real)).violations.length === 0) return seed;
    }
    return undefined;
  };

  it.each(Object.keys(mutants))("%s", { timeout: 60_000 }, async (name) => {
    expect(await catchAt(await mutants[name]!())).toBeDefined(); // it is one of their names
  });
});
