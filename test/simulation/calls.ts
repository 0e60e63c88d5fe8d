// Makes the calls of a schedule on a real cache, and writes down what came of them.
import type { Cache } from "../../src/cache-types.ts";
import type { EntryOptions, ReadOptions } from "../../src/options/entry.ts";
import { checkBound } from "./checks/bound.ts";
import { checkNothing, checkRejection } from "./checks/fail-open.ts";
import { checkAcknowledged, checkHonoured } from "./checks/loud-writes.ts";
import { checkMemory } from "./checks/memory-bytes.ts";
import { checkWindows } from "./checks/windows.ts";
import { showOp, touches, type Invalidation, type Read } from "./history.ts";
import { answered } from "./life.ts";
import { carried, loaderOf, newValue, type Carried } from "./loaders.ts";
import { isRead, type EntryPlan, type Op } from "./plan.ts";
import type { Call, World } from "./world.ts";

/** Begins a call; it ends by itself. */
export function perform(world: World, root: Cache, call: Call): void {
  const { op, life } = call;
  world.history.note(life.name, () => `${showOp(op)}${op.entry.strong ? ", strong," : ""} begins`);
  let cache = life.worker ? root.bind(life.platform) : root;
  for (const name of op.path) cache = cache.namespace(name);
  void (isRead(op.kind) ? read : op.kind === "pull" ? pull : write)(world, cache, call);
}

function end(world: World, cache: Cache, call: Call, how: string): void {
  const { op, life, request } = call;
  const { history, base, plan } = world;
  call.ended = history.moment();
  history.note(life.name, () => `${showOp(op)} ${how}`);
  checkMemory(history, life, cache, plan.instances[op.instance]!); // it is one of them
  answered(life, request, base);
}

async function read(world: World, cache: Cache, call: Call): Promise<void> {
  const { op } = call;
  let found: { readonly value?: Carried | undefined; readonly state?: "fresh" | "stale" } | undefined;
  try {
    found = await ask(world, cache, call);
  } catch (error) {
    end(world, cache, call, `rejects: ${String(error)}`);
    return checkRejection(world, call, error);
  }
  const n = (call.returned = found?.value?.n);
  end(world, cache, call, `ends: ${n === undefined ? "nothing" : `value ${n}`} ${showHit(call)}`);
  if (n === undefined) return checkNothing(world, call);
  checkValue(world, call, op, n);
  const { history } = world;
  const { state = "unknown" } = call.request.hit ?? {};
  if (found!.state !== undefined && found!.state !== state && state !== "unknown") {
    history.violate("well-behaved", `${showOp(op)} says ${found!.state}, its event ${state}`);
  }
}

/** A strong read, and a delete that is asked for when that has ended: the observer sees it begin. */
async function pull(world: World, cache: Cache, call: Call): Promise<void> {
  const { op, request } = call;
  let found: Carried | undefined;
  try {
    found = await cache.pull<Carried>(op.key);
  } catch (error) {
    end(world, cache, call, `rejects: ${String(error)}`);
    if (request.invalidation !== undefined) request.invalidation.rejected = world.history.moment();
    if ((error as { code?: string }).code !== "ISOCACHE_STORE") {
      world.history.violate("loud writes", `${showOp(op)} failed: ${String(error)}`);
    }
    return;
  }
  end(world, cache, call, `is acknowledged${found === undefined ? "" : `, value ${found.n}`}`);
  if (request.invalidation === undefined) {
    return world.history.violate("loud writes", `${showOp(op)} was acknowledged and never asked for`);
  }
  request.invalidation.acknowledged = world.history.moment();
  checkAcknowledged(world, request.invalidation);
  if (found !== undefined) checkValue(world, call, { ...op, entry: { ...op.entry, strong: true } }, found.n);
}

