// A Store over partitions in this process: what every storage that needs no network shares.
import { StoreError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { Store, StoreConnection } from "./contract.ts";
import { createPartition } from "./partition.ts";
import type { Partition, PartitionLimits } from "./partition.ts";
import type { PartitionStorage } from "./partition-storage.ts";

/** What `localStore` needs. */
export interface LocalStoreOptions {
  readonly kind: string;
  readonly partitions: number;
  readonly limits: Partial<PartitionLimits>;
  /** Opens the storage of one partition of the cache of this name, once. */
  open(name: string, partition: number): PartitionStorage;
}

/** The partitions of one cache name, shared by all that connect to it. */
interface Shared {
  readonly partitions: readonly Partition[];
  connections: number;
}

/** How many entries are looked at for removal after each commit and write: nothing here runs in the background. */
const PRUNE_ROWS = 4;

/**
 * Makes a store whose caches of one name share their partitions. The store's clock is the platform of the first that
 * connects. Answers are asynchronous, by a microtask, as those of any store are. When the last connection of a name
 * closes, its held reads are answered; what it stored stays.
 */
export function localStore({ kind, partitions: count, limits, open }: LocalStoreOptions): Store {
  const names = new Map<string, Shared>();

  const openAll = (name: string, platform: Platform): Shared => {
    const partitions = Array.from({ length: count }, (_, index) =>
      createPartition({ storage: open(name, index), platform, limits }),
    );
    const shared = { partitions, connections: 0 };
    names.set(name, shared);
    return shared;
  };

  return {
    kind,
    connect({ name, platform }): StoreConnection {
      const shared = names.get(name) ?? openAll(name, platform);
      shared.connections++;
      let open = true;
      const at = async <T>(index: number, ask: (partition: Partition) => T, pruned = 0): Promise<Awaited<T>> => {
        const partition = shared.partitions[index];
        if (partition === undefined) throw new StoreError(`The ${kind} store has no partition ${index}`);
        const reply = ask(partition);
        try {
          if (pruned > 0) partition.prune(pruned);
        } catch {
          // What was asked for is done, and must not be told as failed; whoever comes next prunes.
        }
        return await reply;
      };
      return {
        partitions: count,
        heldReadsPerRequest: Infinity,
        read: (index, request, call) => at(index, (partition) => partition.read(request, call)),
        commit: (index, request) => at(index, (partition) => partition.commit(request), PRUNE_ROWS),
        renew: (index, request) => at(index, (partition) => partition.renew(request)),
        release: (index, request) => at(index, (partition) => partition.release(request)),
        write: (index, request) => at(index, (partition) => partition.write(request), PRUNE_ROWS),
        batch: (index, request) => {
          const stores = request.items.filter(({ operation }) => operation === "commit" || operation === "write");
          return at(index, (partition) => partition.batch(request), PRUNE_ROWS * stores.length);
        },
        changesSince: (index, request) => at(index, (partition) => partition.changesSince(request)),
        info: (index) => at(index, (partition) => partition.info()),
        async close() {
          if (open && --shared.connections === 0) for (const partition of shared.partitions) partition.close();
          open = false;
        },
      };
    },
  };
}
