// sqliteStore: a full store in one SQLite file, for all processes of one machine.
import { OptionError } from "../errors.ts";
import type { Store } from "./contract.ts";
import { localStore } from "./local-store.ts";
import { sharedConnection } from "./sqlite-connection.ts";
import { sqliteDatabase } from "./sqlite-database.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { sqliteStorage } from "./sqlite-storage.ts";
import { wholeNumber } from "./whole-number.ts";

/** Options of `sqliteStore`. The limits hold for each cache name. */
export interface SqliteStoreOptions {
  /** Bytes of all entries, beyond which the least recently used ones go. Default 256 MB. The file is somewhat larger. */
  readonly maxBytes?: number;
  /** Default 100,000. */
  readonly maxEntries?: number;
  /**
   * How long an operation waits for a database that another process has locked, in milliseconds, before it fails with a
   * StoreError. Default 500. Keep it below `storeTimeout` of the cache.
   */
  readonly busyTimeout?: number;
  /**
   * `normal`: what was acknowledged outlives the process, however it ends; a loss of power, or a crash of the system, may
   * undo the last moments, invalidations included. `full`: it outlives these, too, and every write waits for the disk.
   * Default `normal`.
   */
  readonly synchronous?: "normal" | "full";
}

/**
 * A store in the SQLite database that is handed in: a `DatabaseSync` of `node:sqlite`, or a `Database` of `bun:sqlite`.
 * All processes of one machine whose handle is open on the same file share it, by the name of their caches.
 *
 * Let it have the handle for itself: at first use it switches the file to WAL, and sets `synchronous` and a short
 * `busy_timeout`. It creates its own tables, a set for each cache name. It never closes the handle. Calls are synchronous inside
 * and take some 20 to 100 microseconds; whatever needs a wait, waits by timers. A file that is damaged or full makes a
 * StoreError of each operation it fails. Throws an OptionError for a wrong option.
 */
export function sqliteStore(database: SqliteDatabase, options: SqliteStoreOptions = {}): Store {
  const whole = (name: "maxBytes" | "maxEntries" | "busyTimeout", fallback: number, max: number): number =>
    wholeNumber(`sqliteStore: ${name}`, options[name], fallback, max);
  const limits = {
    maxBytes: whole("maxBytes", 256 * 1_048_576, Number.MAX_SAFE_INTEGER),
    maxEntries: whole("maxEntries", 100_000, Number.MAX_SAFE_INTEGER),
  };
  const busyTimeoutMs = whole("busyTimeout", 500, 60_000);
  const { synchronous = "normal" } = options;
  if (typeof Object(database).prepare !== "function") {
    throw new OptionError("sqliteStore: database is not an open SQLite database");
  }
  if (synchronous !== "normal" && synchronous !== "full") {
    throw new OptionError(`sqliteStore: synchronous is ${String(synchronous)}; it takes "normal" or "full"`);
  }
  const store = localStore({
    kind: "sqlite",
    partitions: 1, // a file has one lock for all who write
    limits,
    open: (name) => sqliteStorage(sqliteDatabase(database, name), synchronous),
  });
  return {
    kind: store.kind,
    connect: (to) => sharedConnection(store.connect(to), to.platform, busyTimeoutMs),
  };
}
