// The store's side of a simulation: the real store on a clock of its own, and what can happen to it.
import type { StoreConnection } from "../../../src/store/contract.ts";
import type { PartitionLimits } from "../../../src/store/partition.ts";
import type { VirtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { createDraw, mix } from "../draw.ts";
import type { Subject } from "../subject.ts";
import type { Holdings, RedisAccess, Survival } from "./backend.ts";
import { gate } from "./gate.ts";
import { createMaps } from "./maps.ts";
import { createObjects } from "./objects.ts";
import { createRedis } from "./redis.ts";
import { endingTimers } from "./timers.ts";

export interface Server {
  /** Changes whenever the process behind the store is another one: what was on its way to it, or held there, is lost. */
  readonly incarnation: number;
  /** Called when that happens, with the new incarnation, before anything else does. */
  onReset(callback: () => void): void;
  /**
   * A client that believes in that number of partitions, for one life of an instance: what it remembers ends with that
   * life. Always talks to the present process; a call that the process did not live to answer is never answered.
   */
  connect(partitions: number): StoreConnection;
  /** The number of partitions that there really are: the recorded one; if there is none, what the first client believed. */
  readonly partitions: number;
  /** What a mutant makes of a request before it is executed (see `Subject.meddle`). Maps only; else the request itself. */
  meddle(operation: string, partition: number, request: object): object;
  /** All data are gone, in another process. */
  restartEmpty(): void;
  /** Another process on the same data: leases and held reads are gone. Maps have no data but those of their process. */
  restart(): void;
  /** The metadata record of each partition is lost, and nothing else: the next operation begins a new epoch. */
  loseMeta(): void;
  loseEntry(storedKey: string): void;
  loseLease(storedKey: string): void;
  /** Remembers all data; the function brings them back in another process: a fail-over to a replica that lagged. */
  snapshot(): () => void;
  /** Sets the store's wall clock forwards or backwards. */
  jump(ms: number): void;
  /** What each partition holds, counted without asking it: nothing changes by that. */
  holdings(): readonly Holdings[];
  /** Of a Redis: what its own clients do without `connect`. */
  readonly redis: RedisAccess | undefined;
  /** Ends it, and frees what it holds. */
  close(): void;
}

export interface ServerOptions {
  readonly subject: Subject;
  /**
   * `localStore` over maps; the Durable Object's own code over SQLite behind its own client; or the store's script in an
   * emulated Redis behind `redisStore`.
   */
  readonly kind: "map" | "object" | "redis";
  readonly partitions: number;
  readonly limits: Partial<PartitionLimits>;
  readonly seed: number;
  readonly base: VirtualPlatform;
}

const BACKENDS = { map: createMaps, object: createObjects, redis: createRedis };

export function createServer({ kind, seed, base, ...options }: ServerOptions): Server {
  const { random } = createDraw(mix(seed, 77));
  const timers = endingTimers(base);
  const onReset: (() => void)[] = [];
  let offsetMs = 0;
  let incarnation = 0;
  const platform = {
    ...base,
    ...timers,
    now: () => base.now() + offsetMs,
    random: () => random() + random() / 0x1_0000_0000 / 2,
  };
  const backend = BACKENDS[kind]({ ...options, platform, base });

  const reset = (survival: Survival): void => {
    incarnation++;
    for (const callback of onReset) callback();
    timers.endAll();
    backend.begin(survival);
  };

  return {
    get incarnation() {
      return incarnation;
    },
    onReset: (callback) => void onReset.push(callback),
    connect: (partitions) => gate(backend.connect(partitions), () => incarnation),
    get partitions() {
      return backend.partitions;
    },
    meddle: backend.meddle,
    restartEmpty: () => reset("nothing"),
    restart: () => reset(kind === "map" ? "nothing" : "data"),
    loseMeta: backend.loseMeta,
    loseEntry: backend.loseEntry,
    loseLease: backend.loseLease,
    snapshot() {
      const restore = backend.snapshot();
      return () => reset(restore);
    },
    jump(ms) {
      offsetMs += ms;
      backend.jumped();
    },
    holdings: backend.holdings,
    redis: backend.redis,
    close() {
      timers.endAll();
      backend.close();
    },
  };
}
