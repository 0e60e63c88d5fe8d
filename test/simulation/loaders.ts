// Loaders of every kind: quick and slow, failing, skipping, hanging; each value remembers when its load began.
import type { ManyLoader } from "../../src/calls/many.ts";
import type { Loader, LoaderContext } from "../../src/engine/context.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Platform } from "../../src/platform.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { isTooLarge } from "./checks/admission.ts";
import { checkLoadLimit } from "./checks/load-limit.ts";
import { checkSpared } from "./checks/strict.ts";
import { checkReloaded, checkServedMeanwhile, type Reload } from "./checks/reloads.ts";
import { isAfter, showOp, touches, type History, type Moment, type Value } from "./history.ts";
import { partFor, requests, storedKeyOf, type Life, type Loading, type Phase, type Request } from "./life.ts";
import { partsOf, type Op, type Plan } from "./plan.ts";

/** What a loader of the simulation fails with. */
export class OriginDown extends Error {
  override readonly name = "OriginDown";
}

/** Values are numbered; the cache sees nothing else of them. Those that stand for nothing have no number. */
export interface Carried {
  readonly n: number;
  readonly pad?: string;
}

/** A value that is about to be made by an operation; when it is born is the caller's to say. */
export function newValue(history: History, op: Op, by: Life, ttl = op.entry.ttl): Value {
  const { staleWhileRevalidate, staleIfError, tags, negativeTtl, store } = op.entry;
  const ttlMs = op.yields === undefined ? ttl : (negativeTtl ?? ttl);
  const isSomething = op.yields !== "undefined" || negativeTtl !== undefined;
  const mayBeKept = ttlMs > 0 && isSomething && !isTooLarge(op);
  const value: Value = {
    n: history.values.size + 1,
    path: op.path,
    key: op.key,
    tags,
    born: undefined,
    readAt: undefined,
    keptAt: -Infinity,
    ttlMs,
    staleMs: Math.max(staleWhileRevalidate, staleIfError),
    revalidateMs: staleWhileRevalidate,
    isExact: (op.entry.jitter ?? 0) === 0,
    mayBeKept,
    mayBeStored: mayBeKept && store,
    by,
    nothing: op.yields,
  };
  history.values.set(value.n, value);
  return value;
}

/** What the cache is given for a value. */
export function carried({ n, nothing }: Value, { padding }: Op): Carried | null | undefined {
  if (nothing !== undefined) return nothing === "null" ? null : undefined;
  return { n, ...(padding > 0 && { pad: "x".repeat(padding) }) };
}

/** What a loader needs of the world. */
export interface Origin {
  readonly plan: Plan;
  readonly history: History;
  readonly base: VirtualPlatform;
  engineOf(platform: Platform): Engine;
  /** A phase of an operation has begun: whoever is to die in it, does. */
  enters(phase: Phase, life: Life, request: Request | undefined, lastsMs: number): void;
}

/**
 * The origin has another value for a key whenever somebody asks to invalidate it, since whoever does so has just changed
 * it. So what a loader read is old news once an invalidation of it was asked for.
 */
const hasChanged = ({ invalidations }: History, value: Value): boolean =>
  invalidations.some((each) => isAfter(each.asked, value.readAt) && touches(each, value));

/** What a loader may do for one key. */
interface Load {
  readonly op: Op;
  readonly loading: Loading;
  readonly context: Pick<LoaderContext, "stale" | "set" | "skip" | "notModified" | "fail">;
}

type Answer = Carried | null | undefined;

/** The value that a loader was offered. */
const offered = (history: History, { context }: Load): Value | undefined =>
  history.values.get((context.stale?.value as Answer)?.n ?? 0); // nothing else is kept

