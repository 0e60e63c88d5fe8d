// The Worker of the demo: that of examples/worker, and beside it the ways to do without isocache.
import example from "../../worker/src/index.ts";
import { cache } from "../../worker/src/cache.ts";
import { cacheApi, sharedPromise, uncached, welcome } from "./controls.ts";

/** The example, with what it asked of the store meanwhile: exact as long as requests come one at a time. */
async function counted(request: Parameters<typeof example.fetch>[0]): Promise<Response> {
  const before = cache.stats();
  const response = await example.fetch(request);
  const after = cache.stats();
  response.headers.set("x-store-trips", String(after.roundTrips - before.roundTrips));
  response.headers.set("x-syncs", String(after.syncs - before.syncs));
  return response;
}

export default {
  fetch(request, _env, ctx) {
    const [, way, path = ""] = /^\/([^/]*)(\/.*)?$/.exec(new URL(request.url).pathname) ?? [];
    switch (way) {
      case "":
        return welcome();
      case "none":
        return uncached(path);
      case "cache-api":
        return cacheApi(path, ctx);
      case "promise":
        return sharedPromise(path);
      default:
        return counted(request);
    }
  },
} satisfies ExportedHandler;
