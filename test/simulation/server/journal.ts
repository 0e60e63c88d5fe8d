// A partition's storage that remembers how it came to what it holds, so that an earlier state of it can be made again.
import type { PartitionStorage } from "../../../src/store/partition-storage.ts";

type Step = (storage: JournaledStorage) => void;

export interface JournaledStorage extends PartitionStorage {
  /** What was done to the data, in order. Leases are no data. */
  readonly journal: readonly Step[];
  /** There is no metadata from now on, until a new epoch begins. */
  loseMeta(): void;
}

/** What changes the data, but for the removals of `sweep`. */
const CHANGES = ["reset", "append", "trimLog", "mark", "pruneTags", "delete", "touch"] as const;
type Change = (...args: never[]) => void;

/** An empty `inner`, or one to which all of `past` is done first. */
export function journaled(inner: PartitionStorage, past: readonly Step[] = []): JournaledStorage {
  const journal: Step[] = [];
  let lost = false;
  const noted = (name: (typeof CHANGES)[number]): Change => {
    const change = inner[name] as Change; // whatever it takes, it gets
    return (...args) => {
      journal.push((storage) => (storage[name] as Change)(...args));
      change(...args);
    };
  };
  const changes = Object.fromEntries(CHANGES.map((name) => [name, noted(name)]));
  const storage: JournaledStorage = {
    ...inner,
    ...(changes as Pick<PartitionStorage, (typeof CHANGES)[number]>), // one for each name
    journal,
    loseMeta() {
      journal.push((other) => other.loseMeta());
      lost = true;
    },
    meta: () => (lost ? undefined : inner.meta()),
    reset(epoch) {
      lost = false;
      (changes["reset"] as (epoch: string) => void)(epoch); // one of its names
    },
    put(head, old, bytes) {
      const kept = bytes?.slice();
      journal.push((other) => other.put(head, old, kept));
      inner.put(head, old, bytes);
    },
    sweep: (limit, isOver) =>
      inner.sweep(limit, (head) => {
        const over = isOver(head);
        if (over) journal.push((other) => other.delete(head));
        return over;
      }),
  };
  for (const step of past) step(storage);
  return storage;
}
