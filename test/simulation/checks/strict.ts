// `onStoreError: "throw"`: reads fail with the store, and only with it; the origin is spared, and nothing unproved is served.
import { showOp, showRead, touches, type Read, type Value } from "../history.ts";
import type { Origin } from "../loaders.ts";
import type { Life, Request } from "../life.ts";
import type { Op, Plan } from "../plan.ts";
import type { Call, World } from "../world.ts";

/** Whether an operation needs the store and must not do without. */
export const isStrict = ({ instances }: Plan, { instance, entry }: Op): boolean =>
  instances[instance]!.strict && entry.store; // it is one of them

/** A loader is called only when the store has answered that there is nothing. */
export function checkSpared({ plan, history }: Origin, life: Life, op: Op, request: Request | undefined): void {
  if (!isStrict(plan, op) || request?.lastRead === "answered") return;
  history.violate("strict", `${showOp(op)} on ${life.name} loads without the store`);
}

/** What is served has been checked: within the bound it was made, or a question was asked that the store has answered. */
export function checkProved({ plan, history }: World, read: Read): void {
  const { op, by, begun, tier, value } = read;
  if (tier === "loader" || !isStrict(plan, op)) return;
  const neededAt = begun.at - op.burnMs - (op.entry.strong ? 0 : plan.maxStalenessMs);
  if (Math.max(by.heardSince, value.born?.at ?? -Infinity) >= neededAt) return;
  history.violate("strict", `${showRead(read)}, which the store has not confirmed since ${by.heardSince}`);
}

/** A read rejects if the store has failed this instance, or an own write that covers it may not have reached the store. */
export function checkStrictRejection({ history }: World, { op, life, begun, ended }: Call): void {
  const failed = life.troubles.some(({ from, until }) => until >= begun.at - op.burnMs && from <= ended!.at); // it has just ended
  const { path, key } = op;
  const inDoubt = history.invalidations.some((own) => {
    const isOpen = own.acknowledged === undefined || own.acknowledged.step > begun.step;
    // By tags, it may cover whatever is in the store.
    const isNear = own.op.kind.endsWith("Tags") || touches(own, { path, key, tags: [] as readonly string[] } as Value);
    return own.by === life && isOpen && isNear;
  });
  if (!failed && !inDoubt) history.violate("strict", `${showOp(op)} failed with the store, which has failed nobody`);
  else history.struck("strict read rejected");
}
