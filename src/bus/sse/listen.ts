// A client's stream: opened again whenever it ends, from the last event that came, until it is closed.
import { BusError } from "../../errors.ts";
import { eventReader, type StreamEvent } from "../../event-stream.ts";
import { pause } from "../../pause.ts";
import type { BusTransportEvents, BusTransportOptions } from "../contract.ts";
import { jittered } from "../jitter.ts";
import { fromBase64, MAX_EVENT_LENGTH, RESET, RESUMED } from "./protocol.ts";
import { until } from "./until.ts";

/** What a client's stream needs. */
export interface ListenOptions extends Pick<BusTransportOptions, "platform" | "report"> {
  /** Begins a stream after the event of that id; rejects if the answer is no stream. */
  open(lastEventId: string, signal: AbortSignal): Promise<Response>;
  readonly idleTimeoutMs: number | undefined;
}

/** Between attempts: from, to. The first one again after a stream that was up for as long as the last. */
const AGAIN_MS = [100, 10_000] as const;
const MIN_IDLE_MS = 45_000;
const MAX_IDLE_MS = 2 * 3_600_000;
/** A stream that ends and is resumed within this time was not down: what was sent meanwhile comes, a little late. */
const GRACE_MS = 1_000;

/** Returns what stops it, and resolves when it has. */
export function listen(
  { platform, report, open, idleTimeoutMs }: ListenOptions,
  { frame, state }: BusTransportEvents,
): () => Promise<void> {
  const closing = new AbortController();
  let lastEventId = "";
  let idleMs = idleTimeoutMs ?? MIN_IDLE_MS;
  let againMs: number = AGAIN_MS[0];
  /** When the stream that there is began with the hub's first event. Undefined: there is none. */
  let upAt: number | undefined;
  let grace: unknown;
  let reported = "";

  const endGrace = (): void => {
    platform.clearTimeout(grace);
    grace = undefined;
  };

  const down = (): void => {
    endGrace();
    state(false);
  };

  const hear = ({ id, type, data }: StreamEvent): void => {
    if (id === "") throw new RangeError("an event has no id");
    if (type === RESET || type === RESUMED) {
      idleMs = idleTimeoutMs ?? Math.max(MIN_IDLE_MS, Math.min(2 * (Number(data) || 0), MAX_IDLE_MS));
      if (type === RESET) down(); // something is missing
      endGrace();
      reported = "";
      upAt = platform.monotonic();
      state(true);
    } else if (type === "message") void frame(fromBase64(data)); // it never rejects
    lastEventId = id;
  };

  /** One stream, to its end. Rejects if it was none, or broken. */
  const read = async (ending: AbortController): Promise<void> => {
    const { signal } = ending;
    const stop = (): void => ending.abort(new BusError(`sseBus: nothing came for ${idleMs} ms`));
    let timer = platform.setTimeout(stop, idleMs);
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const opening = open(lastEventId, signal);
      // One that comes although nobody waits any more.
      void opening.then(
        ({ body }) => signal.aborted && void body?.cancel().catch(() => undefined),
        () => undefined,
      );
      reader = (await until(signal, opening)).body?.getReader();
      const take = eventReader(MAX_EVENT_LENGTH, hear);
      for (let part; reader && !(part = await until(signal, reader.read())).done;) {
        try {
          take(part.value);
        } catch (cause) {
          lastEventId = ""; // it would come again
          throw new BusError("sseBus: what the hub sent cannot be read", { cause });
        }
        platform.clearTimeout(timer);
        timer = platform.setTimeout(stop, idleMs);
      }
      if (upAt === undefined) throw new BusError("sseBus: subscribe: the stream ended before its first event");
    } finally {
      platform.clearTimeout(timer);
      void reader?.cancel().catch(() => undefined); // nobody reads on, whatever it says
    }
  };

  const run = async (): Promise<void> => {
    for (const { signal } = closing; ; againMs = Math.min(againMs * 2, AGAIN_MS[1])) {
      const ending = new AbortController();
      const close = (): void => ending.abort(new BusError("sseBus: closed"));
      signal.addEventListener("abort", close);
      const failure = await read(ending).catch((error: unknown) => error);
      signal.removeEventListener("abort", close);
      if (signal.aborted) break;
      if (upAt !== undefined && platform.monotonic() - upAt >= AGAIN_MS[1]) againMs = AGAIN_MS[0];
      const justEnded = upAt !== undefined && !ending.signal.aborted && lastEventId !== "";
      upAt = undefined;
      if (justEnded) grace ??= platform.setTimeout(down, GRACE_MS);
      else {
        down();
        if (String(failure) !== reported) report(failure); // of those that fail alike one is enough
        reported = String(failure);
      }
      await pause(platform, jittered(platform, againMs), signal);
      if (signal.aborted) break;
    }
    endGrace();
  };
  const ended = run();
  return () => {
    closing.abort();
    return ended;
  };
}
