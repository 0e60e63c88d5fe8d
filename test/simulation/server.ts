// The store's side: the real partitions on their own clock, which restart empty, lose an entry or are down for a while.
import type { StoreConnection } from "../../src/store/contract.ts";
import type { PartitionStorage } from "../../src/store/partition-storage.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { createDraw, mix } from "./draw.ts";
import type { Plan } from "./plan.ts";
import type { Subject } from "./subject.ts";

export interface Server {
  /** The store as it is now; another one after a restart. */
  readonly connection: StoreConnection;
  /** In true time. */
  downUntil: number;
  /** What a store that is a mutant makes of a request before it executes it. */
  meddle(operation: string, partition: number, request: object): object;
  restart(): void;
  evictEntry(key: string): void;
  evictLease(key: string): void;
  jump(ms: number): void;
}

export function createServer(subject: Subject, plan: Plan, base: VirtualPlatform): Server {
  const { random } = createDraw(mix(plan.seed, 77));
  let offsetMs = 0;
  let storages: PartitionStorage[] = [];
  const platform = { ...base, now: () => base.now() + offsetMs, random: () => random() + random() / 0x1_0000_0000 / 2 };
  const start = (): StoreConnection => {
    storages = [];
    const open = (_: string, index: number): PartitionStorage => (storages[index] = subject.mapStorage());
    const { partitions, limits } = plan;
    return subject.localStore({ kind: "memory", partitions, limits, open }).connect({ name: "simulated", platform });
  };
  let connection = start();
  return {
    get connection() {
      return connection;
    },
    downUntil: 0,
    meddle: (operation, partition, request) => subject.meddle?.(operation, request, storages[partition]!) ?? request, // as many as there are partitions
    restart() {
      connection = start();
    },
    evictEntry(key) {
      for (const storage of storages) {
        const head = storage.head(key);
        if (head !== undefined) storage.delete(head);
      }
    },
    evictLease: (key) => storages.forEach((storage) => storage.deleteLease(key)),
    jump: (ms) => void (offsetMs += ms),
  };
}
