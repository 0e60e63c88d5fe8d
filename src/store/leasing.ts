// Who may load a key: the rules of leases, on top of whatever keeps them.
import type { ReadReply, ReadRequest } from "./contract.ts";
import type { Moment, PartitionStorage, StoredLease } from "./partition-storage.ts";
import { since } from "./validity.ts";

/** No lease blocks longer, whatever was asked for. */
const MAX_LEASE_MS = 600_000;

/** The lease rules over one storage. To be called inside its `atomic`. */
export interface Leasing {
  /** The lease of this key, token and epoch; its deadline does not matter as long as nobody took it over. */
  held(request: { readonly key: string; readonly token: string }, now: Moment): StoredLease | undefined;
  /** False if the lease is older than a `clear` that covers its key: it holds nobody, and its commit will be refused. */
  isSound(lease: StoredLease): boolean;
  renew(lease: StoredLease, spanMs: number, now: Moment): void;
  /** Gives the lease to the taker, or says who is busy. */
  take(request: ReadRequest, hasEntry: boolean, now: Moment): Pick<ReadReply, "lease" | "busy">;
}

export function createLeasing(storage: PartitionStorage): Leasing {
  const isSound = ({ version, scopes }: StoredLease): boolean =>
    !storage.marks(scopes).some((mark) => version < mark.goneSeq);

  const renew = (lease: StoredLease, spanMs: number, { time }: Moment): void =>
    storage.putLease({ ...lease, at: time, spanMs: Math.min(spanMs, MAX_LEASE_MS) });

  /** What is left of a lease. A clock that went back must not prolong it by as much: then it counts from now. */
  const leftOf = (lease: StoredLease, now: Moment): number => {
    if (lease.at > now.time) storage.putLease({ ...lease, at: now.time });
    return lease.spanMs - since(lease.at, now);
  };

  return {
    isSound,
    renew,
    held({ key, token }, { epoch }) {
      const lease = storage.lease(key);
      return lease?.epoch === epoch && lease.token === token ? lease : undefined;
    },
    take({ key, lease: wanted }, hasEntry, now) {
      if (wanted === undefined) return {};
      const { token, leaseMs, scopes } = wanted;
      const { epoch, seq: version, time: at } = now;
      const other = storage.lease(key);
      if (other?.epoch === epoch) {
        if (other.token === token) return { lease: { version: other.version } };
        const backoff = other.token === undefined;
        // Whoever has nothing to serve meanwhile does not wait for a back-off to end.
        const leftMs = isSound(other) && (!backoff || hasEntry) ? leftOf(other, now) : 0;
        if (leftMs > 0) return { busy: { leftMs, backoff } };
      }
      renew({ key, token, epoch, version, at, spanMs: 0, scopes: [...scopes] }, leaseMs, now);
      return { lease: { version } };
    },
  };
}
