// What one seed stands for, as plain data: the options, the operations and the faults of a schedule.
import type { ValueMode } from "../../src/codec/walk.ts";
import { createDraw, type Draw } from "./draw.ts";

/** How a loader behaves. All but `hang` end after `ms`. `deaf`: it does not listen to its signal. */
export interface LoaderPlan {
  readonly kind: "value" | "throw" | "fail" | "skip" | "notModified" | "hang";
  readonly ms: number;
  readonly deaf: boolean;
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
}

export type OpKind =
  "getOrSet" | "get" | "getEntry" | "has" | "set" | "delete" | "expire" | "invalidateTags" | "expireTags" | "clear";

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
  /** The request is cancelled after this: nothing that it began goes on. */
  readonly cancelAfter?: number;
}

export type FaultKind =
  | "restartEmpty"
  | "evictEntry"
  | "evictLease"
  | "storeDown"
  | "storeClock"
  | "kill"
  | "close"
  | "freeze"
  | "suspend"
  | "wallClock";

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
}

export interface InstancePlan {
  /** False: no memory tier. */
  readonly memory: boolean;
  readonly maxEntries: number;
  readonly values: ValueMode;
  /** What its wall clock differs from the others by. */
  readonly skewMs: number;
  readonly heldReads: number;
}

export interface Plan {
  readonly seed: number;
  /** Nothing fails, nothing is invalidated: then there is one load per key. */
  readonly calm: boolean;
  readonly spanMs: number;
  readonly maxStalenessMs: number;
  readonly storeTimeoutMs: number;
  readonly leaseMs: number;
  readonly failureBackoffMs: number;
  readonly partitions: number;
  readonly limits: {
    readonly maxEntries: number;
    readonly maxTags: number;
    readonly maxLogRecords: number;
    readonly maxWaiters: number;
  };
  readonly instances: readonly InstancePlan[];
  readonly network: NetworkPlan;
  readonly ops: readonly Op[];
  readonly faults: readonly Fault[];
}

export const KEYS = ["k", "l"];
export const TAGS = ["t", "u"];
const PATHS = [[], ["n"], ["n", "m"]] as const;

/** Weighted by repetition: on few keys, so that they collide. */
const KINDS: readonly OpKind[] = [
  ...Array<OpKind>(12).fill("getOrSet"),
  ...Array<OpKind>(2).fill("get"),
  ...Array<OpKind>(3).fill("getEntry"),
  "has",
  "set",
  "set",
  "set",
  "delete",
  "delete",
  "delete",
  "expire",
  "expire",
  "invalidateTags",
  "invalidateTags",
  "expireTags",
  "expireTags",
  "clear",
];

function drawNetwork(draw: Draw, calm: boolean, timeoutMs: number): NetworkPlan {
  const rough = !calm && draw.chance(0.5);
  const rate = (): number => (rough && draw.chance(0.4) ? draw.pick([0.05, 0.15]) : 0);
  return {
    delay: draw.pick([
      [0, 2],
      [1, 5],
      [5, 40],
    ] as const),
    slow: calm ? 0 : draw.pick([0, 0.1, 0.3]),
    slowDelay: draw.pick([
      [30, Math.floor(timeoutMs / 2)],
      [timeoutMs / 2, 2 * timeoutMs],
    ] as const),
    loseRequest: rate(),
    loseAnswer: rate(),
    errorBefore: rate(),
    errorAfter: rate(),
    repeat: rate(),
  };
}

/** `longestMs`: in calm schedules followers must not give up waiting. */
function drawLoader(draw: Draw, calm: boolean, longestMs: number): LoaderPlan {
  const usual = calm || draw.chance(0.75);
  const kind = usual ? "value" : draw.pick(["throw", "fail", "skip", "notModified", "notModified", "hang"] as const);
  const short = draw.chance(0.6);
  return {
    kind,
    ms: short ? draw.int(0, 30) : draw.int(30, longestMs),
    deaf: draw.chance(0.4),
    ...(!calm && draw.chance(0.25) && { tags: draw.some(TAGS, 0.6) }),
    ...(!calm && draw.chance(0.1) && { ttl: draw.pick([0, 50, 1_000]) }),
  };
}

interface Times {
  readonly ttls: readonly number[];
  readonly windows: readonly number[];
}

function drawEntry(draw: Draw, kind: OpKind, calm: boolean, { ttls, windows }: Times): EntryPlan {
  const memory = calm || draw.chance(0.92);
  const store = calm || draw.chance(0.93);
  return {
    ttl: calm ? 3_600_000 : draw.pick(ttls),
    staleWhileRevalidate: calm ? 0 : draw.pick(windows),
    staleIfError: calm ? 0 : draw.pick(windows),
    tags: kind.endsWith("Tags") ? [draw.pick(TAGS)] : draw.some(TAGS, 0.4),
    memory,
    ...(!calm && memory && draw.chance(0.08) && { memoryTtl: draw.pick([0, 40, 400]) }),
    store,
    strong: !calm && store && draw.chance(0.15),
  };
}

