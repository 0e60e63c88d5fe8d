// A Worker that makes everything at module scope, and works on after it has answered.
import { cloudflarePlatform } from "../../runtimes/cloudflare/platform.ts";
import { createCache } from "../../runtimes/cloudflare/entry.ts";
import { durableObjectStore } from "../../runtimes/cloudflare/store.ts";
import type { ObjectNamespace } from "../../runtimes/cloudflare/store.ts";

export { IsocacheObject } from "../../runtimes/cloudflare/object.ts";

interface Env {
  readonly CACHE: ObjectNamespace;
  readonly ORIGIN: string;
}

const platform = cloudflarePlatform();
let bound: Env | undefined;
const cache = createCache({
  name: "platform",
  store: durableObjectStore(() => {
    if (bound === undefined) throw new Error("no request yet");
    return bound.CACHE;
  }),
});
platform.waitUntil(Promise.resolve()); // no request runs: must not throw

/** Asks the origin after a while. */
const later = async (url: string): Promise<void> => {
  await new Promise<void>((resolve) => void platform.setTimeout(resolve, 200));
  await (await fetch(url)).arrayBuffer();
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    bound = env;
    const { pathname } = new URL(request.url);
    const url = env.ORIGIN + pathname;
    switch (pathname) {
      case "/extended":
        platform.waitUntil(later(url));
        return new Response("answered");
      case "/dropped":
        void later(url).catch(() => undefined); // the control: the runtime cancels it
        return new Response("answered");
      case "/numbers": {
        const draws = Array.from({ length: 100 }, () => platform.random());
        const inRange = draws.every((draw) => draw >= 0 && draw < 1) && new Set(draws).size === 100;
        const { memoryBytes, crossRequestPromises } = platform;
        return Response.json({ inRange, memoryBytes, crossRequestPromises, now: platform.now(), far: await far() });
      }
      default:
        return new Response(await cache.getOrSet(pathname, async () => (await fetch(url)).text()));
    }
  },
};

/** Whether a timer longer than 2^31 ms waits. */
function far(): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = platform.setTimeout(() => resolve(false), 2 ** 40);
    platform.setTimeout(() => {
      platform.clearTimeout(timer);
      resolve(true);
    }, 20);
  });
}
