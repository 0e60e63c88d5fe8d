// One load in progress in this isolate, as plain data that any request may look at.
import type { Tier } from "../observe/events.ts";
import type { Copy } from "./copy.ts";

/** The flights that load, and those that wait for that in order, each with what wakes it. */
export interface Slots {
  readonly running: Set<Flight>;
  readonly queue: Map<Flight, () => void>;
}

/** How a flight ended: with a value that some may use and others may not, or with nothing (a miss, or a loader without a value). */
export interface Outcome {
  readonly copy: Copy | undefined;
  /** As of when it was made. A value straight from a loader is fresh whatever its ttl. */
  readonly state: "fresh" | "stale";
  readonly tier: Tier;
  /** When the request or the load that made it began: in ticks, and in local time. */
  readonly began: number;
  readonly beganAt: number;
}

/** One with a value. */
export interface Hit extends Outcome {
  readonly copy: Copy;
}

/**
 * The promise belongs to the request that leads: when that is cancelled, it may never settle, and not even `finally`
 * runs (P6). So followers watch `done` and `beatAt` with timers of their own.
 */
export interface Flight {
  readonly began: number;
  readonly startedAt: number;
  /** The lease's token. Whoever takes over a dead flight goes on with its lease instead of waiting for it to end. */
  readonly token: string;
  /**
   * A commit was sent with the token, or somebody took it over: nobody else may. It becomes the id of the entry, and two
   * entries of one id would pass for each other where only the id is compared (entryId).
   */
  spent: boolean;
  /** Those who wait, or have been served meanwhile and want it to go on; Infinity for one that nobody waits for. */
  callers: number;
  /**
   * Ends its loader. To be called by the one who leads, within the request that the loader runs in (P6), when there are
   * no callers left; others leave it to the next sign of life.
   */
  cancel?: () => void;
  readonly promise: Promise<void>;
  done: boolean;
  /** The one who leads showed signs of life at this local time. */
  beatAt: number;
  outcome?: Outcome;
  error?: unknown;
  /** It goes without the store, for readers that an own write in doubt keeps from it. */
  readonly alone: boolean;
  /** What may be served while it is reloaded, as far as it is known. */
  stale: Outcome | undefined;
  /** The store did not answer: what is stale may be without a proof. */
  isOutage?: boolean;
}
