// Messages that are too long for a frame, made to fit: what they invalidate is always covered by what becomes of them.
import { BusError } from "../errors.ts";
import { RESERVED_TAG } from "../store/contract.ts";
import type { BusMessage, RecordsMessage } from "./contract.ts";
import { messageBytes } from "./frame.ts";

/** The two halves of a list, in its order. */
function halves<T>(list: readonly T[]): readonly (readonly T[])[] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}

/** What says as much as a message with one record, or more, in less. Nothing if there is no such thing. */
function instead(message: RecordsMessage): readonly BusMessage[] {
  const { partition, partitions, epoch, records } = message;
  const { seq, nonce, expire, agoMs, tags = [] } = records[0]!; // there is at least one
  // A part of a record would move the positions of those who take it past the rest. Told of its position, they ask the log.
  if (epoch !== "") return [{ kind: "heartbeat", partitions, positions: [{ partition, epoch, seq, tip: nonce }] }];
  const covering = (tags: readonly string[]): RecordsMessage => ({
    ...message,
    records: [{ seq, nonce, expire, agoMs, tags }],
  });
  if (tags.length > 1) return halves(tags).map(covering);
  // A name that fits nowhere: the tag of the cache itself covers all names.
  return tags[0] === RESERVED_TAG ? [] : [covering([RESERVED_TAG])];
}

function smaller(message: BusMessage): readonly BusMessage[] {
  if (message.kind === "records") {
    const { records } = message;
    return records.length > 1 ? halves(records).map((records) => ({ ...message, records })) : instead(message);
  }
  const { positions } = message;
  return positions.length > 1 ? halves(positions).map((positions) => ({ ...message, positions })) : [];
}

/**
 * The message if it takes at most so many bytes of a frame, or several in its place that do, in its order: with some of its
 * records or positions each. A record that is too long alone becomes several with some of its tags each, or, where it has a
 * position in a log, a heartbeat with that position; a name that is too long alone, without a log, becomes the whole cache.
 * Throws a BusError if not even that fits.
 */
export function splitMessage(message: BusMessage, maxBytes: number): readonly BusMessage[] {
  const bytes = messageBytes(message);
  if (bytes <= maxBytes) return [message];
  const parts = smaller(message);
  if (parts.length === 0) throw new BusError(`bus frame: a message of ${bytes} bytes does not fit into ${maxBytes}`);
  return parts.flatMap((part) => splitMessage(part, maxBytes));
}
