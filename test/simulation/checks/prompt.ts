// A bus that is well is prompt: what was acknowledged is seen by all that listen as soon as they can have heard of it, however
// long they may trust their memory otherwise.
import type { Ear } from "../bus/ear.ts";
import { forbids, isOlder, showOp, showRead, type Invalidation, type Read } from "../history.ts";
import type { BusPlan, Plan } from "../plan.ts";
import type { World } from "../world.ts";

/** Timers that are due at one instant fire one after the other. */
const SLACK_MS = 2;

/** From hearing that something is missing until the log has told: all wait a little before they ask, not to ask at once. */
const askMs = ({ network }: Plan): number => 50 + 2 * network.delay[1] + SLACK_MS;

/** From an acknowledgement until all have heard of it: the frame before is answered, and this one goes there and on. */
const pathMs = ({ delay }: BusPlan): number => 4 * delay[1] + SLACK_MS;

/** The faults by which frames are lost without a sign. */
const SILENT = ["deaf", "busDown", "garble"];

/**
 * Until then the instance must know of it, at the latest: since it was told that it hears everything, either the message
 * itself came; or another one that shows that something is missing; or a heartbeat did, or it asked in its own turn.
 */
function knownAt(plan: Plan, bus: BusPlan, ear: Ear, upSince: number, invalidation: Invalidation): number {
  const at = invalidation.acknowledged!.at; // see checkPrompt
  const isLossy = bus.lose > 0 || plan.faults.some(({ kind }) => SILENT.includes(kind));
  // Two turns of everybody, each with its question and its publishing; what others told just before counts for the first.
  const turnsMs = 2.5 * bus.heartbeatMs + 2 * (bus.publishTimeoutMs + 2 * plan.network.delay[1]);
  const byItself = isLossy
    ? Math.max(at, ear.deafUntil, upSince) + pathMs(bus) + turnsMs + askMs(plan)
    : at + pathMs(bus);
  return Math.max(Math.min(byItself, shownAt(ear, invalidation) + askMs(plan)), upSince + askMs(plan));
}

/** When it was told that each partition's log had come so far. */
function shownAt({ told }: Ear, { done }: Invalidation): number {
  let at = -Infinity;
  for (const [partition, { seq = Infinity }] of done) {
    const first = told.find((each) => each.partition === partition && each.seq >= seq);
    at = Math.max(at, first?.at ?? Infinity);
  }
  return at;
}

export function checkPrompt({ plan, hub, history, healed }: World, read: Read, invalidation: Invalidation): void {
  const { bus } = plan;
  const ear = hub?.earOf(read.by);
  if (!bus?.prompt || healed || ear?.upSince === undefined || invalidation.acknowledged === undefined) return;
  // What began before it was told so may have been under way then.
  if (read.begun.at <= knownAt(plan, bus, ear, ear.upSince, invalidation)) return;
  const isOld = [...invalidation.done.values()].every((done) => isOlder(read.value, done));
  if (!isOld || !forbids(invalidation, read)) return;
  const { at } = invalidation.acknowledged;
  history.violate("prompt", `${showRead(read)}; ${showOp(invalidation.op)} was acknowledged at ${at}`);
}
