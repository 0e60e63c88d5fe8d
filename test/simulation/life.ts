// One life of an instance: its platform on the shared clock, until it is killed; and the requests that run in it.
import { AsyncLocalStorage } from "node:async_hooks";
import { child, ROOT, storedKey } from "../../src/engine/names.ts";
import type { Platform } from "../../src/platform.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import type { Invalidation, Moment, Value } from "./history.ts";
import { partsOf, type Op } from "./plan.ts";

/** What happens on behalf of one operation. */
export interface Request {
  readonly op: Op;
  readonly draw: Draw;
  /** When its instance began with it: not while it is frozen. */
  begunAt: number;
  /** No timer or answer of it arrives any more (P6): it was cancelled; or, on a worker, all it had announced is done. */
  over: boolean;
  /** The same, because it was cancelled. */
  cancelled: boolean;
  /** When something last arrived for it: on a worker, its clocks show that. */
  clockAt: number;
  /** What it handed to waitUntil and has not settled. */
  announced: number;
  /** Whether its operation has an answer. */
  answered: boolean;
  /** The set or invalidation that it makes. */
  invalidation?: Invalidation;
  /** What the store last did with a read that was sent for it. */
  lastRead?: "answered" | "failed";
  /** The value that a loader made last on its behalf. */
  loaded?: Value;
  /** When its read had ended, hit or miss. */
  foundAt?: Moment;
  /** What the cache said of the read. */
  hit?: { readonly tier: string; readonly state: "fresh" | "stale" };
  /** Of a call for many keys: what goes on for each of them, by stored key; all else is that of the whole. */
  readonly parts?: ReadonlyMap<string, Request>;
  /** Of such a part. */
  readonly whole?: Request;
}

/** The stored key of an operation on one. */
export const storedKeyOf = ({ path, key }: Pick<Op, "path" | "key">): string =>
  storedKey(path.reduce(child, ROOT), key);

/** What goes on in a request for one key. */
export const partFor = (request: Request | undefined, stored: string | undefined): Request | undefined =>
  (stored !== undefined && request?.parts?.get(stored)) || request;

/** A request of an operation, with a part for each key if it is for many. */
export function createRequest(op: Op, draw: Draw, nowAt: number): Request {
  const parts = new Map<string, Request>();
  const request: Request = {
    op,
    draw,
    begunAt: nowAt,
    over: false,
    cancelled: false,
    clockAt: nowAt,
    announced: 0,
    answered: false,
    ...(op.items && { parts }),
  };
  // What is not its own is that of the request, now and later.
  for (const part of op.items ? partsOf(op) : []) {
    const own = { op: { value: part }, whole: { value: request } };
    parts.set(storedKeyOf(part), Object.create(request, own) as Request);
  }
  return request;
}

/** The request in which the running code was begun: what tells a runtime's requests apart, too. */
export const requests = new AsyncLocalStorage<Request | undefined>();

interface LiveTimer {
  readonly request: Request | undefined;
  timer: unknown;
}

/** A loader that runs, for one key. */
export interface Loading {
  readonly name: string;
  /** Those of the same call of a loader: of as many keys as are missing, or this one alone. */
  readonly together: readonly Loading[];
  readonly request: Request | undefined;
  readonly beganAt: number;
  /** It was offered something stale to keep. */
  readonly hadStale: boolean;
  /** What the store has found stale, and until when that may be served instead. */
  servable?: { readonly value: Value; readonly untilMs: number };
  aborted: boolean;
}

/** A phase of an operation in which death is of interest. */
export type Phase = "load" | "commit";

