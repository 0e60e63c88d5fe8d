// The canary: each checker can fail. Every mutant breaks one rule and is caught by the checker that is named for it.
import { describe, expect, it } from "vitest";
import { drawPlan } from "./draw-plan.ts";
import { CHECKERS, type Checker } from "./history.ts";
import { mutants } from "./mutants.ts";
import { real, type Subject } from "./subject.ts";
import { simulate } from "./world.ts";

/** Within how many seeds a mutant must be caught. */
const SEEDS = 2_000;

/** The first seed with which the checker finds what it does not find in the real one. */
async function caughtAt(by: Checker, mutant: Subject): Promise<number | undefined> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = drawPlan(seed);
    const { violations } = await simulate(plan, mutant);
    if (!violations.some(({ checker }) => checker === by)) continue;
    expect((await simulate(plan, await real())).violations, `seed ${seed}, not a mutant`).toEqual([]);
    return seed;
  }
  return undefined;
}

describe("a mutant is caught", () => {
  it.each(Object.entries(mutants))("%s", { timeout: 120_000 }, async (_, { by, make }) => {
    expect(await caughtAt(by, await make()), `within ${SEEDS} seeds, by "${by}"`).toBeDefined();
  });

  it("by each of the checkers", () => {
    const used = new Set(Object.values(mutants).map(({ by }) => by));
    expect(Object.keys(CHECKERS).filter((checker) => !used.has(checker as Checker))).toEqual([]);
  });
});