/** A loader is called, for these keys of one instance. */
function begin(
  origin: Origin,
  life: Life,
  signal: AbortSignal,
  keys: readonly Omit<Load, "loading">[],
): readonly Load[] {
  const { history, base } = origin;
  const request = requests.getStore();
  const together: Loading[] = [];
  const loads = keys.map(({ op, context }): Load => {
    const loading: Loading = {
      name: [...op.path, op.key].join("/"),
      together,
      request: partFor(request, storedKeyOf(op)),
      beganAt: base.monotonic(),
      hadStale: context.stale !== undefined,
      aborted: false,
    };
    together.push(loading);
    life.loading.add(loading);
    history.loads.set(loading.name, (history.loads.get(loading.name) ?? 0) + 1);
    return { op, loading, context };
  });
  signal.addEventListener("abort", () => together.forEach((loading) => void (loading.aborted = true)));
  if (origin.engineOf(life.platform).slots.queue.size > 0) history.struck("loads in line");
  for (const load of loads) {
    const { op, loading, context } = load;
    const old = offered(history, load);
    if (context.stale !== undefined && old !== undefined) {
      const reload: Reload = { op, life, request: loading.request, loading, old, ageMs: context.stale.age };
      checkReloaded(origin, reload);
      checkServedMeanwhile(origin, reload);
    }
    checkSpared(origin, life, op, loading.request);
  }
  checkLoadLimit(origin, life, loads[0]!.op); // nobody loads nothing
  return loads;
}

function end({ history, base }: Origin, life: Life, loads: readonly Load[]): void {
  for (const { op, loading } of loads) {
    life.loading.delete(loading);
    life.touched.set(storedKeyOf(op), base.monotonic());
    // Given up in the middle, it was none: who comes then begins another.
    if (loading.aborted && !op.loader.deaf) history.loads.set(loading.name, history.loads.get(loading.name)! - 1);
  }
  life.loadEndedAt = base.monotonic();
}

/** Does what they have in common, as long as it takes; gives what answers for each of them. */
async function run(
  { history, base, enters }: Origin,
  life: Life,
  signal: AbortSignal,
  loads: readonly Load[],
): Promise<(() => Answer)[]> {
  const { id, loader } = loads[0]!.op; // nobody loads nothing
  const { kind, ms, readsAfterMs, deaf, busy } = loader;
  const request = requests.getStore();

  /** Ends after a while, or with the signal unless the loader is deaf to it; never, if its request is over. */
  const pass = (forMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!deaf) signal.addEventListener("abort", () => reject(signal.reason as Error)); // the engine gives an error
      if (kind === "hang") return;
      if (busy) life.freeze(forMs, false);
      base.setTimeout(() => life[busy ? "resume" : "deliver"](request, resolve), forMs);
    });

  const began = history.moment();
  history.note(
    life.name,
    () => `#${id} loads ${loads.map(({ op }) => `${op.key}: ${op.loader.kind}`).join()}, ${ms} ms`,
  );
  enters("load", life, request, ms);
  if (busy) history.struck("clock stood still");
  if (kind === "hang") {
    history.struck("loader hung");
    life.hung.push(...loads.map(({ loading }) => loading.name));
  }
  await pass(readsAfterMs);
  const readAt = history.moment();
  const kept = loads.map((load) => {
    const { kind } = load.op.loader;
    const stale = offered(history, load);
    const isKept = kind === "notModified" || (kind === "conditional" && stale && !hasChanged(history, stale));
    return isKept ? stale : undefined;
  });
  await pass(ms - readsAfterMs);
  if (kind === "throw") {
    history.struck("loader failed");
    throw new OriginDown();
  }
  return loads.map((load, index) => () => {
    const { op, context } = load;
    if (op.loader.kind === "fail") {
      history.struck("loader failed");
      return context.fail(new OriginDown());
    }
    if (op.loader.kind === "skip") return context.skip();
    const stale = kept[index];
    if (stale !== undefined) return renew(base, load, { stale, began, readAt });
    return make(history, base, life, load, { began, readAt });
  });
}

