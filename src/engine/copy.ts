// A value with what is needed to decide whether it may still be used: kept in memory, and passed from a flight to its callers.
import type { Held } from "../codec/walk.ts";
import type { EntryMeta, FoundEntry } from "../store/contract.ts";
import { judgeTags, type View } from "./view.ts";

/** All instants are local time. One shape for all, since every memory hit reads it. */
export interface Copy {
  readonly held: Held;
  /** The store's name for the entry; "" for a value that is in no store. */
  readonly id: string;
  /** The epoch that version and seq belong to; undefined before any is known. */
  readonly epoch: string | undefined;
  readonly version: number;
  /** The seq at which the store found it valid. */
  readonly seq: number;
  /** All tags, reserved ones included. */
  readonly tags: readonly string[];
  readonly view: View;
  readonly generation: number;
  /** `view.tagChanges` when the tags were last compared. */
  checked: number;
  /** When the request that validated it was sent, or the load that made it began. */
  readonly provedAt: number;
  readonly storedAt: number;
  readonly ttlMs: number;
  freshUntil: number;
  revalidateUntil: number;
  errorUntil: number;
  /** After a failed load nobody tries again before this. */
  retryAt: number;
  /** It is not used from memory after this, whatever the store would say. */
  memoryUntil: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** What is left of the three windows, from `sentAt` on: ages count from when the question was sent (ageFromSend). */
export type Windows = Pick<FoundEntry, "freshForMs" | "revalidateForMs" | "errorForMs">;

/** The windows of an entry that was stored just now. */
export function fullWindows(meta: EntryMeta): Windows {
  return {
    freshForMs: meta.ttlMs,
    revalidateForMs: meta.ttlMs + meta.staleWhileRevalidateMs,
    errorForMs: meta.ttlMs + meta.staleIfErrorMs,
  };
}

/** Where a result came from, in logical and local time. */
export interface Origin extends Pick<Copy, "id" | "epoch" | "version" | "seq" | "provedAt"> {
  /** Local time from which its windows count. */
  readonly countedFrom: number;
  readonly ageMs: number;
}

export function createCopy(
  view: View,
  held: Held,
  meta: EntryMeta,
  windows: Windows,
  origin: Origin,
  memoryTtlMs: number,
): Copy {
  const { id, epoch, version, seq, provedAt, countedFrom, ageMs } = origin;
  return {
    held,
    id,
    epoch,
    version,
    seq,
    tags: meta.tags,
    view,
    generation: view.generation,
    checked: -1,
    provedAt,
    storedAt: countedFrom - ageMs,
    ttlMs: meta.ttlMs,
    freshUntil: countedFrom + windows.freshForMs,
    revalidateUntil: countedFrom + windows.revalidateForMs,
    errorUntil: countedFrom + windows.errorForMs,
    retryAt: -Infinity,
    memoryUntil: countedFrom + memoryTtlMs,
    etag: meta.etag,
    lastModified: meta.lastModified,
  };
}

/** Local time at which a copy is of no use any more. */
export function usefulUntil(copy: Copy): number {
  return Math.min(Math.max(copy.freshUntil, copy.revalidateUntil, copy.errorUntil), copy.memoryUntil);
}

/** Marks it stale as of an instant: the windows run from there, and none is ever made longer. */
export function expireCopy(copy: Copy, at: number): void {
  if (at >= copy.freshUntil) return;
  const earlierMs = copy.freshUntil - at;
  copy.freshUntil = at;
  copy.revalidateUntil -= earlierMs;
  copy.errorUntil -= earlierMs;
}

/** Whether no invalidation known here makes it void; expiries known of its tags are applied to it. O(1) when nothing is new. */
export function isValid(copy: Copy): boolean {
  const { view } = copy;
  if (copy.generation !== view.generation) return false;
  if (copy.checked === view.tagChanges) return true;
  const { gone, staleAt } = judgeTags(view, copy.version, copy.seq, copy.tags);
  if (gone) return false;
  if (staleAt !== undefined) expireCopy(copy, staleAt);
  copy.checked = view.tagChanges;
  return true;
}

/** Whether it has a stale-while-revalidate window, and that is still open. A copy in doubt counts as stale before its time. */
export const isRevalidable = (copy: Copy, now: number): boolean =>
  now < copy.revalidateUntil && copy.revalidateUntil > copy.freshUntil;

/** Whether it may be served when the loader, or the store, failed. */
export const isServableOnError = (copy: Copy, now: number): boolean =>
  isRevalidable(copy, now) || (now < copy.errorUntil && copy.errorUntil > copy.freshUntil);
