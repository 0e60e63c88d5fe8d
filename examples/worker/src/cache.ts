// The cache: memory in this isolate, in front of one Durable Object that all isolates share.
import { env } from "cloudflare:workers";
import { createCache } from "isocache";
import { durableObjectStore } from "isocache/cloudflare";

export const cache = createCache({
  name: "pages",
  store: durableObjectStore(() => env.CACHE),
  ttl: "1m",
  maxStaleness: "1s", // what is invalidated anywhere is gone everywhere after this long
  lease: "2s", // whoever waits for a load that hangs loads for itself after twice this long
});
