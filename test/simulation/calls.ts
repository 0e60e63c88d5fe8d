// Makes the calls of a schedule on a real cache, and writes down what came of them.
import type { Cache } from "../../src/cache-types.ts";
import type { EntryOptions, ReadOptions } from "../../src/options/entry.ts";
import { checkServed, isTooLarge } from "./checks/admission.ts";
import { checkBound } from "./checks/bound.ts";
import { checkNothing, checkRejection } from "./checks/fail-open.ts";
import { CallerLeft, checkInTime } from "./checks/in-time.ts";
import { checkAcknowledged, checkHonoured } from "./checks/loud-writes.ts";
import { checkPrompt } from "./checks/prompt.ts";
import { checkMemory } from "./checks/memory-bytes.ts";
import { checkProved, isStrict } from "./checks/strict.ts";
import { checkWindows } from "./checks/windows.ts";
import { showOp, touches, type Checker, type Invalidation, type Read, type Value, type Violation } from "./history.ts";
import { readMany, writeMany } from "./calls-many.ts";
import { answered } from "./life.ts";
import { carried, loaderOf, newValue, type Carried } from "./loaders.ts";
import { isRead, type EntryPlan, type Op } from "./plan.ts";
import type { Call, World } from "./world.ts";

/** Begins what is a call for each key; it ends by itself. */
export function perform(world: World, root: Cache, op: Op, calls: readonly Call[]): void {
  const call = calls[0]!; // there is no call for no key
  const { life } = call;
  world.history.note(life.name, () => `${showOp(op)}${op.entry.strong ? ", strong," : ""} begins`);
  let cache = life.worker ? root.bind(life.platform) : root;
  for (const name of op.path) cache = cache.namespace(name);
  if (op.items !== undefined) return void (isRead(call.op.kind) ? readMany : writeMany)(world, cache, op, calls);
  void (isRead(op.kind) ? read : op.kind === "pull" ? pull : write)(world, cache, call);
}

/** Has the signal of a caller fire when it leaves. */
export function signalOf({ base, history }: World, { op, life, request }: Call): AbortSignal | undefined {
  const { leavesAfterMs } = op;
  if (leavesAfterMs === undefined) return undefined;
  const controller = new AbortController();
  const leave = (): void => {
    history.note(life.name, () => `the signal of #${op.id} fires`);
    controller.abort(new CallerLeft());
  };
  base.setTimeout(() => life.deliver(request.whole ?? request, leave), leavesAfterMs);
  return controller.signal;
}

/** The call of a request has ended, for all of its keys. */
export function end(world: World, cache: Cache, calls: readonly Call[], op: Op, how: string): void {
  const { life, request } = calls[0]!; // there is no call for no key
  const { history, base, plan } = world;
  const ended = history.moment();
  history.note(life.name, () => `${showOp(op)} ${how}`);
  checkMemory(history, life, cache, plan.instances[op.instance]!); // it is one of them
  for (const call of calls) {
    call.ended = ended;
    checkInTime(world, call);
  }
  answered(life, request.whole ?? request, base);
}

async function read(world: World, cache: Cache, call: Call): Promise<void> {
  const { op } = call;
  let found: { readonly value?: Carried | null | undefined; readonly state?: "fresh" | "stale" } | undefined;
  try {
    found = await ask(world, cache, call);
  } catch (error) {
    end(world, cache, [call], op, `rejects: ${String(error)}`);
    return checkRejection(world, call, error);
  }
  end(world, cache, [call], op, `ends: ${showValue(found?.value)} ${showHit(call)}`);
  if (op.kind !== "has") checkFound(world, call, found);
}

/** What holds for what a read has returned. */
export function checkFound(
  world: World,
  call: Call,
  found: { readonly value?: Carried | null | undefined; readonly state?: "fresh" | "stale" } | undefined,
): void {
  const { op } = call;
  const n = (call.returned = found?.value?.n);
  const { history } = world;
  if (n !== undefined) checkValue(world, call, op, n);
  else if (found?.value === null) checkAbsence(world, call, op, null);
  else if (call.request.hit !== undefined) checkAbsence(world, call, op, undefined);
  else return checkNothing(world, call);
  const { state = "unknown" } = call.request.hit ?? {};
  if (found!.state !== undefined && found!.state !== state && state !== "unknown") {
    history.violate("well-behaved", `${showOp(op)} says ${found!.state}, its event ${state}`);
  }
}

