// The store as its own bus: its script publishes each invalidation, and instances hear of it where they hear of loads that end.
import { createReceiver } from "../../bus/receiver.ts";
import type { Bus, BusMessage, BusPort } from "../../bus/contract.ts";
import { recordOf } from "./replies.ts";
import { fromText } from "./text.ts";
import type { Subscription, SubscriptionEvents } from "./transport.ts";

/**
 * What the script says of an invalidation: "!", the epoch and the record; or, of one that is long, "?" and the position.
 * Nothing, if it speaks of something else. Throws a StoreError if it cannot be read.
 */
function messageOf(text: string, partition: number, partitions: number): BusMessage | undefined {
  const [first = "", ...rest] = text.split("\t");
  const epoch = first.slice(1);
  const about = { partition, partitions, epoch };
  // The server's time is not told with it: what expires does so when it is heard of, which is hardly later.
  if (first.startsWith("!")) return { kind: "records", ...about, records: [recordOf(rest.join("\n"), 0)] };
  const [seq, tip = ""] = rest;
  if (!first.startsWith("?")) return undefined;
  return { kind: "heartbeat", partitions, positions: [{ partition, epoch, seq: Number(seq), tip: fromText(tip) }] };
}

/** `over`: the way to the database, by which another bus on the same one is told; `count`: how many partitions there are. */
export function ownBus(
  over: object,
  count: () => number,
  listen: (partition: number, events: SubscriptionEvents) => Subscription,
): Bus {
  return { kind: "redis", over, connect: (port) => connect(port, count, listen) };
}

function connect(port: BusPort, count: () => number, listen: Parameters<typeof ownBus>[2]): ReturnType<Bus["connect"]> {
  const receiver = createReceiver(port);
  const subscriptions = new Map<number, Subscription>();
  const down = new Set<number>();
  let isOpen = false;

  const begin = (partition: number): void => {
    if (!isOpen || subscriptions.has(partition)) return;
    let isUp = false;
    const state = (up: boolean): void => {
      if (up === isUp || port.isClosed()) return;
      isUp = up;
      const before = down.size;
      if (up) down.delete(partition);
      else down.add(partition);
      if (up && down.size === 0) port.told("up");
      if (!up && before === 0) port.told("down");
      if (up) port.background("catch-up", port.catchUp([partition])); // whatever was said before
    };
    down.add(partition);
    const message = (text: string): void => {
      if (port.isClosed()) return;
      try {
        const said = messageOf(text, partition, count());
        if (said) receiver.take(said);
      } catch (error) {
        port.report("bus", error);
        port.background("catch-up", port.catchUp([partition]));
      }
    };
    subscriptions.set(partition, listen(partition, { message, state }));
  };

  return {
    open() {
      isOpen ||= !port.isClosed() && (port.platform.connectionsOutliveRequests ?? true);
    },
    tell: async () => undefined, // the script has done it
    confirmed(partition) {
      begin(partition); // where there is something in memory
      receiver.confirmed(partition);
    },
    async close() {
      await Promise.all([...subscriptions.values()].map((subscription) => subscription.close()));
    },
  };
}
