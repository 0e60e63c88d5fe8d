// How long one caller waits: until its time is over, or it leaves. What it waited for goes on without it.
import { TimeoutError } from "../errors.ts";
import { isServableOnError } from "./copy.ts";
import { after, background, closedError, type Engine } from "./engine.ts";
import type { Hit } from "./flight.ts";
import { useOf } from "./join.ts";
import type { Reader } from "./reader.ts";

/** What a caller is given. */
type Answer = Pick<Hit, "copy" | "state" | "tier"> | undefined;

/** Who is past its soft time-out, and knows of nothing stale, looks again this often: it may yet come to another flight. */
const LOOK_MS = 100;
/** No timer holds more; nobody waits that long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is there to be served although it is stale, by what the flight of the key knows now. */
function staleFor(engine: Engine, reader: Reader): Answer {
  const flight = engine.flights.get(reader.key);
  if (!flight?.stale?.copy) return undefined;
  const { stale } = flight;
  const { copy, tier } = flight.stale as Hit; // it has a copy
  if (!isServableOnError(copy, engine.clock())) return undefined;
  // Without a proof for this reader only if the store was asked for one, and is out of reach. Whoever leads may have found
  // it so long ago: that says nothing of what was invalidated since.
  const use = useOf(engine, reader, stale, !(flight.isOutage && reader.isUnproved));
  return use === "as it is" || use === "as stale" ? { copy, state: "stale", tier } : undefined;
}

/**
 * Waits for the work of a reader as long as its options say, with timers of its own (P6). At the soft time-out something
 * stale is the answer, as soon as there is any; at the hard one something stale or a TimeoutError. Neither of them makes
 * a load pointless; if its signal fires, the caller leaves, and the last one to do so ends the load.
 */
export function patiently(engine: Engine, reader: Reader, work: Promise<Answer>): Promise<Answer> {
  const { request, name, loader } = reader;
  const { softTimeoutMs, hardTimeoutMs, signal } = reader.options;
  const isTimed = loader && Math.min(softTimeoutMs, hardTimeoutMs) <= MAX_TIMER_MS;
  if (!isTimed && !signal) return work;
  return new Promise((resolve, reject) => {
    const timers: (() => void)[] = [];
    const abort = (): void => {
      done();
      reader.hasLeft = true;
      reader.leave?.();
      reject(signal!.reason as Error); // it has one: it fired, and its reason is the caller's
      // Until what it had begun has taken back its timers (P6).
      request.waitUntil(work.catch(() => undefined));
    };
    const done = (): void => {
      timers.forEach((cancel) => cancel());
      signal?.removeEventListener("abort", abort);
    };
    /** Answers before the work has ended; what becomes of that is reported. */
    const leave = (answer: () => void): void => {
      done();
      answer();
      background(engine, request, "load", work);
    };
    const arm = (ms: number, callback: () => void): void => {
      if (ms <= MAX_TIMER_MS) timers.push(after(engine, ms, callback));
    };
    const soft = (): void => {
      if (engine.closed) return;
      const stale = staleFor(engine, reader);
      if (stale) leave(() => resolve(stale));
      else arm(LOOK_MS, soft);
    };
    work.finally(done).then(resolve, reject);
    signal?.addEventListener("abort", abort);
    if (!isTimed) return;
    arm(softTimeoutMs, soft);
    arm(hardTimeoutMs, () => {
      if (engine.closed) return leave(() => reject(closedError()));
      const stale = staleFor(engine, reader);
      const late = (): void => reject(new TimeoutError(`${JSON.stringify(name)}: no value within ${hardTimeoutMs} ms`));
      leave(stale ? () => resolve(stale) : late);
    });
  });
}
