// What is to be published: in order, one frame at a time, what came meanwhile together; kept and sent again if that fails.
import { BusError } from "../errors.ts";
import type { LogRecord } from "../store/contract.ts";
import type { BusMessage, BusPort, RecordsMessage } from "./contract.ts";
import { MAX_FRAME_BYTES } from "./frame.ts";
import { splitMessage } from "./split.ts";
import { jittered } from "./jitter.ts";
import type { ResolvedBus } from "./options.ts";

/** Sends messages as one frame. The same number again: that frame may have arrived. */
export type Publish = (messages: readonly BusMessage[], number: number) => Promise<void>;

/** The messages of one instance. */
export interface Outbox {
  /** The number of the newest frame that was sent or is to be. */
  readonly number: number;
  /** Settles when what was added has been sent, or has failed and is to be sent again. Never rejects. */
  add(message: RecordsMessage): Promise<void>;
  /** Sends what is waiting, once, and forgets it. Never rejects. */
  close(): Promise<void>;
}

/** Roughly the most that goes into one frame, in characters of keys and tags, each of which takes at most three bytes. */
const MAX_CHARACTERS = 16_000;
const MAX_ITEMS = 200;
/** What a frame has besides its messages: source, number, time, signature. */
const MAX_HEAD_BYTES = 1_000;

/** What a message of one record invalidates, or one position tells of. */
function targetOf(message: BusMessage): string {
  if (message.kind === "heartbeat")
    return JSON.stringify(message.positions.map(({ partition, epoch }) => [partition, epoch]));
  const { partition, epoch, records } = message;
  return JSON.stringify([partition, epoch, records.map(({ expire, key, tags }) => [expire, key ?? tags])]);
}

function charactersOf(message: BusMessage): number {
  if (message.kind === "heartbeat") return 100;
  const sizeOf = ({ key = "", tags = [], nonce }: LogRecord): number => `${key}${tags.join()}${nonce}`.length;
  return message.records.reduce((sum, record) => sum + sizeOf(record), 100);
}

const isAlike = (a: RecordsMessage, b: RecordsMessage): boolean =>
  a.partition === b.partition && a.partitions === b.partitions && a.epoch === b.epoch;

/** The same with records of one partition and epoch that follow each other in one message. */
function joined(items: readonly BusMessage[]): BusMessage[] {
  const messages: BusMessage[] = [];
  for (const item of items) {
    const last = messages.at(-1);
    if (item.kind === "records" && last?.kind === "records" && isAlike(last, item))
      messages[messages.length - 1] = { ...last, records: [...last.records, ...item.records] };
    else messages.push(item);
  }
  return messages;
}

/** Beyond what it waits for, until whoever sends is taken to be dead. */
const GRACE_MS = 500;

