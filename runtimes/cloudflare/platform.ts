// The platform of Cloudflare Workers: small memory, and background work that outlives its request.
import * as workers from "cloudflare:workers";
import { defaultPlatform } from "../../src/default-platform.ts";
import type { Platform } from "../../src/platform.ts";

/**
 * The globals of Workers, and `waitUntil` of whatever request is running. Where the runtime is too old to export that,
 * or no request is running, background work is not extended; `cache.bind(ctx)` does it then.
 */
export function cloudflarePlatform(): Platform {
  return {
    ...defaultPlatform(),
    memoryBytes: 16 * 1024 ** 2,
    environment(name) {
      const value: unknown = Reflect.get(Object(workers.env), name); // older runtimes have none
      return typeof value === "string" ? value : undefined;
    },
    waitUntil(promise) {
      try {
        workers.waitUntil(promise);
      } catch {
        // No request to prolong, or no such export: a platform does not throw.
      }
    },
  };
}
