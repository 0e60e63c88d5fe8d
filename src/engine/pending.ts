// Own writes that the store has not acknowledged: honoured here from the moment they were asked for (P5).
import { RESERVED_TAG, type Write } from "../store/contract.ts";
import { isUserTag } from "./names.ts";

/** One write on one partition, until it is acknowledged or a later one makes it pointless. */
export interface Pending {
  readonly write: Write;
  readonly nonce: string;
  /** When it was asked for, in ticks. */
  readonly tick: number;
  /** The same in local time. */
  readonly askedAt: number;
  /** Of a set whose value is still being encoded: it is sent with them, and what was asked for after it is sent after it. */
  readonly bytes: Promise<Uint8Array> | undefined;
  /** Settles when the first attempt was acknowledged or failed. */
  firstAttempt?: Promise<unknown>;
  attempted: boolean;
}

/** Whether it was tried and is to be retried: it may have been done or not. */
export const isInDoubt = ({ attempted }: Pending): boolean => attempted;

/** Whether a write leaves what it covers usable as stale. */
export const isExpiry = (write: Write): boolean => write.kind === "expire" || write.kind === "expireTags";

/** Whether a write touches an entry. Tags unknown (a flight that has not ended): any user tag might be one of them. */
export function covers(write: Write, key: string, tags: readonly string[], tagsFinal: boolean): boolean {
  if ("key" in write) return write.key === key;
  return write.tags.some((tag) => tags.includes(tag) || (!tagsFinal && isUserTag(tag)));
}

/** Whether everything an earlier write touches is removed by a later one, so that the earlier need not be retried. */
export function supersedes(later: Write, earlier: Write): boolean {
  if (later.kind === "set" || later.kind === "delete") return "key" in earlier && earlier.key === later.key;
  if (later.kind !== "tags") return false;
  if (later.tags.includes(RESERVED_TAG)) return true; // the whole cache was cleared
  return "tags" in earlier && earlier.tags.every((tag) => later.tags.includes(tag));
}

/** The own writes of one partition, in the order in which they were added, at most one of each nonce. */
export interface PendingWrites {
  readonly size: number;
  has(pending: Pending): boolean;
  all(): readonly Pending[];
  /** Those that may concern a key: the ones on it, and the ones by tags. However many there are of other keys. */
  touching(key: string): readonly Pending[];
  /** In place of the one with this nonce, if there is one. */
  add(pending: Pending): void;
  /** Whether there was one with this nonce. */
  delete(nonce: string): boolean;
}

export function createPendingWrites(): PendingWrites {
  const byNonce = new Map<string, Pending>();
  /** By key, or under "" by tags: no key is empty. */
  const byKey = new Map<string, Set<Pending>>();
  const setOf = ({ write }: Pending): Set<Pending> => {
    const key = "key" in write ? write.key : "";
    const known = byKey.get(key) ?? new Set();
    byKey.set(key, known);
    return known;
  };
  const writes: PendingWrites = {
    get size() {
      return byNonce.size;
    },
    has: (pending) => byNonce.get(pending.nonce) === pending,
    all: () => [...byNonce.values()],
    touching: (key) => [...(byKey.get(key) ?? []), ...(byKey.get("") ?? [])],
    add(pending) {
      writes.delete(pending.nonce);
      byNonce.set(pending.nonce, pending);
      setOf(pending).add(pending);
    },
    delete(nonce) {
      const old = byNonce.get(nonce);
      if (!old) return false;
      byNonce.delete(nonce);
      const others = setOf(old);
      others.delete(old);
      if (others.size === 0) byKey.delete("key" in old.write ? old.write.key : "");
      return true;
    },
  };
  return writes;
}