/** Keeps the stale value, with its own tags: then it is the same in every copy of it. */
function renew(
  base: VirtualPlatform,
  { op, context }: Load,
  { stale, began, readAt }: { readonly stale: Value; readonly began: Moment; readonly readAt: Moment },
): never {
  context.set({ tags: stale.tags });
  stale.born = began;
  stale.isExact = false;
  stale.readAt = readAt;
  stale.keptAt = Math.max(stale.keptAt, base.monotonic());
  stale.ttlMs = Math.max(stale.ttlMs, op.entry.ttl);
  stale.revalidateMs = Math.max(stale.revalidateMs, op.entry.staleWhileRevalidate);
  stale.staleMs = Math.max(stale.staleMs, op.entry.staleWhileRevalidate, op.entry.staleIfError);
  return context.notModified();
}

function make(
  history: History,
  base: VirtualPlatform,
  life: Life,
  { op, loading, context }: Load,
  { began, readAt }: { readonly began: Moment; readonly readAt: Moment },
): Answer {
  const { tags, ttl } = op.loader;
  const value = newValue(history, op, life, ttl);
  if (loading.request !== undefined) loading.request.loaded = value;
  if (isTooLarge(op)) history.struck("value too large");
  value.born = began;
  value.readAt = readAt;
  value.keptAt = base.monotonic();
  if (tags !== undefined) context.set({ tags: (value.tags = tags) });
  if (ttl !== undefined) context.set({ ttl });
  history.note(life.name, () => `#${op.id} has loaded value ${value.n}, tags ${value.tags.join(",")}`);
  return carried(value, op);
}

export function loaderOf(origin: Origin, life: Life, op: Op): Loader<Answer> {
  return async (context) => {
    const loads = begin(origin, life, context.signal, [{ op, context }]);
    try {
      const [answer] = await run(origin, life, context.signal, loads);
      return answer!(); // there is one for each load
    } finally {
      end(origin, life, loads);
    }
  };
}

/** A loader of many keys: of all that are missing, and of no other, each once. */
export function manyLoaderOf(origin: Origin, life: Life, op: Op): ManyLoader<Answer> {
  const { history, plan } = origin;
  // Where nothing fails and nobody gives up, who waits for others gets what they load.
  const isGivenUp = ({ leavesAfterMs, entry }: Op): boolean => (leavesAfterMs ?? entry.hardTimeout) !== undefined;
  const isOnce = plan.calm && !plan.ops.some(isGivenUp);
  let calls = 0;
  return async (missing, { signal, stale, set, ...answers }) => {
    const parts = partsOf(op).filter(({ key }) => missing.includes(key));
    if (parts.length !== missing.length || parts.length === 0) {
      history.violate("well-behaved", `the loader of ${showOp(op)} is to load ${missing.join(",")}`);
    }
    if (parts.length > 1) history.struck("many loaded at once");
    if (++calls > 1 && isOnce) history.violate("one load", `${showOp(op)} loads ${calls} times in a calm schedule`);
    const keys = parts.map((part) => {
      const context = { ...answers, stale: stale.get(part.key), set: (options: object) => set(part.key, options) };
      return { op: part, context };
    });
    const loads = begin(origin, life, signal, keys);
    try {
      const all = await run(origin, life, signal, loads);
      const { kind } = op.loader;
      if (kind === "fail" || kind === "skip") return all[0]!() as never; // one answer for all of them
      // What it says of others is not asked for.
      const values = new Map<string, Answer>([["unasked", { n: 0 }]]);
      for (const [index, answer] of all.entries()) {
        const value = answer();
        // Not among the values, or undefined there, is one and the same.
        if (value !== undefined || index % 2 === 0)
          values.set(parts[index]!.key, value); // there is one for each load
        else history.struck("many loaded in part");
      }
      return op.id % 2 === 0 ? values : Object.fromEntries(values);
    } finally {
      end(origin, life, loads);
    }
  };
}
