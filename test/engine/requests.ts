// Requests that can be cut off, as Workers cut them off: timers, answers and continuations of a dead one never come.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Platform } from "../../src/platform.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";

export interface Request {
  /** Runs work as this request: what it starts belongs to it. */
  run<T>(work: () => T): T;
  /** Nothing that belongs to this request happens any more; not even `finally` runs. */
  kill(): void;
  readonly alive: boolean;
}

export interface Requests {
  /** For the cache: a timer belongs to the request that set it. */
  readonly platform: Platform;
  /** For the link: an answer belongs to the request that asked. */
  listener(): () => boolean;
  start(): Request;
  /** What a loader waits on: settles only while its request lives. */
  sleep(ms: number): Promise<void>;
}

export function createRequests(base: VirtualPlatform): Requests {
  const current = new AsyncLocalStorage<Request>();
  const timers = new Map<unknown, Request | undefined>();
  const setTimer = (callback: () => void, delayMs: number): unknown => {
    const owner = current.getStore();
    const fire = (): void => {
      timers.delete(timer);
      if (owner === undefined) callback();
      else if (owner.alive) owner.run(callback);
    };
    const timer = base.setTimeout(fire, delayMs);
    timers.set(timer, owner);
    return timer;
  };
  return {
    platform: {
      ...base,
      setTimeout: setTimer,
      clearTimeout(timer) {
        timers.delete(timer);
        base.clearTimeout(timer);
      },
    },
    listener() {
      const owner = current.getStore();
      return () => owner?.alive !== false;
    },
    start() {
      let alive = true;
      const request: Request = {
        run: (work) => current.run(request, work),
        kill() {
          alive = false;
          for (const [timer, owner] of timers) if (owner === request) base.clearTimeout(timer);
        },
        get alive() {
          return alive;
        },
      };
      return request;
    },
    sleep: (ms) => new Promise((resolve) => void setTimer(resolve, ms)),
  };
}
