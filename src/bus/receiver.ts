// What becomes of messages: records are applied at once, what is missing is asked for, and what is of an epoch that this
// instance does not know waits until the store has told of it.
import type { BusMessage, BusPort, RecordsMessage } from "./contract.ts";
import { jittered } from "./jitter.ts";

/** Takes in what others tell. */
export interface Receiver {
  take(message: BusMessage): void;
  /** Something was lost on the way, nobody knows what. */
  missed(): void;
  /** See `BusConnection`. */
  confirmed(partition: number): void;
}

/** Records of epochs not known here that are kept; the oldest go first, and the log has them. */
const MAX_HEARD = 1_000;
/** Before the log is asked: what is missing may only be late, and not all instances are to ask at once. */
const CATCH_UP_MS = 50;

/** About one epoch that the store does not confirm, it is asked this often: others may use another store. */
const FOREIGN_MS = 5_000;
const MAX_FOREIGN = 100;

type Heard = RecordsMessage & { readonly record: RecordsMessage["records"][number] };

export function createReceiver(port: BusPort): Receiver {
  let heard: Heard[] = [];
  /** Partitions to be asked about. Undefined: nobody is about to. */
  let behind: Set<number> | undefined;
  const askedAt = new Map<string, number>();

  const catchUp = (partitions: readonly number[]): void => {
    if (behind) {
      for (const partition of partitions) behind.add(partition);
      return;
    }
    behind = new Set(partitions);
    const ask = async (): Promise<void> => {
      await new Promise<void>((resolve) => void port.after(jittered(port.platform, CATCH_UP_MS), resolve));
      const asked = [...(behind ?? [])];
      behind = undefined;
      if (!port.isClosed()) await port.catchUp(asked);
    };
    port.background("catch-up", ask());
  };

  const apply = (message: RecordsMessage, record: RecordsMessage["records"][number]): void => {
    const { partition, partitions, epoch } = message;
    const outcome = port.apply(partition, partitions, epoch, record);
    if (outcome === "applied") return;
    if (outcome === "foreign") {
      heard.push({ ...message, record });
      if (heard.length > MAX_HEARD) heard.shift();
    }
    if (outcome === "ahead" || isWorthAsking(epoch)) catchUp([partition]);
  };

  const isWorthAsking = (epoch: string): boolean => {
    const now = port.clock();
    if (now - (askedAt.get(epoch) ?? -Infinity) < FOREIGN_MS) return false;
    askedAt.delete(epoch);
    askedAt.set(epoch, now);
    if (askedAt.size > MAX_FOREIGN) askedAt.delete(askedAt.keys().next().value!); // it has that many
    return true;
  };

  return {
    take(message) {
      if (message.kind === "records") {
        for (const record of message.records) apply(message, record);
        return;
      }
      const { partitions, positions } = message;
      const behind = positions.filter((position) => {
        const outcome = port.compare(position.partition, partitions, position);
        return outcome === "ahead" || (outcome === "foreign" && isWorthAsking(position.epoch));
      });
      if (behind.length > 0) catchUp(behind.map(({ partition }) => partition));
    },
    missed() {
      if (port.hasLog) port.background("catch-up", port.catchUp());
      else port.forget();
    },
    confirmed(partition) {
      const all = heard;
      heard = [];
      for (const { record, ...message } of all) {
        if (message.partition === partition) apply(message, record);
        else heard.push({ ...message, record });
      }
    },
  };
}
