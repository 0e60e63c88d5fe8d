// The number of partitions lives in the store: partition 0 decides once, the others learn it from callers who heard it.
import type { SqlDatabase } from "../../src/store/sql-storage.ts";
import { PROTOCOL } from "../../src/store/wire.ts";
import type { Call, Outcome } from "../../src/store/wire.ts";

const TABLE = `iso${PROTOCOL}_partitions`;

/** Undefined if the caller believes in the recorded number of partitions; otherwise what to answer instead. */
export type Agreement = (call: Pick<Call, "partition" | "partitions" | "confirmed">) => Outcome | undefined;

/**
 * The first request to partition 0 fixes the number for ever. Another partition that has none, or another one than its
 * caller, asks the caller to hear partition 0 first, now: what it heard before may be of a partition 0 that is lost. If
 * the caller's number stands, it is the partition's own that is of a lost one: it calls `forget`, since it may have missed
 * invalidations, and takes the new number.
 */
export function createAgreement(query: SqlDatabase["query"], forget: () => void): Agreement {
  let recorded: number | undefined; // 0: none yet
  return ({ partition, partitions, confirmed }) => {
    if (recorded === undefined) {
      query(`CREATE TABLE IF NOT EXISTS ${TABLE}(id INTEGER PRIMARY KEY, count)`);
      recorded = Number(query(`SELECT count FROM ${TABLE}`)[0]?.[0]) || 0;
    }
    if (recorded === partitions) return undefined;
    if (partition > 0 && !confirmed) return {};
    if (partition === 0 && recorded > 0) return { moved: recorded };
    if (recorded > 0) forget();
    query(`INSERT OR REPLACE INTO ${TABLE} VALUES (0, ?)`, partitions);
    recorded = partitions;
    return undefined;
  };
}
