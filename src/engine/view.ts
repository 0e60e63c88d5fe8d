// What this instance knows of one store partition's invalidations: its position in the log, and which results may be used.
import type { LogRecord, Position, Stamp } from "../store/contract.ts";
import { isUserTag } from "./names.ts";
import { createPendingWrites, type PendingWrites } from "./pending.ts";

/** The newest invalidation and expiry known of a key or a tag. Seqs are of the view's epoch; 0: none. */
export interface Known {
  seq: number;
  expireSeq: number;
  /** Local time of the expiry. */
  expiredAt: number;
  /** When it became known here, in ticks. */
  tick: number;
}

/** A question to the log under way, shared by the hits that need its answer. */
export interface Sync {
  readonly sentAt: number;
  readonly promise: Promise<void>;
  done: boolean;
}

/**
 * One partition as seen from here. The view knows every record in (coveredFrom, applied], and those it learnt ahead of
 * its turn. Only contiguous records move `applied`: an answer that shows a newer seq proves that something was missed,
 * not that it was caught up with.
 */
export interface View {
  readonly index: number;
  epoch: string | undefined;
  coveredFrom: number;
  applied: number;
  tip: string;
  /**
   * The largest seq seen anywhere, in the epoch, and the nonce of its record: whatever begins now begins after all that;
   * and a store that does not know it has lost history that was acknowledged.
   */
  newest: number;
  newestTip: string;
  /** Local time at which the latest answer that had nothing newer than `applied` was asked for. */
  provedAt: number;
  /** When the epoch was learnt; an answer to an earlier request cannot change it (epochs have no order). */
  epochTick: number;
  /** Copies of an earlier generation are void: that is how the tier is dropped, in O(1). */
  generation: number;
  /** Grows with every tag record, so that a copy is compared with the tags again only when there is something new. */
  tagChanges: number;
  userTagTick: number;
  readonly keys: Map<string, Known>;
  readonly tags: Map<string, Known>;
  /** Nonces by seq of records that were learnt ahead of their turn: `applied` moves over them when it gets there. */
  readonly ahead: Map<number, string>;
  /** Pruned tags raise it: a tagged copy of a smaller version is void. */
  tagFloor: number;
  /** Own writes that the store has not acknowledged. */
  readonly pending: PendingWrites;
  syncing: Sync | undefined;
  /** After a failed question to the log, none is asked before this. */
  syncAgainAt: number;
  /** Own writes in doubt are being retried, unless whoever does so has not shown itself until this local time. */
  retriedUntil: number;
  /** Requests that failed since the last answer; and until when, after too many, no reads are sent: see breaker.ts. */
  failures: number;
  openUntil: number;
  /** Local time at which a read last asked for anything here: nobody asks about a partition that is not in use. */
  usedAt: number;
  /** What the store's clock showed in its latest answer, less the local time at which that arrived. */
  storeAheadMs: number | undefined;
}

const latestOf = ({ seq, expireSeq }: Known): number => Math.max(seq, expireSeq);

const MAX_KEYS = 1_000;
const MAX_TAGS = 10_000;
const MAX_AHEAD = 1_000;

export function createView(index: number): View {
  const view: View = {
    index,
    epoch: undefined,
    coveredFrom: 0,
    applied: 0,
    tip: "",
    newest: 0,
    newestTip: "",
    provedAt: 0,
    epochTick: 0,
    generation: 0,
    tagChanges: 0,
    userTagTick: 0,
    keys: new Map(),
    tags: new Map(),
    ahead: new Map(),
    tagFloor: 0,
    pending: createPendingWrites(),
    syncing: undefined,
    syncAgainAt: -Infinity,
    retriedUntil: -Infinity,
    failures: 0,
    openUntil: -Infinity,
    usedAt: -Infinity,
    storeAheadMs: undefined,
  };
  drop(view, undefined, -Infinity, 0);
  return view;
}

/** Forgets every copy and starts to cover at `to`. Within one epoch, records above that stay known. */
export function drop(view: View, to: Position | undefined, provedAt: number, tick: number): void {
  const keepAbove = to && to.epoch === view.epoch ? to.seq : Infinity;
  for (const map of [view.keys, view.tags]) {
    for (const [name, known] of map) if (latestOf(known) <= keepAbove) map.delete(name);
  }
  for (const seq of view.ahead.keys()) if (seq <= keepAbove) view.ahead.delete(seq);
  if (keepAbove === Infinity) view.tagFloor = 0;
  view.epoch = to?.epoch;
  view.applied = view.coveredFrom = to?.seq ?? 0;
  view.tip = to?.tip ?? "";
  if (keepAbove === Infinity) view.newest = -1;
  see(view, view.applied, view.tip);
  advance(view);
  view.provedAt = provedAt;
  view.epochTick = tick;
  view.generation++;
  view.tagChanges++;
}

