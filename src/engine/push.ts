// What a bus may do to this instance: hasten what the log would tell. Messages invalidate, and never prove (DESIGN 5).
import type { BusPort } from "../bus/contract.ts";
import { after, applyRecord, background, report, type Engine, type RequestScope } from "./engine.ts";
import { sync } from "./sync.ts";
import { drop, type View } from "./view.ts";

/** A partition that nothing was read from for this long is asked about only when it is read from again. */
const IDLE_MS = 60_000;

/** The port of one bus, which works on behalf of the platform, and of no request. */
export function createPort(engine: Engine, scope: RequestScope, kind: string): BusPort {
  const { name, platform, events, store, clock } = engine;
  /** Only those who count the same number of partitions speak of the same. */
  const viewAt = (partition: number, partitions: number): View | undefined =>
    partitions === engine.views.length ? engine.views[partition] : undefined;
  const isInUse = ({ usedAt }: View): boolean => usedAt >= clock() - IDLE_MS;
  /** What was proved so lately that it would be served without asking is given up. */
  const doubt = (view: View): void => {
    const provedAt = Math.max(view.provedAt, view.usedAt);
    if (provedAt >= clock() - engine.maxStalenessMs) drop(view, undefined, -Infinity, ++engine.tick);
  };
  return {
    name,
    platform,
    hasLog: store !== undefined,
    clock,
    after: (ms, callback) => after(engine, ms, callback),
    isClosed: () => engine.closed,
    apply(partition, partitions, epoch, record) {
      const view = viewAt(partition, partitions);
      if (!view) return "applied";
      // Without a store each counts for itself: theirs is the next one here.
      if (!store) applyRecord(engine, view, { ...record, seq: view.applied + 1 }, ++engine.tick);
      else if (epoch !== view.epoch) return "foreign";
      else if (record.seq > view.applied) applyRecord(engine, view, record, ++engine.tick);
      return record.seq > view.applied && store ? "ahead" : "applied";
    },
    compare(partition, partitions, { epoch, seq }) {
      const view = viewAt(partition, partitions);
      if (!view || !store) return "applied";
      return epoch !== view.epoch ? "foreign" : seq > view.applied ? "ahead" : "applied";
    },
    positions: () => ({
      kind: "heartbeat",
      partitions: engine.views.length,
      positions: store
        ? engine.views
            .filter((view) => isInUse(view) && view.epoch !== undefined)
            .map((view) => ({ partition: view.index, epoch: view.epoch!, seq: view.newest, tip: view.newestTip }))
        : [],
    }),
    async catchUp(partitions) {
      const asked: Promise<void>[] = [];
      for (const view of engine.views) {
        if (partitions && !partitions.includes(view.index)) continue;
        // Of one whose first answer is still to come, too: what was missed before that was read is then known.
        if (isInUse(view)) asked.push(sync(engine, view, clock(), scope));
        else doubt(view);
      }
      await Promise.all(asked);
    },
    forget() {
      for (const view of engine.views)
        drop(view, { epoch: "local", seq: view.applied + 1, tip: "" }, Infinity, ++engine.tick);
      engine.flights.clear(); // what they bring may be what was invalidated
    },
    background: (operation, work) => background(engine, scope, operation, work),
    report: (operation, error) => report(engine, scope, operation, error),
    told: (state) => events.emit("bus", { kind, state }),
  };
}
