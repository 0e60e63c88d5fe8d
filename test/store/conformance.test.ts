// The conformance suite on the stores that live in this process, and proof that it lets no timer leak.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import { localStore } from "../../src/store/local-store.ts";
import { sqliteStore } from "../../src/store/sql.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import { storeConformance } from "../../src/testing/store-conformance.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";
import { nodeSqlite } from "./node-sqlite.ts";

const stores: Record<string, () => Store> = {
  memory: () => memoryStore(),
  SQL: () => localStore({ kind: "sql", partitions: 1, limits: {}, open: () => sqlStorage(nodeSqlite()) }),
  sqlite: () => sqliteStore(new DatabaseSync(":memory:")),
};

for (const [kind, make] of Object.entries(stores)) {
  describe(`a ${kind} store`, () => {
    for (const { name, run } of storeConformance) {
      test(name, async () => {
        const platform = virtualPlatform();
        const { advance } = platform;
        await run(async () => ({ store: make(), platform, advance, close: async () => undefined }));
        expect(platform.timers).toBe(0);
      });
    }
  });
}
