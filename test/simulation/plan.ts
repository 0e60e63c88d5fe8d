// What one seed stands for, as plain data: the options, the operations and the faults of a schedule.
import type { ValueMode } from "../../src/codec/walk.ts";

/**
 * How a loader behaves. All but `hang` end after `ms`. `conditional` keeps the stale value if the origin has not changed
 * since it was read; `notModified` keeps it whatever the origin has. `deaf`: it does not listen to its signal.
 */
export interface LoaderPlan {
  readonly kind: "value" | "throw" | "fail" | "skip" | "notModified" | "conditional" | "hang";
  readonly ms: number;
  /** When it reads the origin, after it began: its value is what the origin has then. At most `ms`. */
  readonly readsAfterMs: number;
  readonly deaf: boolean;
  /** It computes instead of waiting: its isolate does nothing else meanwhile, and the clock stands still for its request. */
  readonly busy: boolean;
  /** Decided while loading. */
  readonly tags?: readonly string[];
  readonly ttl?: number;
}

/** The entry options of an operation. */
export interface EntryPlan {
  readonly ttl: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly tags: readonly string[];
  readonly memory: boolean;
  readonly memoryTtl?: number;
  readonly store: boolean;
  readonly strong: boolean;
  readonly softTimeout?: number;
  readonly hardTimeout?: number;
  readonly jitter?: number;
  readonly eagerRefresh?: number;
  readonly negativeTtl?: number;
  readonly maxValueBytes?: number;
  readonly failureBackoff?: number;
}

/** What a cache can be asked for: a method of `Cache` each. */
export const READS = ["getOrSet", "get", "getEntry", "has"] as const;
export const KEY_WRITES = ["set", "delete", "expire", "pull"] as const;
export const WIDE_WRITES = ["invalidateTags", "expireTags", "clear"] as const;
/** For many keys, each of which is to the checkers what a call of the other kind is. */
export const MANY = { getMany: "get", getOrSetMany: "getOrSet", setMany: "set", deleteMany: "delete" } as const;
export type ManyKind = keyof typeof MANY;
export type OpKind = (typeof READS)[number] | (typeof KEY_WRITES)[number] | (typeof WIDE_WRITES)[number] | ManyKind;

export const isRead = (kind: OpKind): boolean => (READS as readonly OpKind[]).includes(kind);
/** What leaves nothing of the key that was there before. */
export const isRemoval = (kind: OpKind): boolean => kind === "set" || kind === "delete" || kind === "pull";
/** Of one key, so that one partition does it. */
export const isKeyWrite = (kind: OpKind): boolean => (KEY_WRITES as readonly OpKind[]).includes(kind);

/** The request ends so long after it began, or after its next load or commit did: nothing that it began goes on. */
export interface CancelPlan {
  readonly in: "request" | "load" | "commit";
  readonly afterMs: number;
}

/** What stands for "there is none"; kept by those who say for how long. */
export type Nothing = "null" | "undefined";

export interface Op {
  readonly id: number;
  readonly at: number;
  /** Which instance, and in which namespace, from the root down. */
  readonly instance: number;
  readonly path: readonly string[];
  readonly kind: OpKind;
  readonly key: string;
  readonly entry: EntryPlan;
  readonly loader: LoaderPlan;
  /** Characters of the value, besides its number. */
  readonly padding: number;
  /** Instead of a value, its loader or its set has none. */
  readonly yields?: Nothing;
  /** Its caller's signal fires so long after it began. */
  readonly leavesAfterMs?: number;
  /** Only where requests end with their promises (`worker`). */
  readonly cancel?: CancelPlan;
  /** Before it asks the cache, the request computes so long: its clock shows an instant that is past. Only of a `worker`. */
  readonly burnMs: number;
  /** Of a call for many keys, and then of no other: each key once. */
  readonly items?: readonly Item[];
  /** The first key is given twice; of a `setMany`, at first with a value that must not be stored. */
  readonly repeats?: boolean;
}

/** What a key of many has of its own; all else is as the operation says. */
export interface Item extends Pick<Op, "key" | "yields">, Partial<Pick<Op, "padding">> {
  /** Of a `setMany`. */
  readonly entry?: Partial<EntryPlan>;
  /** Of a `getOrSetMany`, unless its loader fails or skips all of them at once. */
  readonly loader?: Partial<Pick<LoaderPlan, "kind" | "tags" | "ttl">>;
}

/** What a loader of many keys does as a whole. */
const WHOLE: readonly LoaderPlan["kind"][] = ["throw", "fail", "skip", "hang"];

const parts = new WeakMap<Op, readonly Op[]>();

/** The operations on one key each that an operation is made of: itself, if it is not for many keys. */
export function partsOf(op: Op): readonly Op[] {
  const { items, ...whole } = op;
  if (items === undefined) return [op];
  const known = parts.get(op);
  if (known !== undefined) return known;
  const made = items.map(({ entry, loader, ...own }, index): Op => {
    const { kind } = WHOLE.includes(op.loader.kind) ? op.loader : { ...op.loader, ...loader };
    return {
      ...whole,
      ...own,
      id: Number(`${op.id}.${index + 1}`),
      kind: MANY[op.kind as ManyKind], // only those have items
      entry: { ...op.entry, ...entry },
      loader: { ...op.loader, ...loader, kind },
    };
  });
  parts.set(op, made);
  return made;
}