/** An answer that has nothing newer proves the view, as of when its question was sent, not of when it came (P2). */
export function proveBy(view: View, stamp: Position, sentAt: number): void {
  if (stamp.seq <= view.applied) view.provedAt = Math.max(view.provedAt, sentAt);
}

/**
 * Takes in what every store answer carries. False if its epoch differs from the view's and cannot be ordered after it,
 * because the question was sent before the view's epoch was learnt: then nothing of it may be used for memory.
 */
export function note(view: View, stamp: Stamp, sentAt: number, sentTick: number, nowAt: number, tick: number): boolean {
  view.storeAheadMs = stamp.time - nowAt;
  if (stamp.epoch !== view.epoch) {
    // Also if none is known any more: what made it be forgotten was learnt after the question was sent (ackEpoch).
    if (sentTick < view.epochTick) return false;
    drop(view, stamp, sentAt, tick);
  } else {
    proveBy(view, stamp, sentAt);
  }
  see(view, stamp.seq, stamp.tip);
  return true;
}

function see(view: View, seq: number, tip: string): void {
  if (seq <= view.newest) return;
  view.newest = seq;
  view.newestTip = tip;
}

/** False if it was known already: what is heard twice is not news. */
function remember(map: Map<string, Known>, name: string, record: LogRecord, nowAt: number, tick: number): boolean {
  const known = map.get(name) ?? { seq: 0, expireSeq: 0, expiredAt: 0, tick };
  if (record.seq <= (record.expire ? known.expireSeq : known.seq)) return false;
  if (record.expire) {
    known.expireSeq = record.seq;
    known.expiredAt = nowAt - record.agoMs;
  } else known.seq = record.seq;
  known.tick = Math.max(known.tick, tick);
  map.delete(name); // the maps stay in the order of news, so that the oldest is pruned first
  map.set(name, known);
  return true;
}

/** Moves over the records that follow, as far as they are known. */
function advance(view: View): void {
  for (let tip; (tip = view.ahead.get(view.applied + 1)) !== undefined;) {
    view.ahead.delete(++view.applied);
    view.tip = tip;
  }
}

/** Learns of an invalidation: `applied` moves over it if it is the next one. Copies in memory are the caller's to remove. */
export function learn(view: View, record: LogRecord, nowAt: number, tick: number): void {
  const { keys, tags, ahead } = view;
  see(view, record.seq, record.nonce);
  if (record.seq === view.applied + 1) {
    view.applied = record.seq;
    view.tip = record.nonce;
    advance(view);
  } else if (record.seq > view.applied && ahead.size < MAX_AHEAD) ahead.set(record.seq, record.nonce);
  if (record.key !== undefined) remember(keys, record.key, record, nowAt, tick);
  for (const [key, known] of keys) {
    if (keys.size <= MAX_KEYS) break;
    keys.delete(key);
    // A result read before that record could no longer be told from a valid one, so none is taken (installCoverage).
    view.coveredFrom = Math.max(view.coveredFrom, latestOf(known));
  }
  for (const tag of record.tags ?? []) {
    if (!remember(tags, tag, record, nowAt, tick)) continue;
    view.tagChanges++;
    if (isUserTag(tag)) view.userTagTick = Math.max(view.userTagTick, tick);
  }
  for (const [tag, known] of tags) {
    if (tags.size <= MAX_TAGS) break;
    if (!isUserTag(tag)) continue;
    tags.delete(tag);
    view.tagFloor = Math.max(view.tagFloor, latestOf(known));
  }
}

/** How the known records bear on something of this version: nothing, stale since then, or void. */
export interface Verdict {
  readonly gone: boolean;
  /** Local time since when it is stale; Infinity if it is not. */
  readonly staleAt: number;
}

/**
 * Compares a result with the tags, and with its key if that is given: those in memory are without, since key records
 * have already removed theirs. `seq` is where the store found it valid: a pruned tag that was invalidated before that
 * was still known to the store.
 */
export function judge(
  view: View,
  { version, seq, tags }: { readonly version: number; readonly seq: number; readonly tags: readonly string[] },
  key?: string,
): Verdict {
  let gone = seq < view.tagFloor && tags.some(isUserTag);
  let staleAt = Infinity;
  const compare = (known: Known | undefined): void => {
    if (!known) return;
    if (known.seq > version) gone = true;
    if (known.expireSeq > version) staleAt = Math.min(staleAt, known.expiredAt);
  };
  for (const tag of tags) compare(view.tags.get(tag));
  if (key !== undefined) compare(view.keys.get(key));
  return { gone, staleAt };
}
