// A platform whose clock, randomness and timers a test owns: time passes only when the test says so.
import type { Platform } from "../platform.ts";

/** Options of `virtualPlatform`. */
export interface VirtualPlatformOptions {
  /** The wall clock at the start, milliseconds since the Unix epoch. Default 1,700,000,000,000. */
  readonly startAt?: number;
  /** Seed of `random()`. The same seed gives the same numbers. Default 1. */
  readonly seed?: number;
  /**
   * Lets everything that is already due to happen happen, without time passing. The default waits for one turn of
   * the real event loop, which runs all microtasks.
   */
  readonly settle?: () => Promise<void>;
}

/** A `Platform` under a test's control. */
export interface VirtualPlatform extends Platform {
  /** Lets `durationMs` pass: fires due timers in order of their instants, settling promises in between. */
  advance(durationMs: number): Promise<void>;
  /** Lets time pass until the promise settles, and gives its outcome. Throws after `limitMs` (default one hour) of virtual time. */
  run<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** Moves the wall clock alone, forwards or backwards, as a wrong or corrected clock does. */
  jump(durationMs: number): void;
  /** Stops the monotonic clock alone for what passes until `thaw`, as a suspended process does. */
  freeze(): void;
  /** Lets the monotonic clock go on, without what passed meanwhile. */
  thaw(): void;
  /** How many timers are pending: zero when everything was released. */
  readonly timers: number;
  /** Every promise handed to `waitUntil` and not settled yet. */
  readonly background: ReadonlySet<Promise<unknown>>;
  /** Waits, letting time pass, until no background work is left. */
  drain(limitMs?: number): Promise<void>;
}

interface PendingTimer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** One turn of the real event loop: every microtask queued so far, and those they queue, have run after it. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(undefined);
  });
}

/** sfc32, seeded from one number: small, fast, and good enough for test schedules. */
export function seededRandom(seed: number): () => number {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Makes a platform whose time stands still until `advance`, `run` or `drain` lets it pass. */
export function virtualPlatform(options: VirtualPlatformOptions = {}): VirtualPlatform {
  const settle = options.settle ?? macrotask;
  const random = seededRandom(options.seed ?? 1);
  let elapsedMs = 0;
  let wallOffsetMs = options.startAt ?? 1_700_000_000_000;
  let frozenMs = 0;
  let frozen = false;
  const pending = new Set<PendingTimer>();
  const background = new Set<Promise<unknown>>();

  const pass = (untilMs: number): void => {
    if (frozen) frozenMs += untilMs - elapsedMs;
    elapsedMs = untilMs;
  };

  /** The earliest timer; of two due at one instant, the one that was set first. */
  const earliest = (): PendingTimer | undefined => {
    let found: PendingTimer | undefined;
    for (const timer of pending) {
      if (found === undefined || timer.dueAt < found.dueAt) found = timer;
    }
    return found;
  };

  /** Passes to the next timer due by `limitAt`, fires it and lets everything settle; false if there is none. */
  const step = async (limitAt: number): Promise<boolean> => {
    const timer = earliest();
    if (timer === undefined || timer.dueAt > limitAt) return false;
    pending.delete(timer);
    pass(Math.max(elapsedMs, timer.dueAt));
    timer.callback();
    await settle();
    return true;
  };

  const platform: VirtualPlatform = {
    memoryBytes: 64 * 1024 ** 2,
    now: () => wallOffsetMs + elapsedMs,
    monotonic: () => elapsedMs - frozenMs,
    random: () => random() + random() / 0x1_0000_0000 / 2,
    setTimeout(callback, delayMs) {
      const timer = { dueAt: elapsedMs + Math.max(0, delayMs), callback };
      pending.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      pending.delete(timer as PendingTimer); // opaque to callers; only this platform makes them
    },
    waitUntil(promise) {
      background.add(promise);
      const done = (): void => void background.delete(promise);
      promise.then(done, done);
    },
    async advance(durationMs) {
      const untilMs = elapsedMs + durationMs;
      await settle();
      while (await step(untilMs));
      pass(untilMs);
    },
    async run(promise, limitMs = 3_600_000) {
      const limitAt = elapsedMs + limitMs;
      let done = false;
      const finish = (): void => void (done = true);
      promise.then(finish, finish);
      await settle();
      while (!done && (await step(limitAt)));
      if (!done) throw new Error(`virtual time: the promise did not settle within ${limitMs} ms`);
      return promise;
    },
    jump: (durationMs) => void (wallOffsetMs += durationMs),
    freeze: () => void (frozen = true),
    thaw: () => void (frozen = false),
    get timers() {
      return pending.size;
    },
    background,
    async drain(limitMs = 3_600_000) {
      const limitAt = elapsedMs + limitMs;
      await settle();
      while (background.size > 0 && (await step(limitAt)));
    },
  };
  return platform;
}
