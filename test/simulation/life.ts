// One life of an instance: its platform on the shared clock, until it is killed; and the requests that run in it.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Platform } from "../../src/platform.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import type { Invalidation } from "./history.ts";
import type { Op } from "./plan.ts";

/** What happens on behalf of one operation. Once cancelled, no timer or answer of it arrives any more (P6). */
export interface Request {
  readonly op: Op | undefined;
  readonly draw: Draw;
  cancelled: boolean;
  /** The set or invalidation that it makes. */
  invalidation?: Invalidation;
  /** What the cache said of the read. */
  hit?: { readonly tier: string; readonly state: "fresh" | "stale" };
}

/** The request in which the running code was begun: what tells a runtime's requests apart, too. */
export const requests = new AsyncLocalStorage<Request | undefined>();

interface LiveTimer {
  readonly request: Request | undefined;
  timer: unknown;
}

export interface Life {
  readonly name: string;
  readonly platform: Platform;
  /** Killed: nothing arrives any more. */
  dead: boolean;
  /** Closed before the end of the schedule: what it had in doubt is lost. */
  closedEarly: boolean;
  /** A request of it was cancelled: whatever that did in the background ended with it. */
  cancelled: boolean;
  /** When the store failed it, in true time, and until when it may not have asked again. */
  readonly troubles: { readonly from: number; readonly until: number }[];
  /** How long it was frozen in all. */
  frozenMs: number;
  /** Runs a callback in its request, or when the freeze is over, or never. */
  deliver(request: Request | undefined, callback: () => void): void;
  /** `suspended`: its monotonic clock stops, too. */
  freeze(ms: number, suspended: boolean): void;
  isFrozen(): boolean;
  jump(ms: number): void;
  /** Timers that were neither fired nor cleared, of requests that are not cancelled. */
  timers(): number;
}

export interface LifeOptions {
  readonly base: VirtualPlatform;
  readonly name: string;
  readonly draw: Draw;
  readonly skewMs: number;
  /** Told of a promise handed to waitUntil that rejects, which none may. */
  readonly onRejected: (error: unknown) => void;
}

export function createLife({ base, name, draw, skewMs, onRejected }: LifeOptions): Life {
  const live = new Set<LiveTimer>();
  let offsetMs = skewMs;
  let stoppedMs = 0;
  let frozenUntil = 0;
  const random = (): number => (requests.getStore()?.draw ?? draw).random();
  const life: Life = {
    name,
    dead: false,
    closedEarly: false,
    cancelled: false,
    troubles: [],
    frozenMs: 0,
    platform: {
      memoryBytes: 64 * 1024,
      now: () => base.now() + offsetMs,
      monotonic: () => base.monotonic() - stoppedMs,
      random: () => random() + random() / 0x1_0000_0000 / 2,
      setTimeout(callback, delayMs) {
        const request = requests.getStore();
        const mine: LiveTimer = { request, timer: undefined };
        const fire = (): void => life.deliver(request, () => void (live.delete(mine) && callback()));
        mine.timer = base.setTimeout(fire, delayMs);
        live.add(mine);
        return mine;
      },
      clearTimeout(timer) {
        const mine = timer as LiveTimer | undefined; // made above
        if (mine !== undefined && live.delete(mine)) base.clearTimeout(mine.timer);
      },
      waitUntil: (promise) => void promise.catch(onRejected),
    },
    deliver(request, callback) {
      if (life.dead || request?.cancelled) return;
      const leftMs = frozenUntil - base.monotonic();
      if (leftMs > 0) base.setTimeout(() => life.deliver(request, callback), leftMs);
      else requests.run(request, callback);
    },
    freeze(ms, suspended) {
      if (life.isFrozen()) return;
      frozenUntil = base.monotonic() + ms;
      life.frozenMs += ms;
      if (suspended) stoppedMs += ms;
    },
    isFrozen: () => frozenUntil > base.monotonic(),
    jump: (ms) => void (offsetMs += ms),
    timers: () => [...live].filter(({ request }) => request?.cancelled !== true).length,
  };
  return life;
}
