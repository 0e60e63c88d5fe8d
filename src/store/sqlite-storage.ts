// A partition's rows in a SQLite file that several processes use: leases, nonces and totals are in the file, too.
import type { PartitionStorage, StoredLease } from "./partition-storage.ts";
import { isLocked } from "./sqlite-database.ts";
import { parse, sqlStorage } from "./sql-storage.ts";
import type { SqlDatabase } from "./sql-storage.ts";
import type { Shape } from "./shape.ts";

/** What a commit outlives: the process, or the loss of power, at the price of waiting for the disk. */
export type Synchronous = "normal" | "full";

/** How long SQLite itself may wait for a lock, which holds up the whole process: the rest is waited for with a timer. */
const BLOCKING_MS = 10;
/** What the write-ahead log is cut back to after a checkpoint; a large value may make it longer for a while. */
const MAX_LOG_BYTES = 16 * 1_048_576;
const MAX_LEASES = 10_000;

const LEASE: Shape<StoredLease> = { key: "", "token?": "", version: 0, at: 0, spanMs: 0, scopes: [""] };

const NONCE = "record ->> '$.nonce'";

/** What an entry counts for; a damaged head for nothing. */
const cost = (head: string): string => `iif(json_valid(${head}), ifnull(${head} ->> '$.costBytes', 0), 0)`;

/** Besides the tables of `sqlStorage`. The triggers make the totals right whoever writes, and with each commit. */
const SCHEMA = [
  "TABLE IF NOT EXISTS iso1_leases(place INTEGER PRIMARY KEY, key UNIQUE, lease)",
  "TABLE IF NOT EXISTS iso1_totals(id INTEGER PRIMARY KEY, entries, bytes)",
  `INDEX IF NOT EXISTS iso1_nonces ON iso1_log(${NONCE})`,
  `TRIGGER IF NOT EXISTS iso1_added AFTER INSERT ON iso1_entries BEGIN
     INSERT INTO iso1_totals VALUES (0, 1, ${cost("new.head")})
     ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes; END`,
  `TRIGGER IF NOT EXISTS iso1_changed AFTER UPDATE OF head ON iso1_entries BEGIN
     UPDATE iso1_totals SET bytes = bytes - ${cost("old.head")} + ${cost("new.head")}; END`,
  `TRIGGER IF NOT EXISTS iso1_removed AFTER DELETE ON iso1_entries BEGIN
     UPDATE iso1_totals SET entries = entries - 1, bytes = bytes - ${cost("old.head")}; END`,
];

/**
 * Keeps a partition in a database that several processes write, each through a storage of its own. Sets the handle up and
 * creates what is missing when first used, and until that has succeeded, each time.
 *
 * Nothing that another process could change is kept in memory: each step reads what it needs in its transaction. Rows
 * written besides those of `sqlStorage`: 1 for a lease taken, renewed or ended, and 1 for the totals with each entry that
 * is stored or removed. The tour of `sweep` is each process's own.
 */
export function sqliteStorage(database: SqlDatabase, synchronous: Synchronous): PartitionStorage {
  const { query } = database;
  const base = sqlStorage(database);
  let ready = false;
  let tourAt = 0;

  const open = (): void => {
    query(`PRAGMA busy_timeout = ${BLOCKING_MS}`);
    query("PRAGMA journal_mode = WAL");
    query(`PRAGMA journal_size_limit = ${MAX_LOG_BYTES}`);
    query(`PRAGMA synchronous = ${synchronous}`);
    base.atomic(() => {
      for (const what of SCHEMA) query(`CREATE ${what}`);
    });
    ready = true;
  };

  return {
    ...base,
    atomic(step) {
      if (!ready) open();
      return base.atomic(step);
    },
    reset(epochs) {
      query("DELETE FROM iso1_leases");
      base.reset(epochs);
    },
    lease(key) {
      const [row] = query("SELECT lease FROM iso1_leases WHERE key = ?", JSON.stringify(key));
      return row && (parse(LEASE, row[0]) as StoredLease | undefined); // a token that is undefined is absent
    },
    putLease(lease) {
      query(
        "INSERT OR REPLACE INTO iso1_leases(key, lease) VALUES (?, ?)",
        JSON.stringify(lease.key),
        JSON.stringify(lease),
      );
      query("DELETE FROM iso1_leases WHERE place <= (SELECT MAX(place) FROM iso1_leases) - ?", MAX_LEASES);
    },
    deleteLease: (key) => void query("DELETE FROM iso1_leases WHERE key = ?", JSON.stringify(key)),
    append: (record) => void query("INSERT INTO iso1_log VALUES (?, ?)", record.seq, JSON.stringify(record)),
    recordOf(nonce) {
      const [row] = query(`SELECT seq FROM iso1_log WHERE ${NONCE} = ?`, nonce);
      return row && base.recordAt(Number(row[0]));
    },
    touch(head, usedAt) {
      try {
        base.touch(head, usedAt);
      } catch (error) {
        // Whoever writes after it will find the lock missing, too; a hit waits for nobody, and is noted another time.
        if (!isLocked(error)) throw error;
      }
    },
    sweep(limit, isOver) {
      const rows = query("SELECT place, key FROM iso1_entries WHERE place > ? ORDER BY place LIMIT ?", tourAt, limit);
      tourAt = Number(rows[limit - 1]?.[0] ?? 0);
      for (const [, key] of rows) {
        const head = base.head(JSON.parse(String(key)) as string); // what was stored
        if (head !== undefined && isOver(head)) base.delete(head);
      }
      return tourAt !== 0;
    },
    usage() {
      const [[entries = 0, bytes = 0] = []] = query("SELECT entries, bytes FROM iso1_totals");
      return { entries: Number(entries), bytes: Number(bytes) };
    },
    counts: () => ({ ...base.counts(), leases: Number(query("SELECT COUNT(*) FROM iso1_leases")[0]?.[0]) }),
  };
}
