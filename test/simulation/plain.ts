// The plainest schedule: what others are told apart from, when they are shrunk, printed, or kept as cases.
import type { BusPlan, EntryPlan, InstancePlan, LimitsPlan, LoaderPlan, NetworkPlan, Op, Plan } from "./plan.ts";

export const PLAIN_ENTRY: EntryPlan = {
  ttl: 60_000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  tags: [],
  memory: true,
  store: true,
  strong: false,
};
export const PLAIN_LOADER: LoaderPlan = { kind: "value", ms: 5, readsAfterMs: 0, deaf: false, busy: false };
export const PLAIN_INSTANCE: InstancePlan = {
  memory: true,
  maxEntries: 100,
  maxBytes: 65_536,
  values: "frozen",
  skewMs: 0,
  heldReads: Infinity,
  worker: false,
  partitions: 1,
  strict: false,
  maxConcurrentLoads: Infinity,
  validates: false,
  memoryTtl: Infinity,
};
export const PLAIN_NETWORK: NetworkPlan = {
  delay: [1, 5],
  slow: 0,
  slowDelay: [30, 50],
  loseRequest: 0,
  loseAnswer: 0,
  errorBefore: 0,
  errorAfter: 0,
  repeat: 0,
  cut: 0,
};
export const PLAIN_BUS: BusPlan = {
  prompt: false,
  heartbeatMs: 5_000,
  publishTimeoutMs: 100,
  retryQueue: { enabled: true, maxSize: 10_000, retryInterval: 1_000 },
  breaker: { failureThreshold: 5, cooldown: 10_000 },
  dedupe: { maxSize: 10_000, ttl: 60_000 },
  echoes: false,
  delay: [1, 5],
  slow: 0,
  slowDelay: [30, 50],
  lose: 0,
  repeat: 0,
  failBefore: 0,
  failAfter: 0,
  hang: 0,
};
export const PLAIN_LIMITS: LimitsPlan = { maxEntries: 100, maxTags: 100, maxLogRecords: 100, maxWaiters: 100 };
/** The fields of an operation that have a plain value. */
export const PLAIN_OP = { path: [], key: "k", padding: 0, burnMs: 0 } as const;

/** An operation with plain options, but for those given. */
export type PlainOp = Pick<Op, "id" | "at" | "instance" | "kind"> &
  Partial<
    Pick<Op, "path" | "key" | "cancel" | "padding" | "burnMs" | "yields" | "leavesAfterMs" | "items" | "repeats">
  > & {
    readonly entry?: Partial<EntryPlan>;
    readonly loader?: Partial<LoaderPlan>;
  };

export type PlainPlan = Pick<Plan, "seed"> &
  Partial<
    Pick<
      Plan,
      | "store"
      | "spanMs"
      | "maxStalenessMs"
      | "storeTimeoutMs"
      | "leaseMs"
      | "failureBackoffMs"
      | "encodeMs"
      | "breaker"
      | "faults"
    >
  > & {
    readonly instances: readonly Partial<InstancePlan>[];
    readonly network?: Partial<NetworkPlan>;
    readonly bus?: Partial<BusPlan>;
    readonly limits?: Partial<LimitsPlan>;
    readonly ops: readonly PlainOp[];
  };

/** A schedule with plain options, but for those given. */
export function plainPlan(given: PlainPlan): Plan {
  return {
    calm: false,
    store: "map",
    spanMs: 150,
    maxStalenessMs: 60,
    storeTimeoutMs: 100,
    leaseMs: 600,
    failureBackoffMs: 50,
    encodeMs: 0,
    breaker: false,
    faults: [],
    ...given,
    bus: given.bus && { ...PLAIN_BUS, ...given.bus },
    limits: { ...PLAIN_LIMITS, ...given.limits },
    network: { ...PLAIN_NETWORK, ...given.network },
    instances: given.instances.map((instance) => ({ ...PLAIN_INSTANCE, ...instance })),
    ops: given.ops.map((op) => ({
      ...PLAIN_OP,
      ...op,
      entry: { ...PLAIN_ENTRY, ...op.entry },
      loader: { ...PLAIN_LOADER, ...op.loader },
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** What of `given` is not as in `plain`. */
const unlike = (given: object, plain: object): Fields =>
  Object.fromEntries(
    Object.entries(given).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify((plain as Fields)[name])),
  );

const text = (value: object): string =>
  JSON.stringify(value, (_, field: unknown) => (field === Infinity ? "Infinity" : field))
    .replace(/"([A-Za-z]+)":/g, " $1: ")
    .replaceAll('"Infinity"', "Infinity");

/** A schedule in a few lines, without what is plain. They can be pasted into a case. */
export function showPlan({ instances, network, limits, ops, faults, bus, ...options }: Plan): string {
  const lines = [
    text(options),
    `instances: ${text(instances.map((instance) => unlike(instance, PLAIN_INSTANCE)))}`,
    `network: ${text(unlike(network, PLAIN_NETWORK))}, limits: ${text(unlike(limits, PLAIN_LIMITS))}`,
    ...(bus ? [`bus: ${text(unlike(bus, PLAIN_BUS))}`] : []),
    ...ops.map(({ entry, loader, ...op }) => {
      const own = { entry: unlike(entry, PLAIN_ENTRY), loader: unlike(loader, PLAIN_LOADER) };
      return text({ ...unlike(op, PLAIN_OP), ...unlike(own, { entry: {}, loader: {} }) });
    }),
    ...faults.map(text),
  ];
  return lines.join("\n");
}
