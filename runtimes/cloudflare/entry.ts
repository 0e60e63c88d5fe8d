// What `import "isocache"` gives on Workers: the same, with background work that outlives its request.
import { createCache as createOn } from "../../src/cache.ts";
import type { Cache } from "../../src/cache-types.ts";
import type { CacheOptions } from "../../src/options/cache.ts";
import { cloudflarePlatform } from "./platform.ts";

export * from "../../src/index.ts";

/** `createCache` with the platform of Workers, unless another is given. */
export function createCache(options: CacheOptions = {}): Cache {
  return createOn({ ...options, platform: options.platform ?? cloudflarePlatform() });
}
