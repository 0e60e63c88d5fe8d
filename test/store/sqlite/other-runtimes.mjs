// Run by Bun on bun:sqlite, and by Deno on its node:sqlite: the store conformance suite, on a file; one line for each case that
// fails, then how many held.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "../../../src/store/sql.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";

const Database = globalThis.Bun ? (await import("bun:sqlite")).Database : (await import("node:sqlite")).DatabaseSync;
const folder = mkdtempSync(join(tmpdir(), "isocache-bun-"));
let held = 0;
for (const [index, { name, run }] of storeConformance.entries()) {
  const platform = virtualPlatform();
  const database = new Database(join(folder, `${index}.db`));
  const close = async () => database.close();
  try {
    await run(async () => ({ store: sqliteStore(database), platform, advance: platform.advance, close }));
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}
rmSync(folder, { recursive: true });
console.log(`${held} of ${storeConformance.length} held`);
