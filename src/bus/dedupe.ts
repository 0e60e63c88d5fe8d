// Frames that came already: recognised by source and number, as far back as is remembered.
import type { ResolvedBus } from "./options.ts";

/** What is remembered of each source. */
export interface Dedupe {
  /** Whether a numbered frame is new. Remembers it. */
  isNew(source: string, number: number): boolean;
  /** Whether frames of this source are missing before this number. `isLast`: this one is counted already. */
  misses(source: string, number: number, isLast: boolean): boolean;
}

/** Signed frames are remembered for as long as their age does not tell that they come again: maxAge, and ahead of the clock. */
const lifeOf = ({ dedupeTtlMs, sign }: ResolvedBus): number => Math.max(dedupeTtlMs, 2 * (sign?.maxAgeMs ?? 0));

export function createDedupe(options: ResolvedBus, clock: () => number): Dedupe {
  const { dedupeMaxSize, sign } = options;
  const lifeMs = lifeOf(options);
  /** By id, which frame it is and until when it is remembered; in the order in which they came. */
  const seen = new Map<string, { readonly source: string; readonly number: number; readonly until: number }>();
  const newest = new Map<string, number>();
  /** Of signed frames that were forgotten too early, for want of room: up to this number none is new. */
  const floors = new Map<string, number>();

  const forget = (id: string, { source, number, until }: { source: string; number: number; until: number }): void => {
    seen.delete(id);
    if (!sign || until <= clock()) return;
    const floor = Math.max(number, floors.get(source) ?? 0);
    floors.delete(source);
    floors.set(source, floor);
    if (floors.size > dedupeMaxSize) floors.delete(floors.keys().next().value!); // it has that many
  };

  return {
    isNew(source, number) {
      const now = clock();
      const id = `${number} ${source}`;
      if ((seen.get(id)?.until ?? -Infinity) > now || number <= (floors.get(source) ?? -1)) return false;
      seen.delete(id);
      for (const [old, frame] of seen) {
        if (frame.until > now && seen.size < dedupeMaxSize) break;
        forget(old, frame);
      }
      seen.set(id, { source, number, until: now + lifeMs });
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
