// Whether an entry is valid, and what is left of its windows: a pure function of its head, its tags' marks and the clock.
import { FOREVER, RESERVED_TAG } from "./contract.ts";
import type { EntryHead, Moment, TagMark } from "./partition-storage.ts";

/** What is left of each window, as in `FoundEntry`. */
export interface Windows {
  readonly freshForMs: number;
  readonly revalidateForMs: number;
  readonly errorForMs: number;
}

/** True for a tag that is not one of the reserved tags of a cache or namespace. */
export const isUserTag = (tag: string): boolean => !tag.startsWith(RESERVED_TAG);

/** How long ago an instant of the store's clock was; zero if that clock has gone back since. */
export const since = (at: number, { time }: Moment): number => Math.max(0, time - at);

/**
 * What is left of the windows of an entry; undefined if it is invalid: of another epoch, older than the invalidation of
 * one of its tags (whose marks are given), or below the floor. The windows begin at the natural end of ttl or at the
 * first expiry known, whichever is earlier. An expired entry is never fresh, wherever the clock jumped.
 */
export function windowsOf(
  { epoch, version, storedAt, expiredAt, labels }: EntryHead,
  marks: readonly TagMark[],
  now: Moment,
): Windows | undefined {
  if (epoch !== now.epoch || (version < now.floor && labels.tags.some(isUserTag))) return undefined;
  let staleAt = expiredAt ?? Infinity;
  for (const mark of marks) {
    if (version < mark.goneSeq) return undefined;
    if (version < mark.staleSeq) staleAt = Math.min(staleAt, mark.staleAt);
  }
  const left = (windowMs: number, beforeMs: number): number =>
    windowMs === FOREVER ? FOREVER : Math.min(FOREVER, windowMs + beforeMs);
  let freshForMs = left(labels.ttlMs, -since(storedAt, now));
  if (staleAt < Infinity) freshForMs = Math.min(freshForMs, 0 - since(staleAt, now));
  return {
    freshForMs,
    revalidateForMs: left(labels.staleWhileRevalidateMs, freshForMs),
    errorForMs: left(labels.staleIfErrorMs, freshForMs),
  };
}

/** False once all windows are over, or if they cannot be told; ttl is the first to end. */
export const isOpen = ({ revalidateForMs, errorForMs }: Windows): boolean => Math.max(revalidateForMs, errorForMs) > 0;
