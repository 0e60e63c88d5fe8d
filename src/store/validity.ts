// Whether an entry is valid, and what is left of its windows: a pure function of its head, its tags' marks and the clock.
import { FOREVER, RESERVED_TAG } from "./contract.ts";
import type { EntryHead, Moment, TagMark } from "./partition-storage.ts";

/** True for a tag that is not one of the reserved tags of a cache or namespace. */
export const isUserTag = (tag: string): boolean => !tag.startsWith(RESERVED_TAG);

/** How long ago an instant of the store's clock was; zero if that clock has gone back since. */
export const since = (at: number, { time }: Moment): number => Math.max(0, time - at);

/**
 * `freshForMs` of an entry, as in `FoundEntry`; undefined if it is invalid: of another epoch, older than the invalidation
 * of one of its tags (whose marks are given), below the floor, or past all its windows. Those begin at the natural end of
 * ttl or at the first expiry known, whichever is earlier. An expired entry is never fresh, wherever the clock jumped.
 */
export function freshFor(
  { epoch, version, storedAt, expiredAt, labels }: EntryHead,
  marks: readonly TagMark[],
  now: Moment,
): number | undefined {
  if (epoch !== now.epoch || (version < now.floor && labels.tags.some(isUserTag))) return undefined;
  let staleAt = expiredAt ?? Infinity;
  for (const mark of marks) {
    if (version >= mark.seq) continue;
    if (mark.staleAt === undefined) return undefined;
    staleAt = Math.min(staleAt, mark.staleAt);
  }
  const { ttlMs, staleWhileRevalidateMs, staleIfErrorMs } = labels;
  let forMs = ttlMs === FOREVER ? FOREVER : ttlMs - since(storedAt, now);
  if (staleAt < Infinity) forMs = Math.min(forMs, 0 - since(staleAt, now));
  // Also false if a window is not a number.
  return forMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs) > 0 ? forMs : undefined;
}
