// Draws the bus of a schedule, and what happens to it: drawn apart, so that all else is as it was without.
import type { Draw } from "./draw.ts";
import { PLAIN_BUS } from "./plain.ts";
import { BUS_FAULT_KINDS, type BusPlan, type Fault } from "./plan.ts";

/** How many of the schedules of a map or an object have a bus; and how many of these must be prompt. */
const BUS_SHARE = 0.25;
const PROMPT_SHARE = 0.35;

/** What is decided before all else. */
export interface BusFrame {
  readonly has: boolean;
  /** The bus and the store are well, but for what is known to happen: then messages must have their effect at once. */
  readonly prompt: boolean;
  readonly watched: boolean;
  readonly spanMs: number;
}

export const drawBusFrame = (draw: Draw, always: boolean): BusFrame => ({
  has: draw.chance(BUS_SHARE) || always,
  prompt: draw.chance(PROMPT_SHARE),
  watched: draw.chance(0.6),
  // The longest is so long that an instance may be at rest.
  spanMs: draw.pick([600, 2_500, 2_500, 8_000, 200_000]),
});

const drawDelay = (draw: Draw): readonly [number, number] =>
  draw.pick([
    [0, 2],
    [1, 5],
    [5, 40],
  ] as const);

export function drawBus(draw: Draw, { prompt }: BusFrame, calm: boolean): BusPlan {
  const delay = drawDelay(draw);
  if (prompt) {
    const isLossy = draw.chance(0.5);
    const heartbeatMs = isLossy ? draw.pick([300, 5_000, 60_000]) : 60_000;
    return { ...PLAIN_BUS, prompt, delay, heartbeatMs, lose: isLossy ? draw.pick([0.1, 0.3, 0.5]) : 0 };
  }
  const rough = !calm && draw.chance(0.6);
  const rate = (): number => (rough && draw.chance(0.4) ? draw.pick([0.05, 0.15, 0.4]) : 0);
  return {
    prompt,
    heartbeatMs: draw.pick([50, 500, 5_000]),
    publishTimeoutMs: draw.pick([50, 200, 1_000]),
    retryQueue: {
      enabled: draw.chance(0.85),
      maxSize: draw.pick([1, 2, 10_000, Infinity]),
      retryInterval: draw.pick([20, 300, 1_000]),
    },
    breaker: { failureThreshold: draw.pick([1, 3, 5]), cooldown: draw.pick([100, 2_000, 10_000]) },
    dedupe: { maxSize: draw.pick([1, 3, 10_000, 10_000]), ttl: draw.pick([50, 60_000]) },
    echoes: draw.chance(0.5),
    delay,
    slow: calm ? 0 : draw.pick([0, 0.1, 0.4]),
    slowDelay: draw.pick([
      [30, 300],
      [300, 3_000],
    ] as const),
    lose: rate(),
    repeat: rate(),
    failBefore: rate(),
    failAfter: rate(),
    hang: rate(),
  };
}

/** What happens to the hub, or to one that listens. */
export function drawBusFaults(
  draw: Draw,
  { prompt, spanMs }: Pick<BusFrame, "prompt" | "spanMs">,
  instances: number,
  opsAt: readonly number[],
): Fault[] {
  const isLossy = draw.chance(0.4);
  return Array.from({ length: draw.pick(prompt ? [0, 1, 3, 6] : [0, 0, 1, 2, 3]) }, () => ({
    // Where there is something to lose: between a write and its arrival.
    at: prompt ? Math.max(0, draw.pick([...opsAt, spanMs]) + draw.int(0, 40)) : draw.int(0, spanMs),
    kind: prompt && !isLossy ? "hubRestart" : draw.pick(BUS_FAULT_KINDS),
    instance: draw.int(0, instances - 1),
    ms: draw.int(20, 3_000),
    key: "",
  }));
}
