// The store as its own bus: its script publishes each invalidation, and instances hear of it where they hear of loads that end.
import { createReceiver } from "../../bus/receiver.ts";
import type { Bus, BusPort, RecordsMessage } from "../../bus/contract.ts";
import { recordOf } from "./replies.ts";
import type { Subscription, SubscriptionEvents } from "./transport.ts";

/** What a message of the script that tells of an invalidation begins with; then come the epoch and the record. */
const RECORD = "!";

function messageOf(text: string, partition: number, partitions: number): RecordsMessage {
  const end = text.indexOf("\n");
  // The server's time is not told with it: what expires does so when it is heard of, which is hardly later.
  const record = recordOf(text.slice(end + 1), 0);
  return { kind: "records", partition, partitions, epoch: text.slice(RECORD.length, end), records: [record] };
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
      if (!text.startsWith(RECORD) || port.isClosed()) return;
      try {
        receiver.take(messageOf(text, partition, count()));
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
