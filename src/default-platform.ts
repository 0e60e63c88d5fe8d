// The platform of runtimes whose processes outlive requests: their globals, read when they are needed.
import type { Platform } from "./platform.ts";

/** Reads globals at call time, so that fake timers work and nothing happens at module scope. */
export function defaultPlatform(): Platform {
  return {
    memoryBytes: 64 * 1024 ** 2,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random() {
      const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]; // it has two
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    },
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>), // made by setTimeout above
    waitUntil: () => undefined,
  };
}
