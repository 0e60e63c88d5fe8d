// P3, never a hang: every call ends within its time-outs, whoever leads, dies, is cancelled or is slow.
import { showOp } from "../history.ts";
import { isRead } from "../plan.ts";
import type { Call, World } from "../world.ts";
import { patienceOf } from "./in-time.ts";

/** Pauses between questions to a store that does not hold them, at most half a second each; and the signs of life of a leader. */
const CALM_PAUSE_MS = 1_000;

/** How long a call may take at most, by its own time-outs; undefined: its own loader never ends. */
export function limitOf(world: World, call: Call): number | undefined {
  const { life, op } = call;
  const limitMs = ownLimitOf(world, call);
  const patienceMs = patienceOf(op);
  if (patienceMs === undefined) return limitMs;
  return Math.min(patienceMs + life.frozenMs, limitMs ?? Infinity);
}

function ownLimitOf({ plan, longestLoadMs }: World, { op, life, request }: Call): number | undefined {
  const { leaseMs: lease, encodeMs } = plan;
  // Of many keys, each may be answered in a round trip of its own; before that, all wait for a value to be encoded.
  const timeout = plan.storeTimeoutMs * (1 + (request.whole?.parts?.size ?? 0));
  const rest = life.frozenMs + 50 + encodeMs;
  // An own write in doubt, a question to the log of its own and one that it joined, a question to the store.
  const look = 2 * timeout + 2 * timeout + timeout;
  // Sent again if it came too late by a clock that jumped, or to a partition that its key no longer has.
  if (op.kind === "pull") return 4 * look + 3 * timeout + rest;
  if (!isRead(op.kind)) return 3 * timeout + (encodeMs > 0 ? timeout : 0) + rest;
  if (op.kind !== "getOrSet") return 4 * look + rest;
  if (op.loader.kind === "hang") return undefined;
  // A flight that is joined and given up, then two waits for the lease, then a load of its own and its commit.
  // It waits for its turn for as long as a lease.
  const turn = plan.instances[op.instance]!.maxConcurrentLoads === Infinity ? 0 : lease;
  // Where nothing fails, nobody waits for more than the loads and commits of some others, and some round trips.
  if (plan.calm) {
    const trips = 8 + (request.whole?.parts?.size ?? 0);
    return 3 * (longestLoadMs + CALM_PAUSE_MS + trips * plan.network.delay[1]) + rest;
  }
  const once = look + (2 * lease + 3_500) + 2 * (lease + timeout) + turn + longestLoadMs + 2 * timeout;
  return 3 * once + rest;
}

export function checkEnded(world: World, call: Call): void {
  const { op, life, begun, ended, request } = call;
  const limitMs = limitOf(world, call);
  if (life.dead || request.cancelled || limitMs === undefined) return;
  const tookMs = (ended ?? world.history.moment()).at - begun.at;
  if (ended === undefined) world.history.violate("no hang", `${showOp(op)} on ${life.name} never ended`);
  else if (tookMs > limitMs)
    world.history.violate("no hang", `${showOp(op)} on ${life.name} took ${tookMs} of ${limitMs} ms`);
}
