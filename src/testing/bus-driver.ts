// Users of a bus under test: each remembers what it was told, as the engine would be.
import type { Bus, BusConnection, BusPort, RecordsMessage } from "../bus/contract.ts";
import type { BusOptions } from "../bus/options.ts";
import type { Platform } from "../platform.ts";
import type { LogRecord } from "../store/contract.ts";
import { check } from "./expect.ts";

/** A medium for one case, with nobody on it. */
export interface BusFixture {
  /** A bus on this medium: those who are given the same name hear each other. */
  bus(options?: BusOptions): Bus;
  /** The runtime, for timers and clocks. */
  readonly platform: Platform;
  /** Lets time pass; in real time it sleeps. */
  advance(durationMs: number): Promise<void>;
  /** Cuts all connections, and lets none be made; the cases that need it are left out without it. */
  cut?(): Promise<void>;
  /** Lets connections be made again. */
  restore?(): Promise<void>;
  /** Called when the case is over, after all users have left: releases what the fixture opened. */
  close(): Promise<void>;
}

/** One user of a bus. */
export interface BusUser {
  readonly bus: BusConnection;
  /** Records, as "epoch partition seq key" or with "#" and tags; "~" in front of those that expire. */
  readonly heard: readonly string[];
  readonly states: readonly string[];
  readonly errors: readonly string[];
  /** How often it was told that something may be missing. */
  readonly missed: number;
  /** Tells of a key, as the store would have acknowledged it. */
  tell(key: string, more?: Partial<LogRecord> & { readonly epoch?: string }): Promise<void>;
  close(): Promise<void>;
}

/** Everything a case says. */
export interface BusDriver {
  readonly fixture: BusFixture;
  /** A user who listens, and is sure to hear from now on. */
  join(options?: BusOptions, name?: string): Promise<BusUser>;
  /** Waits until something is so. Throws if that takes more than ten seconds. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Ends all. */
  close(): Promise<void>;
}

const PATIENCE_MS = 10_000;
const STEP_MS = 10;

const textOf = ({ epoch, partition }: Pick<RecordsMessage, "epoch" | "partition">, record: LogRecord): string =>
  `${record.expire ? "~" : ""}${epoch} ${partition} ${record.seq} ${record.key ?? `#${record.tags?.join()}`}`;

export function busDriver(fixture: BusFixture): BusDriver {
  const { platform, advance } = fixture;
  const users = new Set<BusUser>();

  const until: BusDriver["until"] = async (condition, what) => {
    for (let ms = 0; !condition(); ms += STEP_MS) {
      check(ms < PATIENCE_MS, `${what}: not within ${PATIENCE_MS} ms`);
      await advance(STEP_MS);
    }
  };

  const join: BusDriver["join"] = async (options = {}, name = "conformance") => {
    const heard: string[] = [];
    const states: string[] = [];
    const errors: string[] = [];
    const stops = new Set<() => void>();
    let missed = 0;
    let seq = 0;
    let isClosed = false;
    const port: BusPort = {
      name,
      platform,
      hasLog: true,
      apply(partition, _, epoch, record) {
        heard.push(textOf({ epoch, partition }, record));
        return "applied";
      },
      compare: () => "applied",
      positions: () => ({ kind: "heartbeat", partitions: 1, positions: [{ partition: 0, epoch: "e", seq, tip: "n" }] }),
      catchUp: async () => void missed++,
      forget: () => void missed++,
      background: (operation, work) =>
        void work.catch((error: unknown) => errors.push(`${operation}: ${String(error)}`)),
      report: (operation, error) => void errors.push(`${operation}: ${String(error)}`),
      told: (state) => void states.push(state),
      after(ms, callback) {
        const cancel = (): void => {
          platform.clearTimeout(timer);
          stops.delete(stop);
        };
        const stop = (): void => {
          cancel();
          callback();
        };
        const timer = platform.setTimeout(stop, ms);
        stops.add(stop);
        if (isClosed) stop();
        return cancel;
      },
      clock: () => platform.monotonic(),
      isClosed: () => isClosed,
    };
    const bus = fixture.bus(options).connect(port);
    const user: BusUser = {
      bus,
      heard,
      states,
      errors,
      get missed() {
        return missed;
      },
      tell(key, { epoch = "e", ...more } = {}) {
        const record = { seq: ++seq, nonce: `n${seq}`, expire: false, agoMs: 0, key, ...more };
        return bus.tell({ kind: "records", partition: 0, partitions: 1, epoch, records: [record] });
      },
      async close() {
        users.delete(user);
        isClosed = true;
        for (const stop of [...stops]) stop();
        await bus.close();
      },
    };
    users.add(user);
    bus.open();
    if (options.subscribe !== false) await until(() => states.includes("up"), "the subscription");
    return user;
  };

  return {
    fixture,
    join,
    until,
    async close() {
      await Promise.all([...users].map((user) => user.close()));
      await fixture.close();
    },
  };
}
