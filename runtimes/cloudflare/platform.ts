// The platform of Cloudflare Workers: small memory, and background work that outlives its request.
import * as workers from "cloudflare:workers";
import { defaultPlatform } from "../../src/default-platform.ts";
import type { Platform } from "../../src/platform.ts";

/** What tells the flags that a Worker runs with. */
interface Flags {
  readonly Cloudflare?: { readonly compatibilityFlags?: Readonly<Record<string, boolean>> };
}

/**
 * The globals of Workers, and `waitUntil` of whatever request is running. Where the runtime is too old to export that,
 * or no request is running, background work is not extended; `cache.bind(ctx)` does it then.
 */
export function cloudflarePlatform(): Platform {
  return {
    ...defaultPlatform(),
    memoryBytes: 16 * 1024 ** 2,
    // Without it (compatibility dates before 2024-10-14), whoever is woken by another request goes on in that one's context
    // once V8 has optimised the code, and hangs when that one ends.
    crossRequestPromises:
      (globalThis as Flags).Cloudflare?.compatibilityFlags?.["handle_cross_request_promise_resolution"] ?? false,
    connectionsOutliveRequests: false,
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
