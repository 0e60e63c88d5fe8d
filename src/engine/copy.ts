// A value with what is needed to decide whether it may still be used: kept in memory, and passed from a flight to its callers.
import type { Held } from "../codec/walk.ts";
import type { EntryMeta } from "../store/contract.ts";
import { judge, type View } from "./view.ts";

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
  /** The stale windows, which begin where freshness ends. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** After a failed load nobody tries again before this. */
  retryAt: number;
  /** It is not used from memory after this, whatever the store would say. */
  memoryUntil: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Where a result came from, in logical and local time. */
export interface Origin extends Pick<Copy, "id" | "epoch" | "version" | "seq" | "provedAt"> {
  /** As of `provedAt`: ages count from when the question was sent (ageFromSend). */
  readonly ageMs: number;
  readonly freshForMs: number;
}

export function createCopy(view: View, held: Held, meta: EntryMeta, origin: Origin, memoryTtlMs: number): Copy {
  const { id, epoch, version, seq, provedAt, ageMs, freshForMs } = origin;
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
    storedAt: provedAt - ageMs,
    ttlMs: meta.ttlMs,
    freshUntil: provedAt + freshForMs,
    staleWhileRevalidateMs: meta.staleWhileRevalidateMs,
    staleIfErrorMs: meta.staleIfErrorMs,
    retryAt: -Infinity,
    memoryUntil: provedAt + memoryTtlMs,
    etag: meta.etag,
    lastModified: meta.lastModified,
  };
}

/** For how long after it is stale it may be served at all. */
const windowMs = (copy: Copy): number => Math.max(copy.staleWhileRevalidateMs, copy.staleIfErrorMs);

/** Local time at which a copy is of no use any more. */
export const usefulUntil = (copy: Copy): number => Math.min(copy.freshUntil + windowMs(copy), copy.memoryUntil);

/** Marks it stale as of an instant, unless it was so before: the windows move with it, and none is ever made longer. */
export function expireCopy(copy: Copy, at: number): void {
  copy.freshUntil = Math.min(copy.freshUntil, at);
}

/** Whether no invalidation known here makes it void; expiries known of its tags are applied to it. O(1) when nothing is new. */
export const isValid = (copy: Copy): boolean =>
  copy.generation === copy.view.generation && (copy.checked === copy.view.tagChanges || isSpared(copy));

/** The same, compared anew, and with its key if that is given. */
export function isSpared(copy: Copy, key?: string): boolean {
  const { gone, staleAt } = judge(copy.view, copy, key);
  expireCopy(copy, staleAt);
  if (!gone) copy.checked = copy.view.tagChanges;
  return !gone;
}

/** Whether a window of this length, which begins where freshness ends, is open. One of a copy in doubt is so before its time. */
const isOpen = ({ freshUntil }: Copy, lengthMs: number, now: number): boolean =>
  lengthMs > 0 && now < freshUntil + lengthMs;

/** From when on a hit reloads it in the background, at this fraction of its ttl. 1: never while it is fresh. */
export const eagerFrom = ({ storedAt, ttlMs }: Copy, fraction: number): number =>
  fraction < 1 ? storedAt + fraction * ttlMs : Infinity;

/** Whether it may be served as stale while it is reloaded. */
export const isRevalidable = (copy: Copy, now: number): boolean => isOpen(copy, copy.staleWhileRevalidateMs, now);

/** Whether it may be served when the loader, or the store, failed. */
export const isServableOnError = (copy: Copy, now: number): boolean => isOpen(copy, windowMs(copy), now);
