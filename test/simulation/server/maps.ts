// A server that keeps its partitions in maps, in one process.
import type { BatchRequest, StoreConnection } from "../../../src/store/contract.ts";
import type { Backend, BackendOptions } from "./backend.ts";
import { journaled, type JournaledStorage } from "./journal.ts";

export function createMaps({ subject, partitions, limits, platform }: BackendOptions): Backend {
  let storages: JournaledStorage[] = [];

  const start = (past: readonly JournaledStorage["journal"][] = []) => {
    storages = Array.from({ length: partitions }, (_, index) => journaled(subject.mapStorage(), past[index]));
    const open = (_: string, index: number): JournaledStorage => storages[index]!; // as many as there are partitions
    return subject.localStore({ kind: "memory", partitions, limits, open });
  };
  let store = start();

  const meddle: Backend["meddle"] = (operation, partition, request) => {
    if (operation !== "batch") return subject.meddle?.(operation, request, storages[partition]!) ?? request; // see open
    const items = (request as BatchRequest).items.map((item) => ({
      ...item,
      request: meddle(item.operation, partition, item.request),
    }));
    return { ...request, items };
  };

  return {
    connect() {
      let reached = store;
      const connect = (): StoreConnection => reached.connect({ name: "simulated", platform });
      let connection = connect();
      /** The connection to the store as it is now. */
      const present = (): StoreConnection => {
        if (reached !== store) {
          reached = store;
          connection = connect();
        }
        return connection;
      };
      return {
        partitions,
        heldReadsPerRequest: connection.heldReadsPerRequest,
        read: (...call) => present().read(...call),
        commit: (...call) => present().commit(...call),
        renew: (...call) => present().renew(...call),
        release: (...call) => present().release(...call),
        write: (...call) => present().write(...call),
        batch: (...call) => present().batch(...call),
        changesSince: (...call) => present().changesSince(...call),
        info: (...call) => present().info(...call),
        close: () => present().close(),
      };
    },
    partitions,
    meddle: subject.meddle ? meddle : (_operation, _partition, request) => request,
    begin(survival) {
      if (typeof survival === "function") survival();
      else store = start();
    },
    loseMeta: () => storages.forEach((storage) => storage.loseMeta()),
    loseEntry(key) {
      for (const storage of storages) {
        const head = storage.head(key);
        if (head !== undefined) storage.delete(head);
      }
    },
    loseLease: (key) => storages.forEach((storage) => storage.deleteLease(key)),
    snapshot() {
      const past = storages.map(({ journal }) => journal.slice());
      return () => void (store = start(past));
    },
    jumped: () => undefined,
    holdings: () => storages.map((storage) => ({ ...storage.usage(), ...storage.counts() })),
    close: () => undefined,
  };
}
