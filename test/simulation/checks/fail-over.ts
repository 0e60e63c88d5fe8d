// P1 and P2 after a fail-over: what a replica lost is found out as soon as anybody who saw it speaks to the store.
import type { Position, Stamp } from "../../../src/store/contract.ts";
import type { History } from "../history.ts";
import type { Life } from "../life.ts";

/** A request as the store has executed it. */
export interface Spoken {
  readonly by: Life;
  readonly witness: Position | undefined;
  readonly reply: Stamp;
}

/** A record by which it is known: no other ever has all three. */
export const recordName = ({ epoch, seq, tip }: Position): string => `${epoch} ${seq} ${tip}`;

/**
 * Whoever names a record that was lost must hear of a new epoch, which voids everything; unless the log, which would
 * tell, has been trimmed since: then the caller is told nothing of what came after, and drops what it holds.
 */
export function checkFailOver(
  history: History,
  lost: ReadonlySet<string>,
  maxLogRecords: number,
  spoken: Spoken,
): void {
  const { by, witness, reply } = spoken;
  if (witness === undefined || witness.epoch !== reply.epoch || !lost.has(recordName(witness))) return;
  if (reply.seq - witness.seq >= maxLogRecords) return;
  history.violate(
    "no resurrection",
    `the store goes on in its epoch, although ${by.name} has seen record ${witness.seq} that it lost`,
  );
}
