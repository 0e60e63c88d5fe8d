// Makes the calls of a schedule on a real cache, and writes down what came of them.
import type { Cache } from "../../src/cache.ts";
import type { EntryOptions, ReadOptions } from "../../src/options/entry.ts";
import { checkRead } from "./check-reads.ts";
import { showOp, type Invalidation } from "./history.ts";
import { loaderOf, newValue, OriginDown, type Carried } from "./loaders.ts";
import type { EntryPlan } from "./plan.ts";
import type { Call, World } from "./world.ts";

/** Begins a call; it ends by itself. */
export function perform(world: World, root: Cache, call: Call): void {
  const { op, life } = call;
  const { history } = world;
  history.note(life.name, () => `${showOp(op)}${op.entry.strong ? ", strong," : ""} begins`);
  let cache = root.bind(life.platform);
  for (const name of op.path) cache = cache.namespace(name);
  const isRead = ["getOrSet", "get", "getEntry", "has"].includes(op.kind);
  void (isRead ? read : write)(world, cache, call);
}

function end({ history }: World, call: Call, how: string): void {
  call.ended = history.moment();
  history.note(call.life.name, () => `${showOp(call.op)} ${how}`);
}

async function read(world: World, cache: Cache, call: Call): Promise<void> {
  const { op, life } = call;
  const { history } = world;
  let found: { readonly value?: Carried | undefined; readonly state?: "fresh" | "stale" } | undefined;
  try {
    found = await ask(world, cache, call);
  } catch (error) {
    end(world, call, `rejects: ${String(error)}`);
    // A failure is shared with those who joined the load; nothing else may fail a read (P5).
    const { code, cause } = error as { code?: string; cause?: unknown }; // any error may lack both
    const shared = code === "ISOCACHE_LOADER" && cause instanceof OriginDown;
    if (!shared && !life.closedEarly && !world.ending) history.violate("P5", `${showOp(op)} failed: ${String(error)}`);
    return;
  }
  end(world, call, `ends: ${found?.value === undefined ? "nothing" : `value ${found.value.n}`} ${showHit(call)}`);
  if (found?.value === undefined) {
    const skipped = world.plan.ops.some(({ loader, key }) => key === op.key && loader.kind === "skip");
    if (op.kind === "getOrSet" && !skipped)
      history.violate("P5", `${showOp(op)} got nothing from a loader that has a value`);
    return;
  }
  const value = history.values.get(found.value.n);
  if (value === undefined || value.key !== op.key || value.path.join("/") !== op.path.join("/")) {
    return history.violate("rest", `${showOp(op)} got the value of another key`);
  }
  const { begun, ended, request } = call;
  const { state = "unknown", tier = "loader" } = request.hit ?? {};
  const outOfReach = life.troubles.some(({ from, until }) => until >= begun.at && from <= ended!.at); // it just ended
  checkRead(history, world.plan, { op, by: life, begun, ended: ended!, value, state, tier, outOfReach });
  if (found.state !== undefined && found.state !== state && state !== "unknown") {
    history.violate("rest", `${showOp(op)} says ${found.state}, its event ${state}`);
  }
}

const showHit = ({ request: { hit } }: Call): string => (hit === undefined ? "" : `${hit.state} from ${hit.tier}`);

async function ask({ history, base }: World, cache: Cache, { op, life }: Call) {
  const { key, kind, entry } = op;
  if (kind === "getOrSet") {
    return { value: await cache.getOrSet(key, loaderOf(history, base, life, op), entryOptions(entry)) };
  }
  if (kind === "get") return { value: await cache.get<Carried>(key, readOptions(entry)) };
  if (kind === "getEntry") return cache.getEntry<Carried>(key, readOptions(entry));
  await cache.has(key, readOptions(entry));
  return undefined;
}

/** A set or an invalidation. It resolves only when the store has done it, and rejects only with a StoreError (P5). */
async function write(world: World, cache: Cache, call: Call): Promise<void> {
  const { op, life, begun } = call;
  const { history, plan } = world;
  const made = op.kind === "set" ? newValue(history, op) : undefined;
  const bounded = !plan.faults.some(({ kind }) => ["wallClock", "storeClock", "suspend", "freeze"].includes(kind));
  const nonces = new Set<string>();
  const invalidation: Invalidation = { op, by: life, asked: begun, made, nonces, done: new Map(), bounded };
  history.invalidations.push(invalidation);
  call.request.invalidation = invalidation;
  try {
    await order(cache, call, made && { n: made.n });
  } catch (error) {
    end(world, call, `rejects: ${String(error)}`);
    invalidation.rejected = history.moment();
    if ((error as { code?: string }).code !== "ISOCACHE_STORE") {
      history.violate("P5", `${showOp(op)} failed: ${String(error)}`);
    }
    return;
  }
  end(world, call, `is acknowledged${made === undefined ? "" : `, value ${made.n}`}`);
  invalidation.acknowledged = history.moment();
  const wanted = ["set", "delete", "expire"].includes(op.kind) ? 1 : plan.partitions;
  if (invalidation.done.size < wanted) history.violate("P5", `${showOp(op)} was acknowledged and never done`);
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
