// Whether an entry is valid, and what is left of its windows: a pure function of its head, its tags' marks and the clock.
import { FOREVER, RESERVED_TAG } from "./contract.ts";
import type { EntryHead, PartitionMeta, TagMark } from "./partition-storage.ts";

/** Age and what is left of each window, as in `FoundEntry`. */
export interface Windows {
  readonly ageMs: number;
  readonly freshForMs: number;
  readonly revalidateForMs: number;
  readonly errorForMs: number;
}

/** True for a tag that is not one of the reserved tags of a cache or namespace. */
export const isUserTag = (tag: string): boolean => !tag.startsWith(RESERVED_TAG);

/** True if a load at this version began before something that covers these tags was invalidated. */
export function isRevoked(
  version: number,
  tags: readonly string[],
  marks: readonly TagMark[],
  meta: PartitionMeta,
): boolean {
  return marks.some((mark) => version < mark.goneSeq) || (version < meta.floor && tags.some(isUserTag));
}

/**
 * The windows of an entry, by the store's clock: they begin at the natural end of ttl or at the first expiry known,
 * whichever is earlier. An expired entry is never fresh, and no age is negative, wherever the clock jumped.
 */
export function windowsOf(head: EntryHead, marks: readonly TagMark[], now: number): Windows {
  const ageMs = Math.max(0, now - head.storedAt);
  let freshForMs = head.ttlMs === FOREVER ? FOREVER : head.ttlMs - ageMs;
  let staleAt = head.expiredAt ?? Infinity;
  for (const mark of marks) {
    if (head.version < mark.staleSeq) staleAt = Math.min(staleAt, mark.staleAt);
  }
  if (staleAt !== Infinity) freshForMs = Math.min(freshForMs, 0 - Math.max(0, now - staleAt));
  const left = (windowMs: number): number =>
    windowMs === FOREVER ? FOREVER : Math.min(FOREVER, windowMs + freshForMs);
  return {
    ageMs,
    freshForMs,
    revalidateForMs: left(head.staleWhileRevalidateMs),
    errorForMs: left(head.staleIfErrorMs),
  };
}

/** True once all windows are over. */
export const isOver = (windows: Windows): boolean =>
  Math.max(windows.freshForMs, windows.revalidateForMs, windows.errorForMs) <= 0;
