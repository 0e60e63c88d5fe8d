// The canary: each checker can fail. Every mutant breaks one rule and is caught by the checker that is named for it.
import { describe, expect, it } from "vitest";
import { drawPlan } from "./draw-plan.ts";
import { CHECKERS, type Checker } from "./history.ts";
import { caughtWith } from "./mutant-seeds.ts";
import { mutants, type Mutant } from "./mutants.ts";
import { real, type Subject } from "./subject.ts";
import { simulate } from "./world.ts";

/** Within how many seeds a mutant must be caught. */
const SEEDS = 2_000;

/** Whether the checker finds, with a seed, what it does not find in the real one. */
async function isCaught({ by, on }: Mutant, mutant: Subject, seed: number): Promise<boolean> {
  const plan = drawPlan(seed, on);
  const { violations } = await simulate(plan, mutant);
  if (!violations.some(({ checker }) => checker === by)) return false;
  expect((await simulate(plan, await real())).violations, `seed ${seed}, not a mutant`).toEqual([]);
  return true;
}

/** The first seed that catches it; the one that did so when last looked at is tried before all others. */
async function caughtAt(name: string, what: Mutant, mutant: Subject): Promise<number | undefined> {
  const known = caughtWith[name];
  if (known !== undefined && (await isCaught(what, mutant, known))) return known;
  for (let seed = 1; seed <= SEEDS; seed++) if (await isCaught(what, mutant, seed)) return seed;
  return undefined;
}

describe("a mutant is caught", () => {
  it.each(Object.entries(mutants))("%s", { timeout: 120_000 }, async (name, what) => {
    expect(await caughtAt(name, what, await what.make()), `within ${SEEDS} seeds, by "${what.by}"`).toBeDefined();
  });

  it("with a seed that is known, and among the seeds that everybody tries", () => {
    expect(Object.keys(caughtWith).filter((name) => mutants[name] === undefined)).toEqual([]);
    expect(Object.values(caughtWith).filter((seed) => seed > SEEDS)).toEqual([]);
  });

  it("by each of the checkers", () => {
    const used = new Set(Object.values(mutants).map(({ by }) => by));
    expect(Object.keys(CHECKERS).filter((checker) => !used.has(checker as Checker))).toEqual([]);
  });
});
