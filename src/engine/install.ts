// What may enter memory: only what no invalidation known here could have overtaken on its way.
import { CodecError } from "../errors.ts";
import type { ResolvedEntry } from "../options/entry.ts";
import { FOREVER, type EntryMeta } from "../store/contract.ts";
import { isSpared, usefulUntil, type Copy } from "./copy.ts";
import type { Engine } from "./engine.ts";
import { entryTags, type Scope } from "./names.ts";
import { covers } from "./pending.ts";

/** The options as they apply to this very value: how long it lives depends on what it is, and on chance. */
export function optionsFor(engine: Engine, options: ResolvedEntry, value: unknown): ResolvedEntry {
  const { negativeTtlMs, jitter } = options;
  const meantMs = value === undefined || value === null ? (negativeTtlMs ?? options.ttlMs) : options.ttlMs;
  // What has no end gets none, and what is not to be stored stays so.
  const isShortened = jitter > 0 && meantMs < FOREVER;
  return { ...options, ttlMs: isShortened ? Math.ceil(meantMs * (1 - jitter * engine.platform.random())) : meantMs };
}

/** Whether a value may be stored at all: undefined is one only for those who say for how long. */
export const isStorable = ({ negativeTtlMs }: ResolvedEntry, value: unknown): boolean =>
  value !== undefined || negativeTtlMs !== undefined;

/** What is wrong with a value of this size: encoded, or as memory counts it where nothing is encoded. */
export const sizeError = ({ maxValueBytes }: ResolvedEntry, name: string, bytes: number): CodecError | undefined =>
  bytes > maxValueBytes
    ? new CodecError(`${JSON.stringify(name)}: ${bytes} bytes are more than maxValueBytes, ${maxValueBytes}`)
    : undefined;

/** The windows and labels an entry gets by its options. */
export function entryMeta(scope: Scope, options: ResolvedEntry): EntryMeta {
  const { ttlMs, staleWhileRevalidateMs, staleIfErrorMs, etag, lastModified } = options;
  return {
    ttlMs,
    staleWhileRevalidateMs,
    staleIfErrorMs,
    tags: entryTags(scope, options.tags),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

/**
 * Puts a copy into memory if it is valid by every invalidation known here, applied or asked for (P1). False if it was
 * not put there. `ordered` is what its answer said of its epoch.
 *
 *   A: read k sent ─────────────────────────── answer (valid at seq 4)  ✗ not installed: record 5 is known and newer
 *   B:               delete k (seq 5) ── A learns of it
 */
export function install(engine: Engine, key: string, copy: Copy, ordered: boolean): boolean {
  const { tier } = engine;
  const { view, seq, tags, generation } = copy;
  // Without an epoch there is no telling what was invalidated while it was loaded.
  if (!ordered || copy.epoch === undefined || copy.epoch !== view.epoch || generation !== view.generation) return false;
  if (seq < view.coveredFrom || !isSpared(copy, key)) return false;
  if (view.pending.touching(key).some(({ write }) => covers(write, key, tags, true))) return false;
  const held = tier.peek(key)?.item;
  if (held?.generation === generation && held.view === view && held.seq > seq) return false;
  return tier.set(key, copy, copy.held.bytes, usefulUntil(copy), engine.clock());
}
