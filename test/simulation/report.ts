// What people read: a schedule with its course and violations, and how often each fault struck.
import { FAULTS, type FaultName } from "./faults.ts";
import { showViolation } from "./history.ts";
import { showPlan } from "./plain.ts";
import type { Plan } from "./plan.ts";
import type { Subject } from "./subject.ts";
import { simulate } from "./world.ts";

/** The options of a schedule, who did what when, and what it violated. */
export async function showRun(
  plan: Plan,
  subject: Subject,
): Promise<{ readonly text: string; readonly violations: number }> {
  const { timeline, violations } = await simulate(plan, subject, true);
  const found = violations.map(showViolation);
  return {
    text: [`seed ${plan.seed}`, showPlan(plan), ...timeline, ...found].join("\n"),
    violations: violations.length,
  };
}

export const showFaults = (faults: ReadonlyMap<FaultName, number>): string =>
  FAULTS.map((name) => `${String(faults.get(name) ?? 0).padStart(9)}  ${name}`).join("\n");
