// Draws a schedule from a seed: what collides is on few keys and at few instants, since rare holes need collisions.
import { createDraw, mix, type Draw } from "./draw.ts";
import { drawBus, drawBusFaults, drawBusFrame } from "./draw-bus.ts";
import { drawGroups, drawInstanceExtras, withExtras, type InstanceExtras } from "./draw-extras.ts";
import { drawManyKeys, withMany } from "./draw-many.ts";
import { FAULT_KINDS, REDIS_FAULT_KINDS } from "./plan.ts";
import { PLAIN_ENTRY, PLAIN_LOADER, PLAIN_OP } from "./plain.ts";
import type {
  CancelPlan,
  EntryPlan,
  Fault,
  FaultKind,
  InstancePlan,
  LoaderPlan,
  NetworkPlan,
  Op,
  OpKind,
  Plan,
} from "./plan.ts";

/**
 * Each part has a seed of its own, so that a change of one leaves the others as they are. What happens to a request in the
 * course of a schedule is drawn from the number of its operation.
 */
export const PARTS = {
  options: -1,
  instances: -2,
  network: -3,
  workload: -4,
  faults: -5,
  op: -1_000,
  extras: -6,
  extra: -5_000,
  many: -7,
  manyOf: -10_000,
  redis: -8,
  bus: -9,
  hub: -11,
  life: 1_000,
};

/** How many of the schedules that would be those of a map are those of a Redis: it takes several times as long. */
const REDIS_SHARE = 0.06;

const KEYS = ["k", "l"];
const TAGS = ["t", "u"];
const PATHS = [[], ["n"], ["n", "m"]] as const;

/** Weighted by repetition. */
const KINDS: readonly OpKind[] = [
  ...Array<OpKind>(12).fill("getOrSet"),
  ...Array<OpKind>(2).fill("get"),
  ...Array<OpKind>(3).fill("getEntry"),
  "has",
  ...Array<OpKind>(3).fill("set"),
  ...Array<OpKind>(3).fill("delete"),
  ...Array<OpKind>(2).fill("expire"),
  ...Array<OpKind>(2).fill("invalidateTags"),
  ...Array<OpKind>(2).fill("expireTags"),
  "clear",
];

/** What sort of schedule it is, and the durations that its parts share. */
interface Frame {
  readonly calm: boolean;
  /** Some instances mostly read what others change, all the time: that is how a proof of the wrong age shows. */
  readonly watched: boolean;
  /** Two fight for a key whose values live long and are trusted long: an answer that comes late may do harm. */
  readonly duel: boolean;
  /** What is told must be heard at once. */
  readonly prompt: boolean;
  /** So many keys and tags are invalidated that what is remembered of them must be bounded. */
  readonly flood: boolean;
  /** Held reads are allowed: in calm schedules, by all or by none. */
  readonly holds: boolean;
  readonly spanMs: number;
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly instances: readonly InstancePlan[];
}

function drawInstance(
  draw: Draw,
  { calm, holds }: Pick<Frame, "calm" | "holds">,
  partitions: number,
): Omit<InstancePlan, keyof InstanceExtras> {
  return {
    memory: draw.chance(0.92),
    maxEntries: draw.pick([1, 100, 100]),
    maxBytes: calm ? 65_536 : draw.pick([4_000, 65_536, 65_536]),
    values: draw.pick(["frozen", "copied", "shared"]),
    skewMs: draw.pick([0, -3_600_000, 3_600_000, 7]),
    heldReads: calm && holds ? Infinity : draw.pick([0, 1, 4, Infinity]),
    worker: draw.chance(0.4),
    partitions,
  };
}

