// A Worker with a store over HTTP, whose address and token are bindings of its own: case by case, and as a cache.
import { createCache } from "../../runtimes/cloudflare/entry.ts";
import { cloudflarePlatform } from "../../runtimes/cloudflare/platform.ts";
import { upstashStore } from "../../src/store/upstash.ts";
import { storeConformance } from "../../src/testing/store-conformance.ts";

// At module scope, where there is no I/O and no environment yet.
const cache = createCache({ name: "shop", store: upstashStore(), memory: false, ttl: "1m" });

async function conform(index: number): Promise<Response> {
  const platform = cloudflarePlatform();
  try {
    await storeConformance[index]?.run(async () => ({
      store: upstashStore({ prefix: `case${index}:` }),
      platform,
      advance: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
      close: async () => undefined,
    }));
    return new Response("ok");
  } catch (error) {
    return new Response(String(error), { status: 500 });
  }
}

/** Loads of one key by many callers of one request. */
async function load(key: string, callers: number): Promise<Response> {
  let loads = 0;
  const reads = Array.from({ length: callers }, () =>
    cache.getOrSet(key, async () => {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return "value";
    }),
  );
  const outcomes = await Promise.all(reads.map((read) => read.catch(String)));
  return Response.json({ loads, outcomes: [...new Set(outcomes)] });
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/conformance") return conform(Number(searchParams.get("case")));
    return load(searchParams.get("key") ?? "", Number(searchParams.get("callers")));
  },
};
