// What holds once everything is over: every call has ended, every invalidation got through, nothing is left behind (P3, P5).
import { showOp, type History } from "./history.ts";
import type { Call, World } from "./world.ts";

/** How long a call may take at most, by its own time-outs; undefined: its own loader never ends. */
export function limitOf({ plan }: World, { op, life }: Call): number | undefined {
  const { storeTimeoutMs: timeout, leaseMs: lease } = plan;
  const rest = life.frozenMs + 50;
  if (!["getOrSet", "get", "getEntry", "has"].includes(op.kind)) return 2 * timeout + rest;
  // An own write in doubt, a question to the log of its own and one that it joined, a question to the store.
  const look = 2 * timeout + 2 * timeout + timeout;
  if (op.kind !== "getOrSet") return 4 * look + rest;
  if (op.loader.kind === "hang") return undefined;
  const longest = Math.max(...plan.ops.map(({ loader }) => (loader.kind === "hang" ? 0 : loader.ms)));
  // A flight that is joined and given up, then two waits for the lease, then a load of its own and its commit.
  const once = look + (2 * lease + 3_500) + 2 * (lease + timeout) + longest + 2 * timeout;
  return 3 * once + rest;
}

export function checkEnd(world: World): void {
  for (const call of world.calls) checkEnded(world, call);
  checkThrough(world);
  if (world.plan.calm) checkLoads(world.history);
  checkTimers(world);
}

/** Nothing waits in an instance that was closed. */
export function checkTimers({ lives, history }: World): void {
  for (const life of lives) {
    const left = life.dead ? 0 : life.timers();
    if (left > 0) history.violate("rest", `${life.name} was closed, and has ${left} timers left`);
  }
}

/** P3: no call hangs. */
function checkEnded(world: World, call: Call): void {
  const { op, life, begun, ended, request } = call;
  const limitMs = limitOf(world, call);
  if (life.dead || request.cancelled || limitMs === undefined) return;
  const tookMs = (ended ?? world.history.moment()).at - begun.at;
  if (ended === undefined) world.history.violate("P3", `${showOp(op)} on ${life.name} never ended`);
  else if (tookMs > limitMs)
    world.history.violate("P3", `${showOp(op)} on ${life.name} took ${tookMs} of ${limitMs} ms`);
}

/** P5: what was asked for and rejected is done in the end, if the instance lives; or a later own write does its work. */
function checkThrough({ history, plan, lives }: World): void {
  for (const { op, by, rejected, done, asked } of history.invalidations) {
    const life = lives.find((each) => each === by); // `by` is one
    if (rejected === undefined || life === undefined || life.dead || life.cancelled || life.closedEarly) continue;
    const isKey = ["set", "delete", "expire"].includes(op.kind);
    if (done.size >= (isKey ? 1 : plan.partitions)) continue;
    const covered = history.invalidations.some((later) => {
      if (later.by !== by || later.done.size === 0 || later.asked.step < asked.step) return false;
      if (later.op.kind === "clear") return later.op.path.length === 0 || later.op.path.join("/") === op.path.join("/");
      if (isKey) return (later.op.kind === "set" || later.op.kind === "delete") && later.op.key === op.key;
      return later.op.kind === "invalidateTags";
    });
    if (!covered) history.violate("P5", `${showOp(op)} on ${life.name} was rejected and never got through`);
  }
}

/** P3: one load per key across all instances, if nothing disturbs them. */
function checkLoads(history: History): void {
  for (const [key, count] of history.loads) {
    if (count > 1) history.violate("P3", `${count} loads of ${key} in a calm schedule`);
  }
}