export function createOutbox(port: BusPort, options: ResolvedBus, publish: Publish): Outbox {
  const { queueEnabled, queueMaxSize, retryIntervalMs, failureThreshold, cooldownMs, publishTimeoutMs } = options;
  const { platform } = port;
  /** By what they invalidate: the last one says it all. */
  const queue = new Map<string, BusMessage>();
  /** The frame that is being sent, or is to be sent again as it is. */
  let frame: readonly BusMessage[] | undefined;
  let number = 0;
  let failures = 0;
  let openUntil = -Infinity;
  /** Who sends, counted; and until when it is taken to be alive: on Workers it ends with its request. */
  let runs = 0;
  let running: Promise<void> | undefined;
  let aliveUntil = -Infinity;
  const waiters: (() => void)[] = [];

  const tellWaiters = (): void => {
    for (const waiter of waiters.splice(0)) waiter();
  };

  /** Others notice that a number is missing, and find in the log what it was. */
  const drop = (count: number, why: string): void => {
    number++;
    port.report("publish", new BusError(`${count} invalidations were not published: ${why}`));
  };

  const dropAll = (why: string): void => {
    const count = queue.size + (frame ? 1 : 0);
    queue.clear();
    frame = undefined;
    if (count > 0) drop(count, why);
  };

  const fitting = (message: RecordsMessage): readonly BusMessage[] => {
    try {
      return splitMessage(message, MAX_FRAME_BYTES - MAX_HEAD_BYTES);
    } catch {
      drop(1, "its names are too long for a frame");
      return [];
    }
  };

  const take = (): boolean => {
    const items: BusMessage[] = [];
    let characters = 0;
    for (const [target, item] of queue) {
      characters += charactersOf(item);
      if (items.length > 0 && (characters > MAX_CHARACTERS || items.length >= MAX_ITEMS)) break;
      items.push(item);
      queue.delete(target);
    }
    if (items.length === 0) return false;
    frame = joined(items);
    number++;
    return true;
  };

  const send = async (): Promise<boolean> => {
    try {
      await publish(frame!, number); // it was taken just now, or kept
    } catch (error) {
      if (++failures >= failureThreshold) openUntil = port.clock() + cooldownMs * (1 + platform.random() / 10);
      port.report("publish", error);
      return false;
    }
    failures = 0;
    frame = undefined;
    return true;
  };

  const isAlive = (): boolean => running !== undefined && port.clock() <= aliveUntil;
  const lasts = (ms: number): void => void (aliveUntil = port.clock() + ms + GRACE_MS);

  const run = async (mine: number): Promise<void> => {
    lasts(0);
    await Promise.resolve(); // what is asked for in one tick goes together
    let endAt = Infinity;
    while (mine === runs && (frame || take()) && port.clock() < endAt) {
      lasts(publishTimeoutMs);
      const isSent = await send();
      if (mine !== runs) return;
      if (isSent) continue;
      if (!queueEnabled) dropAll("the retry queue is not enabled");
      else if (port.isClosed()) break;
      tellWaiters();
      const pauseMs = Math.max(openUntil - port.clock(), 2 * jittered(platform, retryIntervalMs));
      lasts(pauseMs);
      // Cut short by `close`: then there is a last attempt.
      if (frame) await new Promise<void>((resolve) => void port.after(pauseMs, resolve));
      if (port.isClosed()) endAt = port.clock() + publishTimeoutMs;
    }
    if (mine !== runs) return;
    running = undefined;
    if (port.isClosed()) dropAll("the cache was closed");
    tellWaiters();
  };

  return {
    get number() {
      return number;
    },
    async add(message) {
      if (!queueEnabled && port.clock() < openUntil) return drop(message.records.length, "the breaker is open");
      const single = message.records.map((record) => ({ ...message, records: [record] }));
      const parts = single.flatMap(fitting);
      for (const item of parts) {
        const target = targetOf(item);
        queue.delete(target);
        queue.set(target, item);
      }
      const excess = [...queue.keys()].slice(0, Math.max(0, queue.size - queueMaxSize));
      for (const target of excess) queue.delete(target);
      if (excess.length > 0) drop(excess.length, "the retry queue is full");
      // Whoever sends may be a request that was cut off: never longer than one attempt may take.
      const settled = new Promise<void>((resolve) => {
        const cancel = port.after(publishTimeoutMs + GRACE_MS, resolve);
        waiters.push(() => {
          cancel();
          resolve();
        });
      });
      if (!isAlive()) {
        running = run(++runs);
        port.background("publish", running);
      }
      await settled;
    },
    async close() {
      if (!running) return;
      if (!isAlive()) running = run(++runs);
      // Whoever sends may be a request that was cut off: an attempt under way and a last one take no longer.
      let timer: unknown;
      const over = new Promise<void>((resolve) => {
        timer = platform.setTimeout(resolve, 2 * publishTimeoutMs + GRACE_MS);
      });
      await Promise.race([running, over]);
      platform.clearTimeout(timer);
      runs++;
    },
  };
}
