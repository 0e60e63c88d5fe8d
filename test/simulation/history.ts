// What happened in a schedule, as the checkers need it: values and their births, invalidations, reads; and the timeline.
import type { Op } from "./plan.ts";

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
  /** The last instant from which its windows may count. */
  keptAt: number;
  ttlMs: number;
  /** The longer one of the stale windows; and that in which it may be served though its loader works. */
  staleMs: number;
  revalidateMs: number;
  memoryTtlMs: number;
}

/** A set or an invalidation. */
export interface Invalidation {
  readonly op: Op;
  /** Of which life of which instance. */
  readonly by: object;
  readonly asked: Moment;
  /** The value that a set made: all others of the key are invalidated. */
  readonly made: Value | undefined;
  readonly nonces: Set<string>;
  /** By partition, when it was first done there. */
  readonly done: Map<number, Moment>;
  /** When a deadline was on all its first attempts, a set that was rejected must not take effect later. */
  bounded: boolean;
  acknowledged?: Moment;
  rejected?: Moment;
}

/** What a read returned. */
export interface Read {
  readonly op: Op;
  readonly by: object;
  readonly begun: Moment;
  readonly ended: Moment;
  readonly value: Value;
  /** Unknown: from a load that the caller joined, or as part of which it was served. */
  readonly state: "fresh" | "stale" | "unknown";
  readonly tier: string;
  /** The store failed the instance at some time that matters to the read. */
  readonly outOfReach: boolean;
}

export interface Violation {
  readonly promise: "P1" | "P2" | "P3" | "P5" | "ttl" | "bounds" | "rest";
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
  violate(promise: Violation["promise"], what: string): void;
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
    violate(promise, what) {
      history.violations.push({ promise, what });
      history.note("CHECK", () => `*** ${promise}: ${what}`);
    },
    timeline: [],
    note(who, what) {
      if (traced) history.timeline.push(`${String(Math.round(clock())).padStart(7)}  ${who.padEnd(6)} ${what()}`);
    },
  };
  return history;
}

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

export const showOp = ({ id, kind, path, key, entry }: Op): string => {
  const what = kind === "clear" ? "" : /Tags$/.test(kind) ? entry.tags.join(",") : key;
  return `${[...path, kind].join(".")}(${what})#${id}`;
};

/** Whether a value began before something was done. Not yet born: its set was not executed as far as anybody saw. */
export const isOlder = (value: Value, than: Moment): boolean => value.born !== undefined && value.born.step < than.step;
