// Frames that came already: recognised by source and number, as far back as is remembered.
import type { ResolvedBus } from "./options.ts";

/** What is remembered of each source. */
export interface Dedupe {
  /** Whether a numbered frame is new. Remembers it. */
  isNew(source: string, number: number): boolean;
  /** Whether frames of this source are missing before this number. `isLast`: this one is counted already. */
  misses(source: string, number: number, isLast: boolean): boolean;
}

export function createDedupe(
  { dedupeMaxSize, dedupeTtlMs }: Pick<ResolvedBus, "dedupeMaxSize" | "dedupeTtlMs">,
  clock: () => number,
): Dedupe {
  /** By id, until when it is remembered; in the order in which they came. */
  const seen = new Map<string, number>();
  const newest = new Map<string, number>();
  return {
    isNew(source, number) {
      const now = clock();
      const id = `${number} ${source}`;
      if ((seen.get(id) ?? -Infinity) > now) return false;
      seen.delete(id);
      for (const [old, until] of seen) {
        if (until > now && seen.size < dedupeMaxSize) break;
        seen.delete(old);
      }
      seen.set(id, now + dedupeTtlMs);
      return true;
    },
    misses(source, number, isLast) {
      const before = newest.get(source);
      newest.delete(source); // the map is in the order of news
      newest.set(source, Math.max(before ?? 0, number));
      if (newest.size > dedupeMaxSize) newest.delete(newest.keys().next().value!); // it has that many
      return before !== undefined && number > before + (isLast ? 0 : 1);
    },
  };
}
