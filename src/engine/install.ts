// What may enter memory: only what no invalidation known here could have overtaken on its way.
import type { ResolvedEntry } from "../options/entry.ts";
import type { EntryMeta } from "../store/contract.ts";
import { expireCopy, usefulUntil, type Copy } from "./copy.ts";
import type { Engine } from "./engine.ts";
import { entryTags, type Scope } from "./names.ts";
import { covers } from "./pending.ts";
import { judge } from "./view.ts";

/** The windows and labels an entry gets by its options. */
export function entryMeta(scope: Scope, options: ResolvedEntry): EntryMeta {
  return {
    ttlMs: options.ttlMs,
    staleWhileRevalidateMs: options.staleWhileRevalidateMs,
    staleIfErrorMs: options.staleIfErrorMs,
    tags: entryTags(scope, options.tags),
    ...(options.etag === undefined ? {} : { etag: options.etag }),
    ...(options.lastModified === undefined ? {} : { lastModified: options.lastModified }),
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
  const { view, version, seq, tags } = copy;
  if (tier === undefined || !ordered || copy.epoch !== view.epoch || copy.generation !== view.generation) return false;
  if (seq < view.coveredFrom) return false;
  const { gone, staleAt } = judge(view, version, seq, key, tags);
  if (gone || view.pending.some(({ write }) => covers(write, key, tags, true))) return false;
  if (staleAt !== undefined) expireCopy(copy, staleAt);
  const held = tier.peek(key)?.item;
  if (held?.generation === copy.generation && held.view === view && held.seq > seq) return false;
  copy.checked = view.tagChanges;
  return tier.set(key, copy, copy.held.bytes, usefulUntil(copy), engine.clock());
}
