// Frames as they come: verified, read, and dropped if they are one's own, repeats, or not what they should be.
import { BusError } from "../errors.ts";
import type { BusMessage, BusPort } from "./contract.ts";
import { createDedupe } from "./dedupe.ts";
import { decodeFrame } from "./frame.ts";
import type { ResolvedBus } from "./options.ts";
import { isFresh, type Signer } from "./sign.ts";

/** What becomes of them. */
export interface IntakeEvents {
  /** Somebody spoke, maybe this instance itself. */
  heard(): void;
  message(message: BusMessage): void;
  /** A frame did not come, or could not be read. */
  missed(): void;
}

/** Beyond so many frames that wait for their turn, more are dropped. */
const MAX_WAITING = 1_000;

/** Takes in one frame; settles when it has its effect, and never rejects. */
export function createIntake(
  port: BusPort,
  options: ResolvedBus,
  signer: Signer | undefined,
  ownSource: () => string,
  events: IntakeEvents,
): (bytes: Uint8Array) => Promise<void> {
  const { concurrency, sign } = options;
  const dedupe = createDedupe(options, port.clock);
  const waiting: (() => void)[] = [];
  let running = 0;

  const take = (bytes: Uint8Array): void => {
    const { source, number, sentAt, messages, unknown } = decodeFrame(bytes);
    const now = port.platform.now();
    if (sign && !isFresh(sentAt, now, sign.maxAgeMs))
      throw new BusError(`a frame of ${Math.round(now - sentAt)} ms ago: sign.maxAge is less`);
    events.heard();
    if (source === ownSource()) return;
    const isLast = messages.every(({ kind }) => kind === "heartbeat");
    if (!isLast && !dedupe.isNew(source, number)) return;
    for (const message of messages) events.message(message);
    if (dedupe.misses(source, number, isLast)) events.missed();
    if (unknown > 0) throw new BusError(`${unknown} messages of a kind that is not known here`);
  };

  return async (bytes) => {
    try {
      if (!signer) return take(bytes);
      if (running >= concurrency) {
        if (waiting.length >= MAX_WAITING) throw new BusError(`more than ${MAX_WAITING} frames are waiting`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      running++;
      try {
        take(await signer.verify(bytes));
      } finally {
        running--;
        waiting.shift()?.();
      }
    } catch (error) {
      port.report("bus", error);
      events.missed();
    }
  };
}
