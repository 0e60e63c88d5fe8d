// Timers of a process, which end with it.
import type { Platform } from "../../../src/platform.ts";

type Timers = Pick<Platform, "setTimeout" | "clearTimeout">;

/** Timers like those of `base`, all of which can be ended at once. */
export function endingTimers(base: Timers): Timers & { endAll(): void } {
  const live = new Set<unknown>();
  return {
    setTimeout(callback, delayMs) {
      const timer = base.setTimeout(() => {
        live.delete(timer);
        callback();
      }, delayMs);
      live.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      if (live.delete(timer)) base.clearTimeout(timer);
    },
    endAll() {
      for (const timer of live) base.clearTimeout(timer);
      live.clear();
    },
  };
}
