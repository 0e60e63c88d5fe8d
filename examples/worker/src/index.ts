// A cached Worker: reads a slow origin through isocache. `DELETE /path` removes a page everywhere.
import { env } from "cloudflare:workers";
import { createCache } from "isocache";
import { durableObjectStore } from "isocache/cloudflare";

export { IsocacheObject } from "isocache/cloudflare";

const cache = createCache({ name: "pages", store: durableObjectStore(() => env.CACHE), ttl: "1m" });

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "DELETE") {
      await cache.delete(pathname);
      return new Response("gone\n");
    }
    let state = "hit";
    const page = await cache.getOrSet(pathname, async ({ signal }) => {
      state = "miss";
      const response = await fetch(env.ORIGIN + pathname, { signal });
      if (!response.ok) throw new Error(`the origin answered ${response.status}`);
      return response.text();
    });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8", "x-cache": state } });
  },
};
