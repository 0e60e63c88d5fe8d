// The store's side as the world knows it so far: one connection for all, and a time until which the store is down.
import type { StoreConnection } from "../../src/store/contract.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Plan } from "./plan.ts";
import { createServer as createAnyServer } from "./server/server.ts";
import type { Subject } from "./subject.ts";

export interface Server {
  /** The store as it is now; another one after a restart. */
  readonly connection: StoreConnection;
  /** In true time. */
  downUntil: number;
  /** What a store that is a mutant makes of a request before it executes it. */
  meddle(operation: string, partition: number, request: object): object;
  restart(): void;
  evictEntry(key: string): void;
  evictLease(key: string): void;
  jump(ms: number): void;
}

export function createServer(subject: Subject, plan: Plan, base: VirtualPlatform): Server {
  const { partitions, limits, seed } = plan;
  const server = createAnyServer({ subject, kind: "map", partitions, limits, seed, base });
  let connection = server.connect(partitions);
  return {
    get connection() {
      return connection;
    },
    downUntil: 0,
    meddle: server.meddle,
    restart() {
      server.restartEmpty();
      connection = server.connect(partitions);
    },
    evictEntry: server.loseEntry,
    evictLease: server.loseLease,
    jump: server.jump,
  };
}
