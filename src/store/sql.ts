// isocache/sql: stores on SQL databases.
export { sqliteStore } from "./sqlite.ts";
export type { SqliteStoreOptions } from "./sqlite.ts";
export type { SqliteDatabase, SqliteStatement } from "./sqlite-database.ts";
