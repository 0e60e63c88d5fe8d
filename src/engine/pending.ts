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
