// One channel of a hub: its last events, and streams that read them at their own pace. A stream has a place in the history
// and no backlog of its own: who falls off its end is cut off, and so is who takes nothing for two keep-alives.
import { BusError } from "../../errors.ts";

/** One channel. */
export interface Channel {
  /** The number of the newest event, whether kept or not. */
  readonly newest: number;
  /** How many streams there are. */
  readonly streams: number;
  /** Keeps an event, and gives it to those who are waiting for it. */
  add(event: Uint8Array): void;
  /** Whether everything after the event of this number is kept. */
  reaches(number: number): boolean;
  /** A stream of `first` and every event after that number. Calls back once when it is over, however it ends. */
  open(first: Uint8Array, number: number, ended: () => void): ReadableStream<Uint8Array>;
  /** Sends a comment to those who have everything, and ends streams that nobody reads. */
  keepAlive(): void;
  /** Ends all streams. */
  close(): void;
}

/** One stream, to whom it is fed. */
interface Reader {
  wake(): void;
  keepAlive(): void;
  close(): void;
}

const COMMENT = new TextEncoder().encode(":\n\n");

/** `newest`: the number after which it counts, which no event of a former channel of this name may exceed. */
export function createChannel(maxEvents: number, maxBytes: number, newest: number): Channel {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  /** The newest number that is not kept. */
  let floor = newest;
  const readers = new Set<Reader>();
  const last = (): number => floor + kept.length;

  const open: Channel["open"] = (first, number, ended) => {
    let at = number;
    let isStalled = false;
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const leave = (): boolean => {
      const isFirst = readers.delete(reader);
      if (isFirst) ended();
      return isFirst;
    };
    const cutOff = (): void => {
      if (leave()) controller.error(new BusError("sseHub: a subscriber was too slow"));
    };
    const isWanted = (): boolean => (controller.desiredSize ?? 0) > 0;
    const feed = (): void => {
      if (at < floor) return cutOff();
      while (isWanted() && at < last()) controller.enqueue(kept[at++ - floor]!); // it is between the two
    };
    const reader: Reader = {
      wake: feed,
      keepAlive() {
        if (isWanted()) controller.enqueue(COMMENT);
        else if (isStalled) cutOff();
        else isStalled = true;
      },
      close() {
        if (leave()) controller.close();
      },
    };
    readers.add(reader);
    return new ReadableStream<Uint8Array>({
      start(given) {
        controller = given;
        controller.enqueue(first);
      },
      pull() {
        isStalled = false;
        if (readers.has(reader)) feed();
      },
      cancel: () => void leave(),
    });
  };

  return {
    get newest() {
      return last();
    },
    get streams() {
      return readers.size;
    },
    add(event) {
      kept.push(event);
      bytes += event.length;
      while (kept.length > maxEvents || bytes > maxBytes) {
        bytes -= kept.shift()?.length ?? 0;
        floor++;
      }
      for (const reader of [...readers]) reader.wake();
    },
    reaches: (number) => number >= floor && number <= last(),
    open,
    keepAlive() {
      for (const reader of [...readers]) reader.keepAlive();
    },
    close() {
      for (const reader of [...readers]) reader.close();
    },
  };
}
