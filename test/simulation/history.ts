// What happened in a schedule, as the checkers need it: values and their births, invalidations, reads; and the timeline.
import type { FaultName } from "./faults.ts";
import type { Life } from "./life.ts";
import type { Nothing, Op } from "./plan.ts";

/** A point in the history: `step` orders everything, `at` is true time. */
export interface Moment {
  readonly step: number;
  readonly at: number;
}

/** A value that a loader or a `set` made. What the cache is given is `{ n }`. */
export interface Value {
  readonly n: number;
  readonly path: readonly string[];
  readonly key: string;
  tags: readonly string[];
  /** When its load began, or its set was executed in the store; a renewal ("not modified") is another birth. */
  born: Moment | undefined;
  /** When the origin had it. */
  readAt: Moment | undefined;
  /** The last instant from which its windows may count. */
  keptAt: number;
  ttlMs: number;
  /** The longer one of the stale windows; and that in which it may be served though its loader works. */
  staleMs: number;
  revalidateMs: number;
  /** Its ttl is what it was stored with: chance has not shortened it, nor a renewal changed it. */
  isExact: boolean;
  /** It may be kept at all; and in the store, too. */
  readonly mayBeKept: boolean;
  readonly mayBeStored: boolean;
  /** By whom it was made. */
  readonly by: Life;
  /** It stands for "there is none", and carries no number. */
  readonly nothing: Nothing | undefined;
}

/** A write as one partition of the store has it. */
export interface Done extends Moment {
  /** Of its record, when it was first done. */
  readonly seq?: number;
  /** A fail-over to a replica that lagged has undone it, and no instance could tell the store so yet. */
  lost: boolean;
}

/** A set or an invalidation. */
export interface Invalidation {
  readonly op: Op;
  /** Of which life of which instance. */
  readonly by: Life;
  readonly asked: Moment;
  /** The value that a set made: all others of the key are invalidated. */
  readonly made: Value | undefined;
  /** By partition, when it was first done there. */
  readonly done: Map<number, Done>;
  /** When a deadline was on all its first attempts, a set that was rejected must not take effect later. */
  bounded: boolean;
  /** Its id, once it has been sent. */
  nonce?: string;
  acknowledged?: Moment;
  rejected?: Moment;
  /** It was lost by a fail-over until then, when the store found that out and began a new epoch. */
  recovered?: Moment;
}

/** What a read returned. */
export interface Read {
  readonly op: Op;
  readonly by: Life;
  readonly begun: Moment;
  readonly ended: Moment;
  readonly value: Value;
  /** Unknown: from a load that the caller joined, or as part of which it was served. */
  readonly state: "fresh" | "stale" | "unknown";
  readonly tier: string;
  /** The store failed the instance at some time that matters to the read. */
  readonly outOfReach: boolean;
}

/** The checkers, and which promise of the design each of them stands for. */
export const CHECKERS = {
  "no resurrection": "P1",
  bound: "P2",
  prompt: "P2",
  "one load": "P3",
  "no hang": "P3",
  convergence: "P3",
  "fail open": "P5",
  "loud writes": "P5",
  windows: "ttl",
  growth: "limits",
  "memory bytes": "limits",
  strict: "onStoreError",
  "load limit": "maxConcurrentLoads",
  "in time": "hardTimeout and signal",
  admission: "what may be kept",
  "well-behaved": "any library",
} as const;
export type Checker = keyof typeof CHECKERS;

export interface Violation {
  readonly checker: Checker;
  readonly what: string;
}

export interface History {
  readonly values: Map<number, Value>;
  readonly invalidations: Invalidation[];
  readonly violations: Violation[];
  /** By stored key, when loads of it began. */
  readonly loads: Map<string, number>;
  /** True time and the next step. */
  moment(): Moment;
  violate(checker: Checker, what: string): void;
  /** How often each kind of fault really struck. */
  readonly faults: Map<FaultName, number>;
  struck(fault: FaultName): void;
  readonly timeline: string[];
  /** Adds a line to the timeline, if one is wanted. */
  note(who: string, what: () => string): void;
}

export function createHistory(clock: () => number, traced: boolean): History {
  let step = 0;
  const history: History = {
    values: new Map(),
    invalidations: [],
    violations: [],
    loads: new Map(),
    moment: () => ({ step: ++step, at: clock() }),
    violate(checker, what) {
      history.violations.push({ checker, what });
      history.note("CHECK", () => `*** ${showViolation({ checker, what })}`);
    },
    faults: new Map(),
    struck: (fault) => void history.faults.set(fault, (history.faults.get(fault) ?? 0) + 1),
    timeline: [],
    note(who, what) {
      if (traced) history.timeline.push(`${String(Math.round(clock())).padStart(7)}  ${who.padEnd(6)} ${what()}`);
    },
  };
  return history;
}

export const showViolation = ({ checker, what }: Violation): string => `${CHECKERS[checker]}, ${checker}: ${what}`;

const isWithin = (path: readonly string[], scope: readonly string[]): boolean =>
  scope.every((name, index) => path[index] === name);

/** Whether an invalidation touches a value: its key, a tag in its namespaces, or all of them. */
export function touches({ op, made }: Invalidation, value: Value): boolean {
  if (made === value) return false;
  if (op.kind === "clear") return isWithin(value.path, op.path);
  if (op.kind.endsWith("Tags")) {
    return isWithin(value.path, op.path) && op.entry.tags.some((tag) => value.tags.includes(tag));
  }
  return op.key === value.key && value.path.length === op.path.length && isWithin(value.path, op.path);
}

/** Whether it leaves what it touches usable as stale. */
export const isExpiry = ({ op }: Invalidation): boolean => op.kind === "expire" || op.kind === "expireTags";

/** Whether what was returned is what the invalidation forbids: after an expiry, only a fresh value is. */
export function forbids(invalidation: Invalidation, { state, value }: Read): boolean {
  if (!isExpiry(invalidation)) return true;
  // The cache does not say how stale a value is that came from a shared load; one that has no such window is fresh.
  return state === "fresh" || (state === "unknown" && value.revalidateMs === 0);
}

export const showRead = ({ op, value, state, tier, begun }: Read): string =>
  `${showOp(op)}${op.entry.strong ? ", strong," : ""} begun at ${begun.at} returns value ${value.n} ` +
  `(born ${value.born?.at ?? "later"}) ${state} from ${tier}`;

export const showOp = ({ id, kind, path, key, entry, items, repeats }: Op): string => {
  const keys = items?.map((item) => item.key).concat(repeats ? ["again"] : []);
  const what = kind === "clear" ? "" : /Tags$/.test(kind) ? entry.tags.join(",") : (keys?.join(",") ?? key);
  return `${[...path, kind].join(".")}(${what})#${id}`;
};

/** Whether a value began before something was done. Not yet born: its set was not executed as far as anybody saw. */
export const isOlder = (value: Value, than: Moment): boolean => value.born !== undefined && value.born.step < than.step;

/** Whether a moment is known to come after another. */
export const isAfter = (moment: Moment, than: Moment | undefined): boolean =>
  than !== undefined && moment.step > than.step;
