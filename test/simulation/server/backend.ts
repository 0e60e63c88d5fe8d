// What the kinds of server have in common: data, and a process in front of them that can be replaced.
import type { Platform } from "../../../src/platform.ts";
import type { StoreConnection } from "../../../src/store/contract.ts";
import type { PartitionLimits } from "../../../src/store/partition.ts";
import type { StorageCounts, StorageUsage } from "../../../src/store/partition-storage.ts";
import type { Command, Published } from "../redis/emulator.ts";
import type { RedisReply } from "../../../src/store/redis/transport.ts";
import type { Subject } from "../subject.ts";

/** What a partition holds. */
export type Holdings = StorageUsage & StorageCounts;

/** What survives a change of the process: nothing, the data, or the data of an earlier instant. */
export type Survival = "nothing" | "data" | (() => void);

export interface BackendOptions {
  readonly subject: Subject;
  readonly partitions: number;
  readonly limits: Partial<PartitionLimits>;
  /** The server's clock and randomness; its timers end with the process. */
  readonly platform: Platform;
  /** Timers that outlive the process, such as alarms. */
  readonly base: Pick<Platform, "setTimeout" | "clearTimeout">;
}

/** A Redis as its clients and its operator see it. */
export interface RedisAccess {
  /** What a command answers; throws an Error with the server's text if it refuses. */
  send(command: Command): RedisReply;
  /** Hears all that is published, until the function that it gives is called. */
  listen(published: Published): () => void;
  /** Whether what grows is refused. */
  setFull(isFull: boolean): void;
  /** Loses the key that has this place, counted around all of them. */
  evict(place: number): void;
}

export interface Backend {
  /** Of a Redis. */
  readonly redis?: RedisAccess;
  /** A client; whatever it asks is asked of the process that runs then. */
  connect(partitions: number): StoreConnection;
  readonly partitions: number;
  meddle(operation: string, partition: number, request: object): object;
  /** Begins another process. The old one's timers are gone already, and it may not touch the data any more. */
  begin(survival: Survival): void;
  loseMeta(): void;
  loseEntry(storedKey: string): void;
  loseLease(storedKey: string): void;
  /** Remembers the data; what it gives puts them back, and is to be handed to `begin`. */
  snapshot(): () => void;
  /** The clock was set: what waits for an instant of it has to wait anew. */
  jumped(): void;
  holdings(): readonly Holdings[];
  close(): void;
}
