// Leases in the memory of the one process that owns a partition: bounded, and losing one only refuses a commit.
import type { LeaseStorage, StoredLease } from "./partition-storage.ts";

const MAX_LEASES = 10_000;
const SWEEP_STEPS = 8;

/** A lease table that can be emptied and counted. */
export interface LeaseTable extends LeaseStorage {
  readonly size: () => number;
  clear(): void;
}

/** Keeps leases in the order they were granted or renewed; beyond 10,000 the oldest one is dropped. */
export function createLeases(): LeaseTable {
  const leases = new Map<string, StoredLease>();
  return {
    lease: (key) => leases.get(key),
    putLease(lease) {
      leases.delete(lease.key);
      leases.set(lease.key, lease);
      if (leases.size > MAX_LEASES) for (const key of leases.keys()) return void leases.delete(key);
    },
    deleteLease: (key) => void leases.delete(key),
    sweepLeases(beforeAt) {
      let steps = SWEEP_STEPS;
      for (const { key, at, spanMs } of leases.values()) {
        if (at + spanMs >= beforeAt || steps-- === 0) return;
        leases.delete(key);
      }
    },
    size: () => leases.size,
    clear: () => leases.clear(),
  };
}
