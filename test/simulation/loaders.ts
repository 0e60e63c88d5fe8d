// Loaders of every kind: quick and slow, failing, skipping, hanging; each value remembers when its load began.
import type { Loader, LoaderContext } from "../../src/engine/context.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { History, Value } from "./history.ts";
import { requests, type Life } from "./life.ts";
import type { Op } from "./plan.ts";

/** What a loader of the simulation fails with. */
export class OriginDown extends Error {
  override readonly name = "OriginDown";
}

/** Values are numbered; the cache sees nothing else of them. */
export interface Carried {
  readonly n: number;
}

/** A value that is about to be made by an operation; when it is born is the caller's to say. */
export function newValue(history: History, op: Op): Value {
  const { ttl, staleWhileRevalidate, staleIfError, tags, memoryTtl } = op.entry;
  const value: Value = {
    n: history.values.size + 1,
    path: op.path,
    key: op.key,
    tags,
    born: undefined,
    keptAt: -Infinity,
    ttlMs: ttl,
    staleMs: Math.max(staleWhileRevalidate, staleIfError),
    revalidateMs: staleWhileRevalidate,
    memoryTtlMs: memoryTtl ?? Infinity,
  };
  history.values.set(value.n, value);
  return value;
}

export function loaderOf(history: History, base: VirtualPlatform, life: Life, op: Op): Loader<Carried> {
  const { kind, ms, deaf, tags, ttl } = op.loader;

  /** Ends after `ms`, or with the signal unless the loader is deaf to it; never, if its request is cancelled. */
  const pass = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = requests.getStore();
      if (!deaf) signal.addEventListener("abort", () => reject(signal.reason as Error)); // the engine gives an error
      if (kind !== "hang") base.setTimeout(() => life.deliver(request, resolve), ms);
    });

  /** Keeps the stale value, with its own tags: then it is the same in every copy of it. */
  const renew = (context: LoaderContext, stale: Value, began: Value["born"]): never => {
    context.set({ tags: stale.tags });
    stale.born = began;
    stale.keptAt = Math.max(stale.keptAt, base.monotonic());
    stale.ttlMs = Math.max(stale.ttlMs, op.entry.ttl);
    stale.revalidateMs = Math.max(stale.revalidateMs, op.entry.staleWhileRevalidate);
    stale.staleMs = Math.max(stale.staleMs, op.entry.staleWhileRevalidate, op.entry.staleIfError);
    return context.notModified();
  };

  return async (context) => {
    const began = history.moment();
    const name = [...op.path, op.key].join("/");
    history.loads.set(name, (history.loads.get(name) ?? 0) + 1);
    history.note(life.name, () => `#${op.id} loads: ${kind}, ${ms} ms`);
    await pass(context.signal);
    const stale = history.values.get((context.stale?.value as Carried | undefined)?.n ?? 0); // only Carried are kept
    if (kind === "throw") throw new OriginDown();
    if (kind === "fail") return context.fail(new OriginDown());
    if (kind === "skip") return context.skip();
    if (kind === "notModified" && stale !== undefined) return renew(context, stale, began);
    const value = newValue(history, op);
    value.born = began;
    value.keptAt = base.monotonic();
    if (tags !== undefined) context.set({ tags: (value.tags = tags) });
    if (ttl !== undefined) context.set({ ttl: (value.ttlMs = ttl) });
    history.note(life.name, () => `#${op.id} has loaded value ${value.n}, tags ${value.tags.join(",")}`);
    return { n: value.n };
  };
}
