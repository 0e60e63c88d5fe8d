// One call for many keys: each is read, loaded or written as if it were alone, but what they need is fetched together.
import { StoreError } from "../errors.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_ITEMS, type BatchItem, type BatchItemReply } from "../store/contract.ts";
import { deadlineOf, send, takeIn } from "./call.ts";
import type { LoadAll, Missing } from "./context.ts";
import { every, pause, within, type Answered, type Engine, type Many, type RequestScope } from "./engine.ts";
import type { Flight } from "./flight.ts";
import { inTurn } from "./slots.ts";
import type { View } from "./view.ts";

/** An operation that waits for its round trip. */
interface Asked {
  readonly item: BatchItem;
  resolve(answered: Answered<BatchItemReply>): void;
  reject(error: unknown): void;
}

/** After so many turns of the microtask queue without a new question nobody is about to ask one. */
const QUIET_TURNS = 24;
/** Batches under way at once to one partition: a Worker's request has six connections. */
const LANES = 4;

/** The bytes of the value that an operation carries. */
const bytesOf = ({ request }: BatchItem): number => {
  const { entry } =
    "write" in request ? (request.write as { readonly entry?: object }) : (request as { entry?: object });
  return (entry as { readonly bytes?: Uint8Array } | undefined)?.bytes?.length ?? 0;
};

/** Its deadline counts from when it is sent: what waits for a trip before its own is not late by that. */
const timed = (engine: Engine, view: View, item: BatchItem): BatchItem =>
  item.operation === "commit" || item.operation === "write"
    ? ({ ...item, request: { ...item.request, ...deadlineOf(engine, view) } } as BatchItem) // as it was, but for that
    : item;

/** The parts that go in one trip each. */
function split(all: readonly Asked[]): Asked[][] {
  const parts: Asked[][] = [];
  let part: Asked[] = [];
  let bytes = 0;
  for (const asked of all) {
    if (part.length % MAX_BATCH_ITEMS === 0 || bytes >= MAX_BATCH_BYTES) {
      parts.push((part = []));
      bytes = 0;
    }
    part.push(asked);
    bytes += bytesOf(asked.item);
  }
  return parts;
}

/** Fires, with its reason, when the last of these has fired. */
function lastOf(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  let left = signals.length;
  for (const signal of signals) {
    const fired = (): void => void (--left || controller.abort(signal.reason));
    if (signal.aborted) fired();
    else signal.addEventListener("abort", fired);
  }
  return controller.signal;
}

/**
 * What the keys of one call share. `keys` are those that may have to be loaded, by `loadAll`, which settles each of the
 * missing ones: once for all of them, when every key is either missing or found, or waits for somebody else.
 */
export function createMany(engine: Engine, scope: RequestScope, keys: Iterable<string> = [], loadAll?: LoadAll): Many {
  const queues = new Map<View, Asked[]>();
  const encodings = new Set<Promise<unknown>>();
  const tickers = new Map<number, { readonly steps: Set<() => void>; readonly stop: () => void }>();
  const undecided = new Set(keys);
  let missing: (Missing & { readonly flight: Flight })[] = [];
  let isLoading = false;
  let pausing: Promise<void> | undefined;
  let asked = 0;

  /** Until nobody is about to ask for more. */
  const quiet = async (): Promise<void> => {
    for (let turns = 0, before = asked; turns < QUIET_TURNS; turns++) {
      await Promise.resolve();
      if (encodings.size > 0) await within(engine, Promise.allSettled(encodings), engine.storeTimeoutMs);
      if (asked > before) turns = 0;
      before = asked;
    }
  };

  const sendPart = async (view: View, part: readonly Asked[]): Promise<void> => {
    let left = part;
    try {
      while (left.length > 0) {
        const items = left.map(({ item }) => timed(engine, view, item));
        const { reply, sentAt, tick } = await send(engine, scope, view, "batch", { items });
        const { replies } = reply;
        if (replies.length === 0) throw new StoreError("batch: the store answered none of it");
        for (const [index, { item, resolve, reject }] of left.slice(0, replies.length).entries()) {
          const answer = replies[index]!; // of as many
          if ("error" in answer) reject(new StoreError(`${item.operation}: ${answer.error}`));
          else resolve({ reply: answer, sentAt, tick, ordered: takeIn(engine, view, answer, sentAt, tick) });
        }
        left = left.slice(replies.length);
      }
    } catch (error) {
      for (const { reject } of left) reject(error);
    }
  };

  const flush = async (view: View): Promise<void> => {
    await quiet();
    const parts = split(queues.get(view) ?? []).values();
    queues.delete(view);
    const lane = async (): Promise<void> => {
      for (const part of parts) await sendPart(view, part);
    };
    for (let lanes = 0; lanes < LANES; lanes++) void lane(); // which never rejects
  };

  /** Loads what is missing, once every other key has been decided. */
  const loadMissing = async (): Promise<void> => {
    if (isLoading || missing.length === 0 || undecided.size > 0) return;
    isLoading = true;
    await quiet();
    isLoading = false;
    const all = missing;
    missing = [];
    const [first] = all;
    const signal = lastOf(all.map(({ context }) => context.signal));
    try {
      if (first) await inTurn(engine, first.flight, signal, () => loadAll?.(all, signal));
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };

  const many: Many = {
    ask: (view, item) =>
      new Promise((resolve, reject) => {
        asked++;
        const queue = queues.get(view);
        if (queue) queue.push({ item, resolve, reject });
        else {
          queues.set(view, [{ item, resolve, reject }]);
          void flush(view); // which never rejects
        }
      }),
    waitFor(promise) {
      encodings.add(promise);
      const over = (): void => void encodings.delete(promise);
      promise.then(over, over);
    },
    pause: (ms) => (pausing ??= pause(engine, ms).finally(() => (pausing = undefined))),
    every(ms, step) {
      let ticker = tickers.get(ms);
      if (!ticker) {
        const steps = new Set<() => void>();
        const stop = every(engine, {}, ms, () => {
          for (const each of steps) each();
        });
        tickers.set(ms, (ticker = { steps, stop }));
      }
      const { steps, stop } = ticker;
      steps.add(step);
      return () => {
        steps.delete(step);
        if (steps.size > 0) return;
        stop();
        tickers.delete(ms);
      };
    },
    decided(key) {
      undecided.delete(key);
      void loadMissing(); // which never rejects
    },
    load: (key, flight, context) =>
      new Promise((resolve, reject) => {
        asked++;
        missing.push({ flight, context, resolve, reject });
        many.decided(key);
      }),
  };
  return many;
}