export interface Life {
  readonly name: string;
  readonly platform: Platform;
  /** Its requests are cancelled with their promises, and its clocks stand still within them. */
  readonly worker: boolean;
  /** Killed: nothing arrives any more. */
  dead: boolean;
  /** Closed before the end of the schedule: what it had in doubt is lost. */
  closedEarly: boolean;
  /** A request of it was cancelled: whatever that did in the background ended with it. */
  cancelled: boolean;
  /** The keys whose loads hang here. */
  readonly hung: string[];
  /** When the store failed it, in true time, and until when it may not have asked again: with an open breaker, till that closes. */
  readonly troubles: { readonly from: number; until: number; readonly open?: number }[];
  /** How long it was frozen in all. */
  frozenMs: number;
  /** Its wall clock was set forwards: by its own reckoning, everything that was under way has taken long. */
  jumpedAhead: boolean;
  readonly loading: Set<Loading>;
  /** When a loader last ended. */
  loadEndedAt: number;
  /** When the latest of the requests was sent that the store has answered. */
  heardSince: number;
  /** When it last heard of a key: by stored key, from the store or from a loader. */
  readonly touched: Map<string, number>;
  /** It is to be killed so long after such a phase begins. */
  readonly doom: Map<Phase, { readonly afterMs: number; die(): void }>;
  /** Runs a callback in its request, or when the freeze is over, or never. */
  deliver(request: Request | undefined, callback: () => void): void;
  /** The same without its clock moving on. */
  resume(request: Request | undefined, callback: () => void): void;
  /** `suspended`: its monotonic clock stops, too. */
  freeze(ms: number, suspended: boolean): void;
  isFrozen(): boolean;
  jump(ms: number): void;
  /** Timers that were neither fired nor cleared, of requests that are not over. */
  timers(): number;
}

export interface LifeOptions {
  readonly base: VirtualPlatform;
  readonly name: string;
  readonly draw: Draw;
  readonly skewMs: number;
  readonly worker: boolean;
  /** Told of a promise handed to waitUntil that rejects, which none may. */
  readonly onRejected: (error: unknown) => void;
}

/** After its answer, a request is kept for what it announced, but not longer. */
const WAIT_UNTIL_MS = 30_000;

export function createLife({ base, name, draw, skewMs, worker, onRejected }: LifeOptions): Life {
  const live = new Set<LiveTimer>();
  let offsetMs = skewMs;
  let stoppedMs = 0;
  let frozenUntil = 0;
  const random = (): number => (requests.getStore()?.draw ?? draw).random();
  /** How far the clocks of the running code are behind: within a request of a worker they move only as something arrives. */
  const behindMs = (): number => {
    const request = worker ? requests.getStore() : undefined;
    return request === undefined ? 0 : base.monotonic() - request.clockAt;
  };
  const life: Life = {
    name,
    worker,
    dead: false,
    closedEarly: false,
    cancelled: false,
    hung: [],
    troubles: [],
    frozenMs: 0,
    jumpedAhead: false,
    loading: new Set(),
    loadEndedAt: -Infinity,
    heardSince: -Infinity,
    touched: new Map(),
    doom: new Map(),
    platform: {
      memoryBytes: 64 * 1024,
      connectionsOutliveRequests: !worker,
      now: () => base.now() + offsetMs - behindMs(),
      monotonic: () => base.monotonic() - stoppedMs - behindMs(),
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
      waitUntil(promise) {
        const request = requests.getStore();
        if (request !== undefined) request.announced++;
        const settled = (): void => {
          if (request === undefined) return;
          request.announced--;
          endIfDone(life, request);
        };
        promise.then(settled, (error: unknown) => {
          onRejected(error);
          settled();
        });
      },
    },
    deliver(request, callback) {
      life.resume(request, () => {
        if (request !== undefined) request.clockAt = base.monotonic();
        callback();
      });
    },
    resume(request, callback) {
      if (life.dead || request?.over) return;
      const leftMs = frozenUntil - base.monotonic();
      if (leftMs > 0) base.setTimeout(() => life.resume(request, callback), leftMs);
      else requests.run(request, callback);
    },
    freeze(ms, suspended) {
      if (life.isFrozen()) return;
      frozenUntil = base.monotonic() + ms;
      life.frozenMs += ms;
      if (suspended) stoppedMs += ms;
    },
    isFrozen: () => frozenUntil > base.monotonic(),
    jump(ms) {
      offsetMs += ms;
      if (ms > 0) life.jumpedAhead = true;
    },
    timers: () => [...live].filter(({ request }) => request?.over !== true).length,
  };
  return life;
}

/** On a worker a request ends with its answer, or with what it announced: nothing else goes on in the background (P6). */
function endIfDone({ worker }: Life, request: Request): void {
  if (worker && request.answered && request.announced === 0) request.over = true;
}

/** The operation of a request has its answer; what it announced may go on for a while. */
export function answered(life: Life, request: Request, base: VirtualPlatform): void {
  request.answered = true;
  endIfDone(life, request);
  if (!life.worker || request.over) return;
  base.setTimeout(() => {
    if (request.over) return;
    request.over = request.cancelled = life.cancelled = true;
  }, WAIT_UNTIL_MS);
}
