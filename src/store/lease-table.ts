// Leases in the memory of the one process that owns a partition: bounded, and losing one only refuses a commit.
import type { LeaseStorage, StoredLease } from "./partition-storage.ts";

const MAX_LEASES = 10_000;

/** The leases, in the order they were granted or renewed; beyond 10,000 the oldest one is dropped. */
export function createLeaseTable(leases: Map<string, StoredLease>): LeaseStorage {
  return {
    lease: (key) => leases.get(key),
    putLease(lease) {
      leases.delete(lease.key);
      leases.set(lease.key, lease);
      if (leases.size > MAX_LEASES) for (const key of leases.keys()) return void leases.delete(key);
    },
    deleteLease: (key) => void leases.delete(key),
  };
}
