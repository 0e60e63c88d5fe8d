// node:sqlite in memory as the SqlDatabase of a test.
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { SqlDatabase } from "../../src/store/sql-storage.ts";

/** A database, and the raw handle for what a test does behind the storage's back. */
export interface NodeSqlite extends SqlDatabase {
  readonly raw: DatabaseSync;
}

export function nodeSqlite(): NodeSqlite {
  const raw = new DatabaseSync(":memory:");
  const statements = new Map<string, StatementSync>();
  return {
    raw,
    query(statement, ...params) {
      const prepared = statements.get(statement) ?? raw.prepare(statement);
      statements.set(statement, prepared);
      return prepared.all(...params).map((row) => Object.values(row));
    },
    transaction(step) {
      raw.exec("BEGIN");
      try {
        const result = step();
        raw.exec("COMMIT");
        return result;
      } catch (error) {
        raw.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