function drawFaults(draw: Draw, spanMs: number, instances: number, timeoutMs: number): Fault[] {
  // Jumps hide how long an instance was suspended, and no clock could tell: one or the other.
  const clock = draw.chance(0.5) ? "wallClock" : "suspend";
  const kinds: readonly FaultKind[] = [
    "restartEmpty",
    "restartEmpty",
    "evictEntry",
    "evictLease",
    "storeDown",
    "storeClock",
    "kill",
    "kill",
    "close",
    "freeze",
    clock,
    clock,
  ];
  return Array.from({ length: draw.pick([0, 0, 1, 1, 2, 4]) }, () => {
    const kind = draw.pick(kinds);
    const clockMs = draw.pick([-3_600_000, -700, 700, 3_600_000]);
    const ms = kind === "wallClock" || kind === "storeClock" ? clockMs : draw.int(20, 3 * timeoutMs);
    return { at: draw.int(0, spanMs), kind, instance: draw.int(0, instances - 1), ms, key: draw.pick(KEYS) };
  });
}

/** Draws everything that a schedule is made of. */
export function drawPlan(seed: number): Plan {
  const draw = createDraw(seed);
  const calm = draw.chance(0.08);
  // Some instances mostly read what others change, all the time: that is how a proof of the wrong age shows.
  const watched = !calm && draw.chance(0.3);
  const spanMs = watched ? draw.pick([600, 2_500]) : draw.pick([150, 600, 2_500, 8_000]);
  const storeTimeoutMs = draw.pick([100, 300, 1_000]);
  const leaseMs = draw.pick([200, 600, 2_000, 10_000]);
  const keys = watched || draw.chance(0.7) ? KEYS.slice(0, 1) : KEYS;
  const paths = watched || draw.chance(0.7) ? PATHS.slice(0, 1) : PATHS;
  const ttls = draw.pick([[60_000], [30, 100, 500], [0, 200, 5_000, Infinity]]);
  const windows = draw.pick([[0], [0, 300], [5_000], [0, 100, Infinity]]);
  const worker = draw.chance(0.3);
  const holds = !calm || draw.chance(0.5);
  const longestMs = Math.floor(Math.min(calm && !holds ? 0.6 * leaseMs : 1.5 * leaseMs, 4_000));
  const count = draw.pick([2, 2, 2, 3]);
  /** Instants around which operations gather. */
  const moments = Array.from({ length: draw.int(2, 6) }, () => draw.int(0, spanMs));
  const ops = Array.from({ length: watched ? draw.int(15, 40) : draw.int(4, 28) }, (_, id): Op => {
    const watches = watched && draw.chance(0.8);
    const kind = calm
      ? draw.pick(["getOrSet", "getOrSet", "getOrSet", "get"] as const)
      : watches
        ? draw.pick(["getOrSet", "getOrSet", "get", "getEntry"] as const)
        : draw.pick(KINDS);
    return {
      id,
      at: !watched && draw.chance(0.7) ? Math.max(0, draw.pick(moments) + draw.int(-12, 12)) : draw.int(0, spanMs),
      instance: watches ? draw.int(1, count - 1) : draw.int(0, watched ? 0 : count - 1),
      path: draw.pick(paths),
      kind,
      key: draw.pick(keys),
      entry: drawEntry(draw, kind, calm, { ttls, windows }),
      loader: drawLoader(draw, calm, watched ? 40 : longestMs),
      ...(!calm && worker && draw.chance(0.12) && { cancelAfter: draw.int(0, 150) }),
    };
  });
  const network = drawNetwork(draw, calm, storeTimeoutMs);
  // A write that is repeated when the log has forgotten it is another write (contract of WriteRequest).
  const logs = calm || network.repeat > 0 ? [100] : [1, 3, 100, 100];
  return {
    seed,
    calm,
    spanMs,
    maxStalenessMs: watched ? draw.pick([60, 150, 400]) : draw.pick([0, 60, 400, 2_000]),
    storeTimeoutMs,
    leaseMs,
    failureBackoffMs: draw.pick([50, 1_000]),
    partitions: draw.pick([1, 1, 1, 2]),
    limits: {
      maxEntries: calm ? 100 : draw.pick([1, 100, 100]),
      maxTags: draw.pick([1, 100, 100]),
      maxLogRecords: draw.pick(logs),
      maxWaiters: calm && holds ? 100 : draw.pick([1, 100, 100]),
    },
    instances: Array.from({ length: count }, () => ({
      memory: draw.chance(0.92),
      maxEntries: draw.pick([1, 100, 100]),
      values: draw.pick(["frozen", "copied", "shared"] as const),
      skewMs: draw.pick([0, -3_600_000, 3_600_000, 7]),
      heldReads: calm && holds ? Infinity : draw.pick([0, 1, 4, Infinity]),
    })),
    network,
    ops: ops.sort((a, b) => a.at - b.at),
    faults: calm ? [] : drawFaults(draw, spanMs, count, storeTimeoutMs).sort((a, b) => a.at - b.at),
  };
}