/** A strong read, and a delete that is asked for when that has ended: the observer sees it begin. */
async function pull(world: World, cache: Cache, call: Call): Promise<void> {
  const { op, request } = call;
  let found: Carried | null | undefined;
  try {
    found = await cache.pull<Carried | null>(op.key);
  } catch (error) {
    end(world, cache, [call], op, `rejects: ${String(error)}`);
    if (request.invalidation !== undefined) request.invalidation.rejected = world.history.moment();
    if ((error as { code?: string }).code !== "ISOCACHE_STORE") {
      world.history.violate("loud writes", `${showOp(op)} failed: ${String(error)}`);
    }
    return;
  }
  end(world, cache, [call], op, `is acknowledged${found ? `, value ${found.n}` : ""}`);
  if (request.invalidation === undefined) {
    return world.history.violate("loud writes", `${showOp(op)} was acknowledged and never asked for`);
  }
  request.invalidation.acknowledged = world.history.moment();
  checkAcknowledged(world, request.invalidation);
  const strong = { ...op, entry: { ...op.entry, strong: true } };
  if (found !== undefined && found !== null) checkValue(world, call, strong, found.n);
  else if (found === null || request.hit !== undefined) checkAbsence(world, call, strong, found);
}

/** What holds for a value that a read has returned. */
function checkValue(world: World, call: Call, op: Op, n: number): void {
  const value = world.history.values.get(n);
  if (value === undefined || value.key !== op.key || value.path.join("/") !== op.path.join("/")) {
    return world.history.violate("well-behaved", `${showOp(op)} got the value of another key`);
  }
  checkOne(world, call, op, value);
}

/** A read says that there is none. Who said so is not known: there must be one that might be returned. */
function checkAbsence(world: World, call: Call, op: Op, found: null | undefined): void {
  const { history } = world;
  if (call.request.hit !== undefined) history.struck("nothing was kept");
  let reproach: Violation | undefined = {
    checker: "well-behaved",
    what: `${showOp(op)} got ${String(found)}, which nobody made`,
  };
  for (const value of history.values.values()) {
    if (value.nothing !== String(found) || value.key !== op.key || value.path.join("/") !== op.path.join("/")) continue;
    const violations: Violation[] = [];
    const trial = { ...history, violate: (checker: Checker, what: string) => void violations.push({ checker, what }) };
    checkOne({ ...world, history: trial }, call, op, value);
    reproach = violations[0];
    if (reproach === undefined) return;
  }
  history.violate(reproach.checker, reproach.what);
}

function checkOne(world: World, call: Call, op: Op, value: Value): void {
  const { history, plan } = world;
  const { life } = call;
  const { begun, ended, request } = call;
  const { state = "unknown", tier = "loader" } = request.hit ?? {};
  // A clock that stands still shows an instant at which the store was out of reach.
  const outOfReach = life.troubles.some(({ from, until }) => until >= begun.at - op.burnMs && from <= ended!.at); // it just ended
  const mine: Read = { op, by: life, begun, ended: ended!, value, state, tier, outOfReach };
  for (const invalidation of history.invalidations) {
    if (!touches(invalidation, value)) continue;
    checkBound(history, plan, mine, invalidation, isStrict(plan, op) ? "strict" : "bound");
    checkHonoured(history, mine, invalidation);
    checkPrompt(world, mine, invalidation);
  }
  checkWindows(history, plan, mine);
  checkProved(world, mine);
  checkServed(world, mine);
}

export const showValue = (value: Carried | null | undefined): string =>
  value?.n === undefined ? String(value) : `value ${value.n}`;

export const showHit = ({ request: { hit } }: Call): string =>
  hit === undefined ? "" : `${hit.state} from ${hit.tier}`;

