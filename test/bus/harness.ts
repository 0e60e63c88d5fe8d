// A bus whose transport a test controls: frames are seen, lost, repeated and refused as it says.
import type { BusPort, BusTransportEvents, RecordsMessage } from "../../src/bus/contract.ts";
import type { BusOptions } from "../../src/bus/options.ts";
import { createBus } from "../../src/bus/create.ts";
import { decodeFrame } from "../../src/bus/frame.ts";
import type { LogRecord } from "../../src/store/contract.ts";
import { virtualPlatform, type VirtualPlatform } from "../../src/testing/virtual-platform.ts";

/** One frame on its way, as it was read before it was signed. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** A wire that all buses of one test share. */
export function wire(platform: VirtualPlatform = virtualPlatform()) {
  const listeners = new Set<BusTransportEvents>();
  const sent: Sent[] = [];
  const state = {
    /** Whether publishing fails; "hangs": it never answers. */
    fails: false as boolean | "hangs",
    /** What becomes of a frame: how many times it comes. */
    copies: (_: Uint8Array): number => 1,
    /** Whether a frame comes to who sent it, too. */
    echo: true,
    opened: 0,
    closed: 0,
  };
  const deliver = async (bytes: Uint8Array, except?: BusTransportEvents): Promise<void> => {
    const others = [...listeners].filter((events) => events !== except);
    await Promise.all(others.map((events) => events.frame(bytes)));
  };
  const bus = (options: BusOptions = {}) =>
    createBus(
      "wire",
      () => {
        state.opened++;
        let own: BusTransportEvents | undefined;
        return {
          async publish(frame, signal) {
            sent.push({ bytes: frame, at: platform.now() });
            if (state.fails === "hangs")
              await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
            if (state.fails) throw new Error("the wire is cut");
            for (let copy = state.copies(frame); copy > 0; copy--) await deliver(frame, state.echo ? undefined : own);
          },
          subscribe(events) {
            listeners.add((own = events));
            events.state(true);
          },
          async close() {
            state.closed++;
            if (own) listeners.delete(own);
          },
        };
      },
      options,
    );
  return {
    platform,
    bus,
    sent,
    state,
    deliver,
    tellState: (up: boolean) => [...listeners].forEach((events) => events.state(up)),
    /** What was sent, in words: keys and tags with their seqs. */
    words: () =>
      sent.map(({ bytes }) =>
        decodeFrame(bytes).messages.map((message) =>
          message.kind === "records"
            ? message.records.map(({ seq, key, tags }) => `${key ?? `#${tags?.join()}`}@${seq}`).join(" ")
            : `heartbeat ${message.positions.map(({ partition, seq }) => `${partition}@${seq}`).join(" ")}`,
        ),
      ),
  };
}

/** A port that remembers what it was told. */
export function recorder(platform: VirtualPlatform, hasLog = true) {
  const told: string[] = [];
  const errors: string[] = [];
  const timers = new Set<() => void>();
  const state = { applied: 0, epoch: "e", closed: false, used: [0] };
  const port: BusPort = {
    name: "shop",
    platform,
    hasLog,
    apply(_, __, epoch, record) {
      if (epoch !== state.epoch) return "foreign";
      told.push(`${record.key ?? `#${record.tags?.join()}`}@${record.seq}`);
      if (record.seq === state.applied + 1) state.applied++;
      return record.seq > state.applied ? "ahead" : "applied";
    },
    compare: (_, __, { epoch, seq }) => (epoch !== state.epoch ? "foreign" : seq > state.applied ? "ahead" : "applied"),
    positions: () => ({
      kind: "heartbeat",
      partitions: 2,
      positions: hasLog
        ? state.used.map((partition) => ({ partition, epoch: state.epoch, seq: state.applied, tip: "n" }))
        : [],
    }),
    async catchUp(partitions) {
      told.push(`catch up ${partitions?.join() ?? "all"}`);
    },
    forget: () => void told.push("forget"),
    background: (operation, work) => void work.catch((error: unknown) => errors.push(`${operation}: ${String(error)}`)),
    report: (operation, error) => void errors.push(`${operation}: ${String(error)}`),
    told: (now) => void told.push(now),
    after(ms, callback) {
      const cancel = (): void => {
        platform.clearTimeout(timer);
        timers.delete(stop);
      };
      const stop = (): void => {
        cancel();
        callback();
      };
      const timer = platform.setTimeout(stop, ms);
      timers.add(stop);
      if (state.closed) stop();
      return cancel;
    },
    clock: () => platform.now(),
    isClosed: () => state.closed,
  };
  const close = (): void => {
    state.closed = true;
    for (const stop of [...timers]) stop();
  };
  return { port, told, errors, state, close };
}

/** A message of records of epoch "e". */
export const message = (records: readonly Partial<LogRecord>[], epoch = "e", partition = 0): RecordsMessage => ({
  kind: "records",
  partition,
  partitions: 2,
  epoch,
  records: records.map((record, index) => ({
    seq: index + 1,
    nonce: `n${record.seq ?? index + 1}`,
    expire: false,
    agoMs: 0,
    ...record,
  })),
});
