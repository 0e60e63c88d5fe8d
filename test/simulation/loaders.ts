// Loaders of every kind: quick and slow, failing, skipping, hanging; each value remembers when its load began.
import type { Loader, LoaderContext } from "../../src/engine/context.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { child, ROOT, storedKey } from "../../src/engine/names.ts";
import type { Platform } from "../../src/platform.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { isTooLarge } from "./checks/admission.ts";
import { checkLoadLimit } from "./checks/load-limit.ts";
import { checkSpared } from "./checks/strict.ts";
import { checkReloaded, checkServedMeanwhile, type Reload } from "./checks/reloads.ts";
import { isAfter, touches, type History, type Moment, type Value } from "./history.ts";
import { requests, type Life, type Loading, type Phase, type Request } from "./life.ts";
import type { Op, Plan } from "./plan.ts";

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

export function loaderOf(origin: Origin, life: Life, op: Op): Loader<Carried | null | undefined> {
  const { history, base, enters } = origin;
  const { kind, ms, readsAfterMs, deaf, busy, tags, ttl } = op.loader;

  /** Ends after a while, or with the signal unless the loader is deaf to it; never, if its request is over. */
  const pass = (signal: AbortSignal, forMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = requests.getStore();
      if (!deaf) signal.addEventListener("abort", () => reject(signal.reason as Error)); // the engine gives an error
      if (kind === "hang") return;
      if (busy) life.freeze(forMs, false);
      base.setTimeout(() => life[busy ? "resume" : "deliver"](request, resolve), forMs);
    });

  /** Keeps the stale value, with its own tags: then it is the same in every copy of it. */
  const renew = (context: LoaderContext, stale: Value, began: Moment, readAt: Moment): never => {
    context.set({ tags: stale.tags });
    stale.born = began;
    stale.isExact = false;
    stale.readAt = readAt;
    stale.keptAt = Math.max(stale.keptAt, base.monotonic());
    stale.ttlMs = Math.max(stale.ttlMs, op.entry.ttl);
    stale.revalidateMs = Math.max(stale.revalidateMs, op.entry.staleWhileRevalidate);
    stale.staleMs = Math.max(stale.staleMs, op.entry.staleWhileRevalidate, op.entry.staleIfError);
    return context.notModified();
  };

  const run = async (context: LoaderContext, loading: Loading): Promise<Carried | null | undefined> => {
    const { name, request } = loading;
    const began = history.moment();
    history.note(life.name, () => `#${op.id} loads: ${kind}, ${ms} ms`);
    enters("load", life, request, ms);
    if (busy) history.struck("clock stood still");
    if (kind === "hang") {
      history.struck("loader hung");
      life.hung.push(name);
    }
    await pass(context.signal, readsAfterMs);
    const readAt = history.moment();
    const offered = context.stale?.value as Carried | null | undefined; // nothing else is kept
    const stale = history.values.get(offered?.n ?? 0);
    const renews =
      stale !== undefined && (kind === "notModified" || (kind === "conditional" && !hasChanged(history, stale)));
    await pass(context.signal, ms - readsAfterMs);
    if (kind === "throw" || kind === "fail") history.struck("loader failed");
    if (kind === "throw") throw new OriginDown();
    if (kind === "fail") return context.fail(new OriginDown());
    if (kind === "skip") return context.skip();
    if (renews) return renew(context, stale, began, readAt);
    const value = newValue(history, op, life, ttl);
    if (request !== undefined) request.loaded = value;
    if (isTooLarge(op)) history.struck("value too large");
    value.born = began;
    value.readAt = readAt;
    value.keptAt = base.monotonic();
    if (tags !== undefined) context.set({ tags: (value.tags = tags) });
    if (ttl !== undefined) context.set({ ttl });
    history.note(life.name, () => `#${op.id} has loaded value ${value.n}, tags ${value.tags.join(",")}`);
    return carried(value, op);
  };

  return async (context) => {
    const { signal, stale } = context;
    const name = [...op.path, op.key].join("/");
    const hadStale = stale !== undefined;
    const request = requests.getStore();
    const loading: Loading = { name, request, beganAt: base.monotonic(), hadStale, aborted: false };
    life.loading.add(loading);
    history.loads.set(name, (history.loads.get(name) ?? 0) + 1);
    signal.addEventListener("abort", () => void (loading.aborted = true));
    const old = history.values.get((stale?.value as Carried | null | undefined)?.n ?? 0); // nothing else is kept
    if (stale !== undefined && old !== undefined) {
      const reload: Reload = { op, life, request, loading, old, ageMs: stale.age };
      checkReloaded(origin, reload);
      checkServedMeanwhile(origin, reload);
    }
    if (origin.engineOf(life.platform).slots.queue.size > 0) history.struck("loads in line");
    checkSpared(origin, life, op, request);
    checkLoadLimit(origin, life, op);
    try {
      return await run(context, loading);
    } finally {
      life.loading.delete(loading);
      life.loadEndedAt = base.monotonic();
      life.touched.set(storedKey(op.path.reduce(child, ROOT), op.key), base.monotonic());
      // Given up in the middle, it was none: who comes then begins another.
      if (loading.aborted && !deaf) history.loads.set(name, history.loads.get(name)! - 1);
    }
  };
}
