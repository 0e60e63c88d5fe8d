// The platform of every runtime that needs nothing special: the web's globals, read at call time.
import type { Platform } from "./platform.ts";

/** Longer delays overflow in every runtime and would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Clock, randomness and timers from the globals, looked up at each call: fake timers work, and making a platform at
 * module scope touches nothing. Processes outlive requests here, so `waitUntil` has nothing to do.
 */
export function defaultPlatform(): Platform {
  return {
    memoryBytes: 64 * 1024 ** 2,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random,
    setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS)),
    clearTimeout: (timer) => clearTimeout(timer as number), // opaque to callers; only this platform makes them
    waitUntil: () => undefined,
  };
}

/** `Platform.random` from Web Crypto. */
export function random(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}
