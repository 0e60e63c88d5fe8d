// Who may load a key: the rules of leases. To be called inside a step of the storage.
import type { ReadReply, ReadRequest } from "./contract.ts";
import type { Moment, PartitionStorage, StoredLease } from "./partition-storage.ts";
import { since } from "./validity.ts";

/** No lease blocks longer, whatever was asked for. */
const MAX_LEASE_MS = 600_000;

/** The lease of this key and token; its deadline does not matter as long as nobody took it over. */
export function heldLease(
  storage: PartitionStorage,
  { key, token }: { readonly key: string; readonly token: string },
): StoredLease | undefined {
  const lease = storage.lease(key);
  return lease?.token === token ? lease : undefined;
}

/** False if the lease is older than a `clear` that covers its key: it holds nobody, and its commit will be refused. */
export function isSound(storage: PartitionStorage, { version, scopes }: StoredLease): boolean {
  return storage.marks(scopes).every(({ seq, staleAt }) => version >= seq || staleAt !== undefined);
}

/** Grants or renews a lease. */
export function putLease(storage: PartitionStorage, lease: StoredLease, leaseMs: number, { time: at }: Moment): void {
  storage.putLease({ ...lease, at, spanMs: Math.min(leaseMs, MAX_LEASE_MS) });
}

/** What is left of a lease. A clock that went back must not prolong it by as much: then it counts from now. */
function leftOf(storage: PartitionStorage, lease: StoredLease, now: Moment): number {
  if (lease.at > now.time) storage.putLease({ ...lease, at: now.time });
  return lease.spanMs - since(lease.at, now);
}

/** Gives the lease to the taker, or says who is busy. */
export function takeLease(
  storage: PartitionStorage,
  { key, lease: wanted }: ReadRequest,
  hasEntry: boolean,
  now: Moment,
): Pick<ReadReply, "lease" | "busy"> {
  if (wanted === undefined) return {};
  const { token, leaseMs, scopes } = wanted;
  const other = storage.lease(key);
  if (other !== undefined) {
    if (other.token === token) return { lease: { version: other.version } };
    const backoff = other.token === undefined;
    // Whoever has nothing to serve meanwhile does not wait for a back-off to end.
    const leftMs = isSound(storage, other) && (!backoff || hasEntry) ? leftOf(storage, other, now) : 0;
    if (leftMs > 0) return { busy: { leftMs, backoff } };
  }
  const version = now.seq;
  putLease(storage, { key, token, version, at: 0, spanMs: 0, scopes: [...scopes] }, leaseMs, now);
  return { lease: { version } };
}