async function ask(world: World, cache: Cache, call: Call) {
  const { op, life } = call;
  const { key, kind, entry } = op;
  const signal = signalOf(world, call);
  if (kind === "getOrSet") {
    return { value: await cache.getOrSet(key, loaderOf(world, life, op), entryOptions(entry, signal)) };
  }
  if (kind === "get") return { value: await cache.get<Carried | null>(key, readOptions(entry, signal)) };
  if (kind === "getEntry") return cache.getEntry<Carried | null>(key, readOptions(entry, signal));
  await cache.has(key, readOptions(entry, signal));
  return undefined;
}

/** With these, a store cannot tell how late a write comes. */
const CLOCK_FAULTS = ["wallClock", "storeClock", "suspend", "freeze"];

/** A set or an invalidation. It resolves only when the store has done it, and rejects only with a StoreError (P5). */
async function write(world: World, cache: Cache, call: Call): Promise<void> {
  const { op } = call;
  const invalidation = askFor(world, call);
  const { made } = invalidation;
  try {
    await order(cache, call, made && carried(made, op), signalOf(world, call));
  } catch (error) {
    end(world, cache, [call], op, `rejects: ${String(error)}`);
    return refused(world, call, (error as { code?: string }).code ?? String(error)); // any error may lack it
  }
  end(world, cache, [call], op, `is acknowledged${made === undefined ? "" : `, value ${made.n}`}`);
  acknowledged(world, call);
}

/** Writes down that a set or an invalidation is asked for. */
export function askFor({ history, plan }: World, { op, life, begun, request }: Call): Invalidation {
  const made = op.kind === "set" ? newValue(history, op, life) : undefined;
  if (made !== undefined) made.readAt = begun;
  const bounded =
    op.burnMs === 0 && plan.encodeMs === 0 && !plan.faults.some(({ kind }) => CLOCK_FAULTS.includes(kind));
  const invalidation: Invalidation = { op, by: life, asked: begun, made, done: new Map(), bounded };
  history.invalidations.push(invalidation);
  request.invalidation = invalidation;
  return invalidation;
}

/** Whether a set is too large to be asked for. */
const isRefused = ({ op, made }: Invalidation): boolean => made !== undefined && made.ttlMs > 0 && isTooLarge(op);

/** A write was rejected; of many it may not be known why. */
export function refused({ history }: World, { op, request }: Call, code: string | undefined): void {
  const invalidation = request.invalidation!; // see askFor
  invalidation.rejected = history.moment();
  if (isRefused(invalidation) && (code === undefined || code === "ISOCACHE_CODEC")) {
    // It was never asked for: nothing is invalidated.
    history.invalidations.splice(history.invalidations.indexOf(invalidation), 1);
    history.struck("value too large");
  } else if (code !== undefined && code !== "ISOCACHE_STORE") {
    history.violate("loud writes", `${showOp(op)} failed: ${code}`);
  }
}

/** A write was not rejected. */
export function acknowledged(world: World, { op, request }: Call): void {
  const { history } = world;
  const invalidation = request.invalidation!; // see askFor
  if (isRefused(invalidation)) {
    history.violate("admission", `${showOp(op)} was acknowledged, and its value is too large`);
  }
  invalidation.acknowledged = history.moment();
  checkAcknowledged(world, invalidation);
}

function order(
  cache: Cache,
  { op: { kind, key, entry } }: Call,
  value: Carried | null | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (kind === "set") return cache.set(key, value, entryOptions(entry, signal));
  if (kind === "delete" || kind === "expire") return cache[kind](key);
  if (kind === "invalidateTags" || kind === "expireTags") return cache[kind](entry.tags);
  return cache.clear();
}

/** The types keep contradictions out; the plan has none. */
export function readOptions(entry: EntryPlan, signal: AbortSignal | undefined): ReadOptions {
  const { memory, memoryTtl, store, strong } = entry;
  return { memory, memoryTtl, store, consistency: strong ? "strong" : undefined, signal } as ReadOptions;
}

export function entryOptions({ strong, ...entry }: EntryPlan, signal: AbortSignal | undefined): EntryOptions {
  return { ...entry, consistency: strong ? "strong" : undefined, signal } as EntryOptions; // see readOptions
}