/** What holds for a value that a read has returned. */
function checkValue({ history, plan }: World, call: Call, op: Op, n: number): void {
  const { life } = call;
  const value = history.values.get(n);
  if (value === undefined || value.key !== op.key || value.path.join("/") !== op.path.join("/")) {
    return history.violate("well-behaved", `${showOp(op)} got the value of another key`);
  }
  const { begun, ended, request } = call;
  const { state = "unknown", tier = "loader" } = request.hit ?? {};
  // A clock that stands still shows an instant at which the store was out of reach.
  const outOfReach = life.troubles.some(({ from, until }) => until >= begun.at - op.burnMs && from <= ended!.at); // it just ended
  const mine: Read = { op, by: life, begun, ended: ended!, value, state, tier, outOfReach };
  for (const invalidation of history.invalidations) {
    if (!touches(invalidation, value)) continue;
    checkBound(history, plan, mine, invalidation);
    checkHonoured(history, mine, invalidation);
  }
  checkWindows(history, plan, mine);
}

const showHit = ({ request: { hit } }: Call): string => (hit === undefined ? "" : `${hit.state} from ${hit.tier}`);

async function ask(world: World, cache: Cache, { op, life }: Call) {
  const { key, kind, entry } = op;
  if (kind === "getOrSet") {
    return { value: await cache.getOrSet(key, loaderOf(world, life, op), entryOptions(entry)) };
  }
  if (kind === "get") return { value: await cache.get<Carried>(key, readOptions(entry)) };
  if (kind === "getEntry") return cache.getEntry<Carried>(key, readOptions(entry));
  await cache.has(key, readOptions(entry));
  return undefined;
}

/** With these, a store cannot tell how late a write comes. */
const CLOCK_FAULTS = ["wallClock", "storeClock", "suspend", "freeze"];

/** A set or an invalidation. It resolves only when the store has done it, and rejects only with a StoreError (P5). */
async function write(world: World, cache: Cache, call: Call): Promise<void> {
  const { op, life, begun } = call;
  const { history, plan } = world;
  const made = op.kind === "set" ? newValue(history, op) : undefined;
  if (made !== undefined) made.readAt = begun;
  const bounded =
    op.burnMs === 0 && plan.encodeMs === 0 && !plan.faults.some(({ kind }) => CLOCK_FAULTS.includes(kind));
  const invalidation: Invalidation = { op, by: life, asked: begun, made, done: new Map(), bounded };
  history.invalidations.push(invalidation);
  call.request.invalidation = invalidation;
  try {
    await order(cache, call, made && carried(made, op));
  } catch (error) {
    end(world, cache, call, `rejects: ${String(error)}`);
    invalidation.rejected = history.moment();
    if ((error as { code?: string }).code !== "ISOCACHE_STORE") {
      history.violate("loud writes", `${showOp(op)} failed: ${String(error)}`);
    }
    return;
  }
  end(world, cache, call, `is acknowledged${made === undefined ? "" : `, value ${made.n}`}`);
  invalidation.acknowledged = history.moment();
  checkAcknowledged(world, invalidation);
}

function order(cache: Cache, { op: { kind, key, entry } }: Call, value: Carried | undefined): Promise<void> {
  if (kind === "set") return cache.set(key, value, entryOptions(entry));
  if (kind === "delete" || kind === "expire") return cache[kind](key);
  if (kind === "invalidateTags" || kind === "expireTags") return cache[kind](entry.tags);
  return cache.clear();
}

/** The types keep contradictions out; the plan has none. */
function readOptions({ memory, memoryTtl, store, strong }: EntryPlan): ReadOptions {
  const consistency = strong ? "strong" : undefined;
  return { memory, memoryTtl, store, consistency } as ReadOptions;
}

function entryOptions(entry: EntryPlan): EntryOptions {
  const { ttl, staleWhileRevalidate, staleIfError, tags } = entry;
  return { ...readOptions(entry), ttl, staleWhileRevalidate, staleIfError, tags } as EntryOptions; // see readOptions
}
