// Run by Bun: the store conformance suite on bun:sqlite, on a file; one line for each case that fails, then how many held.
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "../../../src/store/sql.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";

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
console.log(`${held} of ${storeConformance.length} held, in Bun ${Bun.version}`);
