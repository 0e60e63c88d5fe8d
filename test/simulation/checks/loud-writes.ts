// P5, writes: acknowledged means done; what was not is rejected, honoured here at once, retried, and never undoes newer data.
import { forbids, isOlder, showOp, showRead, type History, type Invalidation, type Read } from "../history.ts";
import type { Life } from "../life.ts";
import { isKeyWrite, isRemoval, type Op } from "../plan.ts";
import type { World } from "../world.ts";

/** What an instance itself asked for is honoured by it at once, acknowledged or not. */
export function checkHonoured(history: History, read: Read, invalidation: Invalidation): void {
  const { by, asked, op, acknowledged, recovered, done } = invalidation;
  if (by !== read.by || asked.step > read.begun.step) return;
  // A fail-over has undone what was acknowledged: then this is nobody's own any more, and P2 says what holds.
  if (acknowledged && (recovered || [...done.values()].some(({ lost }) => lost))) return;
  if (isOlder(read.value, asked) && forbids(invalidation, read)) {
    history.violate("loud writes", `${showRead(read)}; it asked for ${showOp(op)} itself at ${asked.at}`);
  }
}

/** In how many partitions a write must be done. */
export function partitionsOf({ plan, server }: Pick<World, "plan" | "server">, { kind }: Op): number {
  // With its data, the store may have lost how many it has, and take another number.
  const { instances, faults } = plan;
  const disputed = new Set(instances.map(({ partitions }) => partitions)).size > 1;
  const lost = faults.some((fault) => fault.kind === "restartEmpty" || fault.kind === "failOver");
  return isKeyWrite(kind) || (disputed && lost) ? 1 : server.partitions;
}

/** What resolves was done, in every partition that it concerns; or a later own write of the key has overtaken it. */
export function checkAcknowledged(world: World, invalidation: Invalidation): void {
  const { op, done } = invalidation;
  const { history, plan } = world;
  if (done.size >= partitionsOf(world, op)) return;
  if (plan.encodeMs > 0 && history.invalidations.some((later) => overtakes(later, invalidation))) return;
  history.violate("loud writes", `${showOp(op)} was acknowledged and never done`);
}

/** Whether a later write of the same instance does all that an earlier one does. */
function overtakes(later: Invalidation, { by, op, asked }: Invalidation): boolean {
  if (later.by !== by || later.done.size === 0 || later.asked.step <= asked.step) return false;
  if (later.op.kind === "clear") return later.op.path.length === 0 || later.op.path.join("/") === op.path.join("/");
  if (isKeyWrite(op.kind)) return isRemoval(later.op.kind) && later.op.key === op.key;
  return later.op.kind === "invalidateTags";
}

/** A retry is pointless, and would remove newer data, once a later own write of the key was acknowledged. */
export function checkRetry(history: History, life: Life, retried: Invalidation): void {
  const { kind, key, path } = retried.op;
  if (!isKeyWrite(kind)) return;
  const later = history.invalidations.find(
    ({ op, by, asked, acknowledged }) =>
      by === life &&
      acknowledged !== undefined &&
      asked.step > retried.asked.step &&
      isRemoval(op.kind) &&
      op.key === key &&
      op.path.join("/") === path.join("/"),
  );
  if (later !== undefined) {
    history.violate("loud writes", `${showOp(retried.op)} is retried after ${showOp(later.op)} was acknowledged`);
  }
}

/** What was asked for and rejected is done in the end, if the instance lives; or a later own write does its work. */
export function checkThrough(world: World): void {
  const { history } = world;
  for (const invalidation of history.invalidations) {
    const { op, by, rejected, done } = invalidation;
    if (rejected === undefined || by.dead || by.cancelled || by.closedEarly) continue;
    if (done.size >= partitionsOf(world, op)) continue;
    const covered = history.invalidations.some((later) => overtakes(later, invalidation));
    if (!covered) history.violate("loud writes", `${showOp(op)} on ${by.name} was rejected and never got through`);
  }
}
