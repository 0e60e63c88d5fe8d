// Draws the options that few use, in groups, so that most schedules have some of them and none has all.
import type { Draw } from "./draw.ts";
import type { InstancePlan, Op } from "./plan.ts";

/** The options of an instance that few use. */
export type InstanceExtras = Pick<InstancePlan, "strict" | "maxConcurrentLoads" | "validates" | "memoryTtl">;

/** Which of them are in use in a schedule. */
export interface Groups {
  readonly strict: boolean;
  readonly limited: boolean;
  readonly validating: boolean;
  readonly short: boolean;
  readonly timed: boolean;
  /** Values are soon stale, and then served only to those whom their slow loaders have kept waiting. */
  readonly slow: boolean;
  readonly leaving: boolean;
  readonly negative: boolean;
  readonly sized: boolean;
  readonly varied: boolean;
}

export const drawGroups = (draw: Draw, calm: boolean): Groups => ({
  strict: draw.chance(0.3),
  limited: draw.chance(0.25) && !calm,
  validating: draw.chance(0.15) && !calm,
  short: draw.chance(0.15),
  timed: draw.chance(0.35),
  slow: draw.chance(0.15) && !calm,
  leaving: draw.chance(0.3),
  negative: draw.chance(0.3),
  sized: draw.chance(0.2) && !calm,
  varied: draw.chance(0.4),
});

export const drawInstanceExtras = (draw: Draw, { strict, limited, validating, short }: Groups): InstanceExtras => ({
  strict: strict && draw.chance(0.6),
  maxConcurrentLoads: limited ? draw.pick([1, 1, 2, Infinity]) : Infinity,
  validates: validating && draw.chance(0.6),
  memoryTtl: short ? draw.pick([30, 300, Infinity]) : Infinity,
});

/** Of values this large or larger some are padded, and of these none fits. */
const MAX_VALUE_BYTES = 200;

/** With the options that few use: drawn apart, so that all else of an operation is as it was without. */
export function withExtras(
  draw: Draw,
  op: Op,
  { calm, holds }: { readonly calm: boolean; readonly holds: boolean },
  groups: Groups,
): Op {
  const { timed, slow, leaving, negative, sized, varied } = groups;
  const { kind, entry, loader } = op;
  const negativeTtl = negative && draw.chance(0.6) ? (calm ? 3_600_000 : draw.pick([0, 50, 5_000])) : undefined;
  const none = draw.pick(["null", "null", "undefined"] as const);
  const yields =
    negative && draw.chance(0.4) && (none === "null" || negativeTtl !== undefined || (!calm && kind !== "set"));
  // A lease is renewed for no longer than the hard time-out: where nothing else disturbs, that would be a second load.
  const hard = (timed || slow) && draw.chance(0.3) && !(calm && holds);
  return {
    ...op,
    entry: {
      ...entry,
      ...(slow && { ttl: draw.pick([30, 200]), staleWhileRevalidate: 0, staleIfError: draw.pick([300, 5_000]) }),
      ...((timed || slow) && draw.chance(0.4) && { softTimeout: draw.pick([0, 10, 60, 300]) }),
      ...(hard && { hardTimeout: draw.pick([5, 40, 200, 1_000]) }),
      ...(varied && draw.chance(0.3) && { jitter: draw.pick([0.1, 1]) }),
      ...(varied && !calm && draw.chance(0.3) && { eagerRefresh: draw.pick([0, 0.3, 0.9]) }),
      ...(varied && draw.chance(0.3) && { failureBackoff: draw.pick([0, 50, 5_000]) }),
      ...(negativeTtl !== undefined && { negativeTtl }),
      ...(sized && draw.chance(0.5) && { maxValueBytes: MAX_VALUE_BYTES }),
    },
    ...(slow && draw.chance(0.5) && { loader: { ...loader, ms: loader.ms + 100, busy: false } }),
    ...(yields && { yields: none }),
    ...(leaving && draw.chance(0.3) && { leavesAfterMs: draw.pick([draw.int(0, 30), draw.int(0, 300)]) }),
  };
}
