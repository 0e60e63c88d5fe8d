// Makes a schedule that violates a promise smaller, as long as it still violates it.
import type { Plan } from "./plan.ts";
import type { Subject } from "./subject.ts";
import { simulate } from "./world.ts";

/** Each step leaves something out. */
function* smaller(plan: Plan): Generator<Plan> {
  const without = <T>(list: readonly T[], index: number): T[] => list.filter((_, other) => other !== index);
  for (let i = plan.ops.length - 1; i >= 0; i--) yield { ...plan, ops: without(plan.ops, i) };
  for (let i = plan.faults.length - 1; i >= 0; i--) yield { ...plan, faults: without(plan.faults, i) };
  const { network, limits } = plan;
  for (const fate of ["slow", "loseRequest", "loseAnswer", "errorBefore", "errorAfter", "repeat"] as const) {
    if (network[fate] > 0) yield { ...plan, network: { ...network, [fate]: 0 } };
  }
  for (const limit of ["maxEntries", "maxTags", "maxLogRecords", "maxWaiters"] as const) {
    if (limits[limit] < 100) yield { ...plan, limits: { ...limits, [limit]: 100 } };
  }
  if (plan.partitions > 1) yield { ...plan, partitions: 1 };
}

/** The smallest schedule found that violates the same promise. */
export async function shrink(plan: Plan, subject: Subject): Promise<Plan> {
  const promises = new Set((await simulate(plan, subject)).violations.map(({ promise }) => promise));
  const fails = async (smaller: Plan): Promise<boolean> =>
    (await simulate(smaller, subject)).violations.some(({ promise }) => promises.has(promise));
  for (let current = plan; ;) {
    let next: Plan | undefined;
    for (const candidate of smaller(current)) {
      if (await fails(candidate)) {
        next = candidate;
        break;
      }
    }
    if (next === undefined) return current;
    current = next;
  }
}
