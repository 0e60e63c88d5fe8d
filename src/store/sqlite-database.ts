// A SQLite handle that other processes have one of, too: statements prepared once, transactions that lock only to write.
import type { SqlDatabase } from "./sql-storage.ts";

/** A prepared statement, by the one method that is used. */
export interface SqliteStatement {
  /** Binds, runs to the end and gives the rows as objects, whose keys are in the order of the columns. */
  all(...params: (string | number | null | Uint8Array)[]): unknown[];
}

/** An open database, by the one method that is used: `DatabaseSync` of `node:sqlite` and `Database` of `bun:sqlite`. */
export interface SqliteDatabase {
  /** Compiles a statement. Throws if it is not SQL or names what is not there. */
  prepare(statement: string): SqliteStatement;
}

/** Whether another connection had the lock. Then nothing was done. */
export const isLocked = (error: unknown): boolean =>
  error instanceof Error && /\b(database|table) is locked\b/.test(error.message);

/**
 * The tables of one cache name in the database. Its name is part of theirs, told apart from every other name although
 * SQLite does not tell A from a.
 *
 * A transaction begins as a reading one and sees one snapshot: a hit takes no lock, and waits for nobody who writes. The
 * first statement that writes takes the write lock, which SQLite grants only if the snapshot is still the latest; if it is
 * not, or somebody else writes, the whole step is done anew with the lock taken first. So whatever a step that writes has
 * read, the next seq above all, is what it would have read under the lock:
 *
 *     A   begin, read seq 7                      write: locked -> rollback, begin immediate, read seq 8, write 9, commit
 *     B                     begin, write 8, commit
 */
export function sqliteDatabase(handle: SqliteDatabase, name: string): SqlDatabase {
  const prefix = `iso1_${name.replace(/[^a-z0-9]/g, (char) => `$${char.charCodeAt(0).toString(36)}$`)}_`;
  const statements = new Map<string, SqliteStatement>();

  const query: SqlDatabase["query"] = (statement, ...params) => {
    const prepared = statements.get(statement) ?? handle.prepare(statement.replaceAll("iso1_", prefix));
    statements.set(statement, prepared);
    return prepared.all(...params).map((row) => Object.values(Object(row)).map(toNumber));
  };

  const run = <T>(begin: string, step: () => T): T => {
    query(begin); // what fails here is not ours to roll back
    try {
      const result = step();
      query("COMMIT");
      return result;
    } catch (error) {
      try {
        query("ROLLBACK");
      } catch {
        // SQLite has done so by itself, as it does when the disk is full; the caller is told of what went wrong first.
      }
      throw error;
    }
  };

  return {
    query,
    transaction(step) {
      try {
        return run("BEGIN", step);
      } catch (error) {
        if (!isLocked(error)) throw error;
        return run("BEGIN IMMEDIATE", step);
      }
    },
  };
}

/** A handle may be set to give integers as BigInt; ours are all safe. */
const toNumber = (value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
