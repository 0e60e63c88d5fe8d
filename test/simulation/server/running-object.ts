// One life of a Durable Object: its own code on a disk that it may use as long as it lives.
import type { Host, ObjectState } from "../../../runtimes/cloudflare/host.ts";
import type { PartitionStorage } from "../../../src/store/partition-storage.ts";
import type { SqlValue } from "../../../src/store/sql-storage.ts";
import type { BackendOptions } from "./backend.ts";
import type { Disk } from "./disk.ts";

export interface RunningObject {
  readonly host: Host;
  /** What it keeps its rows and leases in. */
  readonly storage: PartitionStorage;
}

export interface ObjectOptions extends Pick<BackendOptions, "subject" | "platform" | "limits"> {
  readonly isLive: () => boolean;
}

/** Begins a life. Once it is over, whatever still runs of it fails when it touches the disk. */
export function beginObject(disk: Disk, { subject, platform, limits, isLive }: ObjectOptions): RunningObject {
  const live = (): Disk => {
    if (!isLive()) throw new Error("The object was reset");
    return disk;
  };
  const state: ObjectState["storage"] = {
    sql: {
      exec(statement, ...params) {
        const rows = live().database.query(statement, ...(params as SqlValue[])); // bound by the storage alone
        return { raw: () => rows as unknown[][] }; // made for whoever asked
      },
    },
    transactionSync: (step) => live().database.transaction(step),
    getAlarm: async () => live().alarmAt ?? null,
    setAlarm: async (at) => live().setAlarm(at),
  };
  const storage = subject.sqlStorage({
    query: (statement, ...params) => [...state.sql.exec(statement, ...params).raw()],
    transaction: state.transactionSync,
  });
  return { host: subject.createHost({ storage: state }, platform, { storage, limits }), storage };
}
