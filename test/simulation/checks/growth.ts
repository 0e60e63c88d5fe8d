// Nothing grows without bound: not what an instance remembers, nor what the store keeps, nor the timers left behind.
import type { History } from "../history.ts";
import type { World } from "../world.ts";

/** What an engine may remember of each partition, as it says itself. */
const MAX_KNOWN_KEYS = 1_000;
const MAX_KNOWN_TAGS = 10_000;
const MAX_IN_DOUBT = 1_000;
/** A load that hangs has so many timers: its signs of life, its lease, and those who wait for it or ask for it. */
const TIMERS_EACH = 4;

/** A bus waits for its turn, and in it for an answer; and for what it publishes, and before it asks what it missed. */
const BUS_TIMERS = 6;

/** Looks at what is left when everything is over but the loads that hang: it must not depend on how much there was. */
export function checkInstances({ running, calls, engineOf, history, hub }: World): void {
  for (const { life } of running) {
    const { flights, stops, views, slots } = engineOf(life.platform);
    const cancelled = calls.filter((call) => call.life === life && call.request.cancelled);
    const names = new Set([...life.hung, ...cancelled.map(({ op }) => [...op.path, op.key].join("/"))]);
    const limit = atMost(history, life.name);
    limit("flights", flights.size, names.size);
    limit("running loads", slots.running.size, life.loading.size + cancelled.length);
    limit("loads in line", slots.queue.size, cancelled.length);
    // A write waits for each partition.
    const listening = hub ? BUS_TIMERS + 2 * views.length : 0;
    limit("waits", stops.size, TIMERS_EACH * (life.hung.length + cancelled.length * views.length) + listening);
    limit("timers", life.timers(), TIMERS_EACH * life.hung.length + listening);
    for (const { keys, tags, pending } of views) {
      limit("invalidated keys", keys.size, MAX_KNOWN_KEYS);
      limit("invalidated tags", tags.size, MAX_KNOWN_TAGS);
      // Where requests end, nobody may be left who retries.
      limit("writes in doubt", pending.size, life.cancelled ? MAX_IN_DOUBT : 0);
    }
  }
}

/** The same of the store, when it has pruned. */
export function checkStore({ plan, server, history, calls }: World): void {
  const { maxEntries, maxTags, maxLogRecords } = plan.limits;
  const keys = new Set(calls.map(({ op }) => [...op.path, op.key].join("/")));
  for (const [partition, { entries, leases, tags, logRecords }] of server.holdings().entries()) {
    const limit = atMost(history, `partition ${partition}`);
    limit("entries", entries, maxEntries);
    limit("leases", leases, keys.size);
    // They are pruned now and then, not at each write; a tag may have two marks.
    limit("tags", tags, maxTags + Math.ceil(maxTags / 100) * 2);
    limit("log records", logRecords, maxLogRecords);
  }
}

/** Nothing waits in an instance that was closed. */
export function checkClosed({ lives, history }: World): void {
  for (const life of lives) {
    if (!life.dead) atMost(history, `${life.name}, closed,`)("timers", life.timers(), 0);
  }
}

const atMost =
  ({ violate }: History, who: string) =>
  (what: string, count: number, limit: number): void => {
    if (count > limit) violate("growth", `${who} has ${count} ${what}, at most ${limit} are in use`);
  };
