// What outlives the process of a Durable Object: its database and its alarm.
import type { Platform } from "../../../src/platform.ts";
import { nodeSqlite, type NodeSqlite } from "../../store/node-sqlite.ts";
import type { Holdings } from "./backend.ts";

/** A disk as it was. */
export interface SavedDisk {
  readonly bytes: Uint8Array;
  readonly alarmAt: number | undefined;
}

export interface Disk {
  readonly database: NodeSqlite;
  readonly alarmAt: number | undefined;
  setAlarm(at: number | undefined): void;
  /** The alarm waits anew, by the clock as it is now. */
  jumped(): void;
  /** The recorded number of partitions. */
  agreed(): number | undefined;
  loseMeta(): void;
  loseEntry(key: string): void;
  /** What is in it; undefined if it was never used. */
  holdings(): Omit<Holdings, "leases"> | undefined;
  save(): SavedDisk;
  close(): void;
}

export interface DiskOptions {
  readonly now: () => number;
  readonly base: Pick<Platform, "setTimeout" | "clearTimeout">;
  readonly onAlarm: () => void;
}

/** An empty disk, or one that was saved. */
export function createDisk({ now, base, onAlarm }: DiskOptions, saved?: SavedDisk): Disk {
  const database = nodeSqlite();
  const { query, raw } = database;
  let alarmAt: number | undefined;
  let timer: unknown;

  const setAlarm = (at: number | undefined): void => {
    base.clearTimeout(timer);
    alarmAt = at;
    if (at === undefined) return;
    const ring = (): void => {
      alarmAt = undefined;
      onAlarm();
    };
    timer = base.setTimeout(ring, at - now());
  };

  /** Tables are made when they are first used. */
  const has = (table: string): boolean => query("SELECT 1 FROM sqlite_master WHERE name = ?", table).length > 0;
  const numbers = (statement: string): number[] => query(statement).flatMap((row) => row.map(Number));

  if (saved !== undefined) {
    raw.deserialize(saved.bytes);
    setAlarm(saved.alarmAt);
  }
  return {
    database,
    get alarmAt() {
      return alarmAt;
    },
    setAlarm,
    jumped: () => setAlarm(alarmAt),
    agreed: () => (has("iso1_partitions") ? numbers("SELECT count FROM iso1_partitions")[0] : undefined),
    loseMeta: () => void (has("iso1_meta") && query("DELETE FROM iso1_meta")),
    loseEntry(key) {
      if (!has("iso1_chunks")) return;
      for (const table of ["entries", "chunks"]) query(`DELETE FROM iso1_${table} WHERE key = ?`, JSON.stringify(key));
    },
    holdings() {
      if (!has("iso1_chunks")) return undefined;
      const [entries = 0, bytes = 0, tags = 0, logRecords = 0] = numbers(
        `SELECT COUNT(*), TOTAL(head ->> 'costBytes'), (SELECT COUNT(*) FROM iso1_tags WHERE tag NOT LIKE '"@%'),
         (SELECT COUNT(*) FROM iso1_log) FROM iso1_entries`,
      );
      return { entries, bytes, tags, logRecords };
    },
    save: () => ({ bytes: raw.serialize(), alarmAt }),
    close() {
      base.clearTimeout(timer);
      raw.close();
    },
  };
}
