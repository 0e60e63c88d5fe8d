// Runs one schedule after another and adds up what came of them.
import { drawPlan } from "./draw-plan.ts";
import type { FaultName } from "./faults.ts";
import { showViolation } from "./history.ts";
import type { Subject } from "./subject.ts";
import { simulate } from "./world.ts";

export interface SeedsOptions {
  readonly from: number;
  readonly seeds: number;
  /** All with this store, or with a bus, instead of each with its own. */
  readonly on?: "redis" | "bus" | undefined;
  readonly subject: Subject;
  /** Told of the first violation of each schedule that has one, on one line. */
  readonly onViolation: (line: string) => void;
}

export interface SeedsRun {
  /** Of how many schedules a promise was violated. */
  readonly violations: number;
  readonly perSecond: number;
  readonly faults: ReadonlyMap<FaultName, number>;
}

export async function runSeeds({ from, seeds, on, subject, onViolation }: SeedsOptions): Promise<SeedsRun> {
  const faults = new Map<FaultName, number>();
  const startedAt = performance.now();
  let violations = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const history = await simulate(drawPlan(seed, on), subject);
    for (const [name, count] of history.faults) faults.set(name, (faults.get(name) ?? 0) + count);
    const [first] = history.violations;
    if (first === undefined) continue;
    violations++;
    onViolation(`seed ${seed}: ${showViolation(first)}`);
  }
  return { violations, faults, perSecond: seeds / ((performance.now() - startedAt) / 1_000) };
}
