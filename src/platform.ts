// The port to a runtime: the only way the engine reads a clock, draws a random number, waits, or outlives a request.

/** An opaque timer handle, as the platform's own `setTimeout` returned it. */
export type Timer = unknown;

/**
 * What isocache asks of a runtime. Every method may be called at any time after creation, and none is called while a
 * module is being evaluated: Workers forbid clocks, randomness and timers there.
 *
 * A platform must not throw from any method. Methods are called detached, so they may not use `this`.
 */
export interface Platform {
  /** The default bound of the memory tier in bytes: an isolate of 128 MB has less to give than a server process. */
  readonly memoryBytes: number;
  /** Wall clock in milliseconds since the Unix epoch. It may jump, run wrong by hours, or stand still within a request. */
  now(): number;
  /**
   * Milliseconds from an arbitrary origin that never go backwards. It may stand still while the process is frozen; the
   * engine takes the larger of what this clock and the wall clock say has passed.
   */
  monotonic(): number;
  /** A uniform number in [0, 1), good enough to make ids that never collide: 53 bits of a cryptographic source. */
  random(): number;
  /** Calls back once after `delayMs`. On request-bound runtimes the timer belongs to the request that set it. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Cancels a timer. A timer that already fired is ignored. */
  clearTimeout(timer: Timer): void;
  /**
   * Keeps the current request alive until the promise settles; where processes outlive requests it does nothing. The
   * promises handed in never reject.
   */
  waitUntil(promise: Promise<unknown>): void;
  /**
   * False: who awaits a promise that another request settles may go on in that other request, and end with it. Then such
   * promises are not awaited: timers of one's own look, at growing steps of 4 to 100 ms, whether they have settled. Default
   * true.
   */
  readonly crossRequestPromises?: boolean;
  /** False: connections end with the request that opened them, so that nothing can be listened to. Default true. */
  readonly connectionsOutliveRequests?: boolean;
  /** A variable of the environment, where `process.env` is not the place for it. */
  environment?(name: string): string | undefined;
}
