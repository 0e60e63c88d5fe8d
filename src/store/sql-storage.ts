// A partition's rows in SQLite: Durable Objects' SQL storage, node:sqlite, bun:sqlite, behind three functions.
import { createLeaseTable } from "./lease-table.ts";
import type { EntryHead, PartitionStorage, StorageUsage, StoredLease, StoredRecord } from "./partition-storage.ts";
import { BYTES, shaped } from "./shape.ts";
import type { Shape } from "./shape.ts";
import { META } from "./wire.ts";

/** What is bound to a query. */
export type SqlValue = string | number | null | Uint8Array;

/** The values of a row, in the order of its columns. Blobs are Uint8Array or ArrayBuffer, integers are numbers. */
export type SqlRow = readonly unknown[];

/** The two things asked of a synchronous SQLite. They throw what the database throws. */
export interface SqlDatabase {
  /** Runs one statement and gives all its rows; at most four values are bound. */
  query(statement: string, ...params: SqlValue[]): SqlRow[];
  /** Runs the step; if it throws, nothing of it is done. */
  transaction<T>(step: () => T): T;
}

/** The bytes of a value up to this size lie in the entry's own row; longer ones in rows of at most 1 MiB each. */
const INLINE_BYTES = 2_048;
const CHUNK_BYTES = 1_048_576;
/** How many nonces are remembered before they are read from the log anew. */
const MAX_NONCES = 4_096;

/** The protocol number is in each table's name: versions that do not understand each other share no row. */
const SCHEMA = [
  "meta(id INTEGER PRIMARY KEY, epochs, floor, entries, bytes)",
  "log(seq INTEGER PRIMARY KEY, record)",
  "tags(tag, kind, seq, at, PRIMARY KEY(tag, kind)) WITHOUT ROWID",
  "entries(place INTEGER PRIMARY KEY, key UNIQUE, head, bytes)",
  "chunks(key, part, bytes, PRIMARY KEY(key, part)) WITHOUT ROWID",
];

const RECORD: Shape<StoredRecord> = { seq: 0, nonce: "", at: 0, expire: true, "key?": "", "tags?": [""] };
const HEAD: Shape<EntryHead> = {
  key: "",
  id: "",
  epoch: "",
  version: 0,
  storedAt: 0,
  usedAt: 0,
  "expiredAt?": 0,
  valueBytes: 0,
  costBytes: 0,
  labels: META,
};

const NOTHING: StorageUsage = { entries: 0, bytes: 0 };

/** Tags that are not reserved, as they are stored. */
const USER_TAGS = `FROM iso1_tags WHERE tag NOT LIKE '"@%'`;

/**
 * Keeps a partition in five tables of a database that this process alone writes (else: `sqliteStorage`). Creates them when
 * first used. Leases, the nonces of the log and the totals are kept in memory. The nonces are read from the log when needed.
 *
 * The totals are written down at the end of each tour of `sweep`, which adds up what it finds, and when the database is
 * opened anew they start from there (or, after a new epoch, from nothing): no entry is read to count it. So they are approximate: what was stored and removed
 * between the last tour and the end of the process is not in them until the next tour is over, and entries may be
 * evicted that much too late or too early.
 *
 * Keys and tags are stored as JSON text, which has no NUL and tells all strings apart, and lists are bound as one JSON
 * parameter. Rows written, as Durable Objects bill them: a hit 0, or 2 once an hour; a first commit or set 2 (the index is
 * one), one that replaces a value 1, and one more for each MiB begun of a value above 2 KiB; an entry removed 1 and its
 * chunks; an invalidation 1 for its log record, 1 for each tag, and 1 for the record that leaves a full log.
 */
