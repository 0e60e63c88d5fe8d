// What may be kept, and where: not what is too large, has no life, or is nothing; and of it only what its reader takes may be used.
import { child, ROOT, storedKey } from "../../../src/engine/names.ts";
import { showRead, type History, type Read, type Value } from "../history.ts";
import { partsOf, type InstancePlan, type Op } from "../plan.ts";
import type { World } from "../world.ts";

/** Whether a value of this operation is larger than the operation lets one be. */
export const isTooLarge = ({ padding, yields, entry: { maxValueBytes = Infinity } }: Op): boolean =>
  yields === undefined && padding > maxValueBytes;

/** While there are faults, an instance that validates refuses every third value. */
export const isRefused = ({ n }: Pick<Value, "n">): boolean => n % 3 === 0;

/** The store keeps a value that a loader or a set made. */
export function checkStored({ violate }: History, value: Value): void {
  if (!value.mayBeStored) violate("admission", `value ${value.n} of ${value.key} is stored, and may not be`);
}

/** A value was read, or given to those who wait for its load. */
export function checkServed({ history, plan, healed }: World, read: Read): void {
  const { instances, ops } = plan;
  const { value, by, tier, state, op, begun } = read;
  if (tier === "loader") return;
  const own = instances[op.instance]!; // it is one of them
  if (!value.mayBeKept || (value.by !== by && !value.mayBeStored)) {
    history.violate("admission", `${showRead(read)}, which may not be kept there`);
  }
  // What was made here is not read from the store, unless there is no memory that could hold it.
  const isOwn = value.by === by && own.memory;
  if (own.validates && !healed && value.nothing === undefined && isRefused(value) && !isOwn) {
    history.violate("admission", `${showRead(read)}, which this instance takes for invalid`);
  }
  if (tier !== "memory" || state !== "fresh") return;
  const heardAt = by.touched.get(storedKey(op.path.reduce(child, ROOT), op.key)) ?? -Infinity;
  const endsAt = heardAt + longestInMemory(own, op.instance, ops) + op.burnMs;
  if (begun.at > endsAt) history.violate("admission", `${showRead(read)}, where its time was over at ${endsAt}`);
}

const longestInMemory = ({ memoryTtl }: InstancePlan, instance: number, ops: readonly Op[]): number =>
  memoryTtl === Infinity
    ? Infinity
    : Math.max(
        memoryTtl,
        ...ops.flatMap(partsOf).map((op) => (op.instance === instance ? (op.entry.memoryTtl ?? 0) : 0)),
      );