/** What is done to the store, or to an instance, at one instant. Those that have a duration end after `ms`. */
export const FAULT_KINDS = [
  "restartEmpty",
  "restart",
  "loseMeta",
  "loseEntry",
  "loseLease",
  "failOver",
  "storeDown",
  "storeStall",
  "storeClock",
  "kill",
  "killInLoad",
  "killInCommit",
  "close",
  "freeze",
  "suspend",
  "wallClock",
] as const;
/** The same to a Redis alone: it loses some key; it refuses what grows; the connection of an instance is cut. */
export const REDIS_FAULT_KINDS = ["evict", "full", "cut"] as const;
/** The same to a bus: nothing passes; another hub takes its place; an instance hears nothing and is not told; frames are spoilt. */
export const BUS_FAULT_KINDS = ["busDown", "hubRestart", "deaf", "garble"] as const;
export type FaultKind =
  (typeof FAULT_KINDS)[number] | (typeof REDIS_FAULT_KINDS)[number] | (typeof BUS_FAULT_KINDS)[number];

/** `failOver`: the store goes on with what it held `ms` before. A clock: moves by `ms`. */
export interface Fault {
  readonly at: number;
  readonly kind: FaultKind;
  readonly instance: number;
  readonly ms: number;
  readonly key: string;
}

/** How the network treats a message. Probabilities of each fate; delays in milliseconds. */
export interface NetworkPlan {
  readonly delay: readonly [number, number];
  readonly slow: number;
  readonly slowDelay: readonly [number, number];
  readonly loseRequest: number;
  readonly loseAnswer: number;
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly repeat: number;
  /** Of a batch: it is answered in part. */
  readonly cut: number;
}

export interface InstancePlan {
  /** False: no memory tier. */
  readonly memory: boolean;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly values: ValueMode;
  /** What its wall clock differs from the others by. */
  readonly skewMs: number;
  readonly heldReads: number;
  /** As on Workers: requests may be cancelled with their promises, and see time pass only when something arrives. */
  readonly worker: boolean;
  /** Into how many partitions it believes the store is divided; the store knows better. */
  readonly partitions: number;
  /** Its reads fail with the store. */
  readonly strict: boolean;
  readonly maxConcurrentLoads: number;
  /** While there are faults, it takes every third value that comes from the store for one of another version. */
  readonly validates: boolean;
  /** Default of what its operations keep in memory. */
  readonly memoryTtl: number;
}

/** Bounds of each partition of the store. */
export interface LimitsPlan {
  readonly maxEntries: number;
  readonly maxTags: number;
  readonly maxLogRecords: number;
  readonly maxWaiters: number;
}

/** The bus that all instances share: its options, and how its hub treats frames, as in `NetworkPlan`. */
export interface BusPlan {
  /** Nothing else fails: what was acknowledged must be seen as soon as it can be known (see checks/prompt.ts). */
  readonly prompt: boolean;
  readonly heartbeatMs: number;
  readonly publishTimeoutMs: number;
  readonly retryQueue: { readonly enabled: boolean; readonly maxSize: number; readonly retryInterval: number };
  readonly breaker: { readonly failureThreshold: number; readonly cooldown: number };
  readonly dedupe: { readonly maxSize: number; readonly ttl: number };
  /** Whoever publishes a frame and listens gets it, too. */
  readonly echoes: boolean;
  readonly delay: readonly [number, number];
  readonly slow: number;
  readonly slowDelay: readonly [number, number];
  /** Of each frame on its way to each instance. */
  readonly lose: number;
  readonly repeat: number;
  /** Of each attempt to publish: it fails before or after the frame was spread; or it is spread, and there is no answer. */
  readonly failBefore: number;
  readonly failAfter: number;
  readonly hang: number;
}

export interface BreakerPlan {
  readonly failures: number;
  readonly cooldown: number;
}

export interface Plan {
  readonly seed: number;
  /** Nothing fails, nothing is invalidated: then there is one load per key. */
  readonly calm: boolean;
  /**
   * `map`: `memoryStore`; `object`: the Durable Object on an SQL database, behind its client; `redis`: the script on emulated
   * keys, behind `redisStore`.
   */
  readonly store: "map" | "object" | "redis";
  readonly spanMs: number;
  readonly maxStalenessMs: number;
  readonly storeTimeoutMs: number;
  readonly leaseMs: number;
  readonly failureBackoffMs: number;
  /** How long the codec takes to encode a value, at most; 0: it is synchronous. */
  readonly encodeMs: number;
  readonly breaker: BreakerPlan | false;
  readonly bus?: BusPlan | undefined;
  readonly limits: LimitsPlan;
  readonly instances: readonly InstancePlan[];
  readonly network: NetworkPlan;
  readonly ops: readonly Op[];
  readonly faults: readonly Fault[];
}