export function sqlStorage({ query, transaction }: SqlDatabase): PartitionStorage {
  const leases = new Map<string, StoredLease>();
  let ready = false;
  let nonces: Map<string, number> | undefined;
  let total: StorageUsage = NOTHING; // until it is read
  let tour = NOTHING;
  let tourAt: unknown = 0;

  const first = (statement: string, ...params: SqlValue[]): SqlRow => query(statement, ...params)[0] ?? [];

  const count = (entries: number, bytes: number): void => {
    total = { entries: Math.max(0, total.entries + entries), bytes: Math.max(0, total.bytes + bytes) };
  };

  const drop = (key: unknown): void => {
    for (const table of ["entries", "chunks"]) query(`DELETE FROM iso1_${table} WHERE key = ?`, String(key));
  };

  const remove = ({ key, costBytes }: EntryHead): void => {
    count(-1, -costBytes);
    drop(JSON.stringify(key));
  };

  const rowsWhere = (where: string, ...params: SqlValue[]): SqlRow[] =>
    query(`SELECT head, key, place FROM iso1_entries WHERE ${where}`, ...params);

  /** The heads in these rows. A row that cannot be read is removed: it is a miss for ever. */
  const headsIn = (rows: SqlRow[]): EntryHead[] =>
    rows.flatMap(([head, key]) => {
      const parsed = parse(HEAD, head);
      if (parsed === undefined) drop(key);
      return parsed ?? [];
    });

  const recordsIn = (where: string, seq: number): StoredRecord[] =>
    query(`SELECT record FROM iso1_log WHERE seq ${where} ? ORDER BY seq`, seq)
      .map(([record]) => parse(RECORD, record))
      .filter((record) => record !== undefined);

  const recordAt = (seq: number): StoredRecord | undefined => recordsIn("=", seq)[0];

  /** The seqs of the nonces in the log, and of some that have left it. */
  const seqs = (): Map<string, number> => {
    if (nonces === undefined || nonces.size > MAX_NONCES) {
      nonces = new Map(recordsIn(">", 0).map(({ nonce, seq }) => [nonce, seq]));
    }
    return nonces;
  };

  return {
    ...createLeaseTable(leases),
    atomic(step) {
      if (!ready) for (const table of SCHEMA) query(`CREATE TABLE IF NOT EXISTS iso1_${table}`);
      ready = true;
      const before = total;
      try {
        return transaction(step);
      } catch (error) {
        nonces = undefined;
        total = before;
        throw error;
      }
    },
    meta() {
      const [epochs, floor, entries, bytes, record] = first(
        `SELECT epochs, floor, entries, bytes, (SELECT record FROM iso1_log ORDER BY seq DESC LIMIT 1) FROM iso1_meta`,
      );
      if (total === NOTHING) total = { entries: Number(entries) || 0, bytes: Number(bytes) || 0 };
      const last = record === null ? { seq: 0, nonce: "" } : parse(RECORD, record);
      if (typeof epochs !== "string" || typeof floor !== "number" || last === undefined) return undefined;
      return { epochs, floor, seq: last.seq, tip: last.nonce };
    },
    reset(epochs) {
      leases.clear();
      nonces = undefined;
      query("DELETE FROM iso1_log");
      query("DELETE FROM iso1_tags");
      query("INSERT OR REPLACE INTO iso1_meta VALUES (0, ?, 0, 0, 0)", epochs);
    },
    append(record) {
      const { seq, nonce } = record;
      seqs().set(nonce, seq);
      query("INSERT INTO iso1_log VALUES (?, ?)", seq, JSON.stringify(record));
    },
    recordAt,
    recordOf: (nonce) => recordAt(seqs().get(nonce) ?? 0),
    recordsAfter: (seq) => recordsIn(">", seq),
    trimLog: (seq) => void query("DELETE FROM iso1_log WHERE seq <= ?", seq),
    marks: (tags) =>
      query("SELECT seq, at FROM iso1_tags WHERE tag IN (SELECT value FROM json_each(?))", list(tags)).map(
        ([seq, at]) => ({
          seq: typeof seq === "number" ? seq : Infinity,
          staleAt: typeof at === "number" ? at : undefined,
        }),
      ),
    mark(tags, seq, staleAt) {
      query(
        `INSERT INTO iso1_tags SELECT value, ?, ?, ? FROM json_each(?) WHERE 1
         ON CONFLICT DO UPDATE SET seq = excluded.seq, at = excluded.at`,
        staleAt === undefined ? 0 : 1,
        seq,
        staleAt ?? null,
        list(tags),
      );
    },
    pruneTags(keep) {
      const last = `SELECT seq ${USER_TAGS} ORDER BY seq DESC LIMIT 1 OFFSET ?`;
      query(`UPDATE iso1_meta SET floor = tags.seq FROM (${last}) AS tags WHERE tags.seq > floor`, keep);
      query(`DELETE ${USER_TAGS} AND seq <= (SELECT floor FROM iso1_meta)`);
    },
    head: (key) => headsIn(rowsWhere("key = ?", JSON.stringify(key)))[0],
    bytes({ key, valueBytes }) {
      const from = valueBytes > INLINE_BYTES ? "chunks WHERE key = ? ORDER BY part" : "entries WHERE key = ?";
      const rows = query(`SELECT CAST(bytes AS BLOB) FROM iso1_${from}`, JSON.stringify(key));
      const parts = rows.map(([part]) => new Uint8Array(part as ArrayBuffer)); // cast in SQL; takes a Uint8Array, too
      if (parts.reduce((sum, part) => sum + part.length, 0) !== valueBytes) return undefined;
      const bytes = new Uint8Array(valueBytes);
      let end = 0;
      for (const part of parts) {
        bytes.set(part, end);
        end += part.length;
      }
      return bytes;
    },
    put(head, old, bytes) {
      const key = JSON.stringify(head.key);
      const { valueBytes, costBytes } = head;
      const inline = valueBytes <= INLINE_BYTES;
      count(old ? 0 : 1, costBytes - (old?.costBytes ?? 0));
      query(
        `INSERT INTO iso1_entries(key, head, bytes) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET head = excluded.head${bytes ? ", bytes = excluded.bytes" : ""}`,
        key,
        JSON.stringify(head),
        inline && bytes ? bytes : null,
      );
      if (bytes === undefined) return;
      const end = inline ? 0 : valueBytes;
      query("DELETE FROM iso1_chunks WHERE key = ? AND part >= ?", key, end);
      for (let part = 0; part < end; part += CHUNK_BYTES) {
        query(
          "INSERT OR REPLACE INTO iso1_chunks VALUES (?, ?, ?)",
          key,
          part,
          bytes.subarray(part, part + CHUNK_BYTES),
        );
      }
    },
    delete: remove,
    touch(head, usedAt) {
      query(
        "UPDATE iso1_entries SET place = (SELECT MAX(place) + 1 FROM iso1_entries), head = ? WHERE key = ?",
        JSON.stringify({ ...head, usedAt }),
        JSON.stringify(head.key),
      );
    },
    oldest: () => headsIn(rowsWhere("1 ORDER BY place LIMIT 1"))[0],
    sweep(limit, isOver) {
      const rows = rowsWhere("place > ? ORDER BY place LIMIT ?", Number(tourAt), limit);
      for (const head of headsIn(rows)) {
        if (isOver(head)) remove(head);
        else tour = { entries: tour.entries + 1, bytes: tour.bytes + head.costBytes };
      }
      tourAt = rows[limit - 1]?.[2] ?? 0;
      if (tourAt !== 0) return true;
      total = tour;
      tour = NOTHING;
      query("UPDATE iso1_meta SET entries = ?, bytes = ?", total.entries, total.bytes);
      return false;
    },
    usage: () => total,
    counts() {
      const [tags, logRecords] = first(`SELECT COUNT(*), (SELECT COUNT(*) FROM iso1_log) ${USER_TAGS}`);
      return { tags: Number(tags), logRecords: Number(logRecords), leases: leases.size };
    },
  };
}

const list = (tags: readonly string[]): string => JSON.stringify(tags.map((tag) => JSON.stringify(tag)));

/** What a row holds as JSON, or undefined: it may hold anything. */
export function parse<T>(shape: Shape<T>, text: unknown): T | undefined {
  try {
    return shaped(shape, JSON.parse(String(text)), BYTES);
  } catch {
    return undefined; // what cannot be read counts as lost
  }
}