function drawNetwork(
  draw: Draw,
  { calm, duel, timeoutMs }: Pick<Frame, "calm" | "duel" | "timeoutMs">,
): Omit<NetworkPlan, "cut"> {
  const rough = !calm && draw.chance(0.5);
  const rate = (): number => (rough && draw.chance(0.4) ? draw.pick([0.05, 0.15]) : 0);
  return {
    delay: draw.pick([
      [0, 2],
      [1, 5],
      [5, 40],
    ] as const),
    slow: calm ? 0 : duel ? 0.4 : draw.pick([0, 0.1, 0.3]),
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

function drawLoader(draw: Draw, { calm, watched, holds, leaseMs }: Frame, worker: boolean): LoaderPlan {
  // In calm schedules followers must not give up waiting.
  const longestMs = watched ? 40 : Math.floor(Math.min(calm && !holds ? 0.3 * leaseMs : 1.5 * leaseMs, 4_000));
  const odd = ["throw", "fail", "skip", "notModified", "conditional", "conditional", "hang"] as const;
  const kind = calm || draw.chance(0.72) ? "value" : draw.pick(odd);
  const ms = draw.chance(0.6) ? draw.int(0, 30) : draw.int(30, Math.max(30, longestMs));
  return {
    kind,
    ms,
    readsAfterMs: draw.int(0, ms),
    deaf: draw.chance(0.4),
    busy: !calm && worker && kind !== "hang" && ms <= 30 && draw.chance(0.1),
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

function drawOps(draw: Draw, seed: number, frame: Frame): Op[] {
  const { calm, watched, duel, prompt, spanMs, instances } = frame;
  const keys = watched || duel || draw.chance(0.7) ? KEYS.slice(0, 1) : KEYS;
  const paths = watched || duel || draw.chance(0.7) ? PATHS.slice(0, 1) : PATHS;
  const times = {
    ttls: duel ? [60_000] : prompt ? [3_600_000] : draw.pick([[60_000], [30, 100, 500], [0, 200, 5_000, Infinity]]),
    windows: draw.pick([[0], [0, 300], [5_000], [0, 100, Infinity]]),
  };
  const cancels = draw.chance(0.6);
  /** Instants around which operations gather. */
  const moments = Array.from({ length: draw.int(2, 6) }, () => draw.int(0, spanMs));
  const ops = Array.from({ length: watched ? draw.int(15, 40) : draw.int(4, 28) }, (_, id): Op => {
    const own = createDraw(mix(seed, PARTS.op - id));
    const watches = watched && own.chance(0.8);
    const kind = calm
      ? own.pick(["getOrSet", "getOrSet", "getOrSet", "get"] as const)
      : watches
        ? own.pick(["getOrSet", "getOrSet", "get", "getEntry"] as const)
        : withPulls(own.pick(KINDS), id);
    const instance = watches ? own.int(1, instances.length - 1) : own.int(0, watched ? 0 : instances.length - 1);
    const worker = instances[instance]!.worker; // it is one of them
    return {
      id,
      at: !watched && own.chance(0.7) ? Math.max(0, own.pick(moments) + own.int(-12, 12)) : own.int(0, spanMs),
      instance,
      path: own.pick(paths),
      kind,
      key: own.pick(keys),
      entry: drawEntry(own, kind, calm, times),
      loader: drawLoader(own, frame, worker),
      padding: own.pick([0, 0, 0, 300]),
      ...(!calm && worker && cancels && own.chance(0.2) && { cancel: drawCancel(own) }),
      burnMs: !calm && worker && own.chance(0.08) ? own.int(5, 200) : 0,
    };
  });
  return ops.sort((a, b) => a.at - b.at);
}

/** Some that delete want to know what was there. Not drawn, so that all else stays as it was. */
const withPulls = (kind: OpKind, id: number): OpKind => (kind === "delete" && id % 4 === 1 ? "pull" : kind);

const drawCancel = (draw: Draw): CancelPlan =>
  draw.chance(0.5)
    ? { in: "request", afterMs: draw.int(0, 150) }
    : { in: draw.pick(["load", "commit"]), afterMs: draw.int(0, 20) };

/** Thousands of invalidations of as many keys and tags, one after the other. */
function withFlood(draw: Draw, ops: readonly Op[], { spanMs, instances }: Frame): Op[] {
  const { ttl, staleWhileRevalidate, staleIfError } = ops[0]!.entry; // there are at least four
  const windows = { ttl, staleWhileRevalidate, staleIfError };
  const many = Array.from({ length: 1_200 }, (_, index): Op => {
    const kind = draw.chance(0.95) ? "delete" : draw.pick(["expire", "set", "invalidateTags", "expireTags"] as const);
    const id = 100 + index;
    const entry = { ...PLAIN_ENTRY, ...windows, tags: kind.endsWith("Tags") ? [`t${id}`] : [] };
    const instance = draw.chance(0.95) ? 0 : draw.int(0, instances.length - 1);
    return { ...PLAIN_OP, id, at: draw.int(0, spanMs), instance, kind, key: `k${id}`, entry, loader: PLAIN_LOADER };
  });
  return [...ops, ...many].sort((a, b) => a.at - b.at);
}

function drawFaults(draw: Draw, { spanMs, timeoutMs, instances }: Frame): Fault[] {
  // Jumps hide how long an instance was suspended, and no clock could tell: one or the other.
  const clock = draw.chance(0.5) ? "wallClock" : "suspend";
  const others = FAULT_KINDS.filter((kind) => kind !== "wallClock" && kind !== "suspend");
  const kinds: readonly FaultKind[] = [
    ...others.flatMap((kind) => (kind === "failOver" ? [kind, kind] : [kind])),
    clock,
    clock,
  ];
  return Array.from({ length: draw.pick([0, 0, 1, 1, 2, 4]) }, () => {
    const kind = draw.pick(kinds);
    const clockMs = draw.pick([-3_600_000, -700, 700, 3_600_000]);
    const ms = kind.endsWith("Clock")
      ? clockMs
      : kind.startsWith("killIn")
        ? draw.int(0, 30)
        : draw.int(20, 3 * timeoutMs);
    return { at: draw.int(0, spanMs), kind, instance: draw.int(0, instances.length - 1), ms, key: draw.pick(KEYS) };
  }).sort((a, b) => a.at - b.at);
}

/** What may lose the metadata of a partition. */
const FORGETTING: readonly FaultKind[] = ["restartEmpty", "failOver", "loseMeta", "evict"];

/** What only a Redis meets. */
function drawRedisFaults(draw: Draw, { spanMs, timeoutMs, instances }: Frame): Fault[] {
  return Array.from({ length: draw.pick([0, 0, 1, 2, 3]) }, () => {
    const own = { at: draw.int(0, spanMs), instance: draw.int(0, instances.length - 1), key: "" };
    return { ...own, kind: draw.pick(REDIS_FAULT_KINDS), ms: draw.int(20, 3 * timeoutMs) };
  });
}

/** Draws everything that a schedule is made of. `on`: the same schedule, with that store or a bus, and what only that meets. */
export function drawPlan(seed: number, on?: "redis" | "bus"): Plan {
  const part = (number: number): Draw => createDraw(mix(seed, number));
  const options = part(PARTS.options);
  const calm = options.chance(0.08);
  const busDraw = part(PARTS.bus);
  const busFrame = drawBusFrame(busDraw, on === "bus");
  const prompt = busFrame.has && busFrame.prompt && !calm && on !== "redis";
  const watched = !calm && (options.chance(0.3) || (prompt && busFrame.watched));
  const duel = !calm && !prompt && !watched && options.chance(0.2);
  const flood = !calm && !prompt && options.chance(0.004);
  const holds = !calm || options.chance(0.5);
  const drawnTimeoutMs = options.pick([100, 300, 1_000]);
  const many = part(PARTS.many);
  const manyKeys = drawManyKeys(many, 0.45);
  const drawnMs = options.pick([200, 600, 2_000, 10_000]);
  const each = part(PARTS.instances);
  const partitions = each.pick([1, 1, 1, 2]);
  const count = duel ? 2 : each.pick([2, 2, 2, 2, 3, 3, 4, 5, 8]);
  const redis = part(PARTS.redis);
  const isObject = options.chance(0.1);
  const isRedis = redis.chance(REDIS_SHARE) && !isObject;
  const isMap = prompt || (on === "bus" && !isObject);
  const store = on === "redis" ? on : isMap ? "map" : isObject ? "object" : isRedis ? "redis" : "map";
  // The first to speak to a Redis sends the script, and may have to ask for the number of partitions before.
  const timeoutMs = store === "redis" ? (calm ? 1_000 : Math.max(300, drawnTimeoutMs)) : drawnTimeoutMs;
  // See withMany: what a load of many keys waits for takes some round trips more, too.
  const leaseMs = calm && (manyKeys || store === "redis") ? Math.max(2_000, drawnMs) : drawnMs;
  // Whoever believes in another number of partitions than the first one to ask, is told.
  const isDisputed = store !== "map" && isObject && !calm && each.chance(0.2);
  const disputed = store === "redis" ? !calm && redis.chance(0.2) : isDisputed;
  const extras = part(PARTS.extras);
  const groups = drawGroups(extras, calm);
  const instances = Array.from({ length: count }, () => ({
    ...drawInstance(each, { calm, holds }, disputed ? each.pick([1, 2, 3]) : partitions),
    ...drawInstanceExtras(extras, groups),
    ...(prompt && { worker: false }),
  }));
  const drawnSpanMs = options.pick(watched ? [600, 2_500] : [150, 600, 2_500, 8_000]);
  const spanMs = prompt ? busFrame.spanMs : drawnSpanMs;
  const frame: Frame = { calm, watched, duel, prompt, flood, holds, spanMs, timeoutMs, leaseMs, instances };
  const workload = part(PARTS.workload);
  const ops = drawOps(workload, seed, frame)
    .map((op) => withExtras(part(PARTS.extra - op.id), op, frame, groups))
    .map((op) => withMany(part(PARTS.manyOf - op.id), op, manyKeys, calm));
  const faults = calm || prompt ? [] : drawFaults(part(PARTS.faults), frame);
  const own = calm || store !== "redis" ? [] : drawRedisFaults(redis, frame);
  // Those who disagree about the number ask the first partition once. It alone keeps them together, so it must not forget.
  const isOpen = store === "redis" && disputed;
  const bus = busFrame.has && store !== "redis" ? drawBus(busDraw, { ...busFrame, prompt }, calm) : undefined;
  const ofBus =
    bus && !calm
      ? drawBusFaults(
          busDraw,
          { prompt, spanMs },
          count,
          ops.map(({ at }) => at),
        )
      : [];
  const met = [...faults, ...own, ...ofBus].filter(({ kind }) => !(isOpen && FORGETTING.includes(kind)));
  const cut = calm || many.chance(0.5) ? many.pick([0.1, 0.5]) : 0;
  // See drawNetwork: to be prompt, a store must be calm.
  const network = { ...drawNetwork(part(PARTS.network), { ...frame, calm: calm || prompt }), cut: prompt ? 0 : cut };
  return {
    seed,
    calm,
    store,
    spanMs,
    maxStalenessMs: prompt
      ? 2 * Math.max(spanMs, 30_000)
      : duel
        ? 2_000
        : options.pick(watched ? [60, 150, 400] : [0, 60, 400, 2_000]),
    storeTimeoutMs: timeoutMs,
    leaseMs,
    failureBackoffMs: options.pick([50, 1_000]),
    encodeMs: calm || prompt ? 0 : options.pick([0, 0, 0, 10, Math.floor(1.5 * timeoutMs)]),
    limits: {
      maxEntries: calm ? 100 : options.pick([1, 100, 100]),
      maxTags: options.pick([1, 100, 100]),
      // A write that is repeated when the log has forgotten it is another write (contract of WriteRequest).
      maxLogRecords: options.pick(calm || network.repeat > 0 ? [100] : [1, 3, 100, 100]),
      maxWaiters: calm && holds ? 100 : options.pick([1, 100, 100]),
      // Redis evicts by its own policy, and its clients wait by themselves.
      ...(store === "redis" && { maxEntries: Infinity, maxWaiters: Infinity }),
    },
    breaker: options.pick([
      false,
      { failures: 1, cooldown: 30 },
      { failures: 2, cooldown: 1_000 },
      { failures: 5, cooldown: 10_000 },
    ]),
    instances,
    network,
    ...(bus && { bus }),
    ops: flood ? withFlood(workload, ops, frame) : ops,
    faults: met.sort((a, b) => a.at - b.at),
  };
}
