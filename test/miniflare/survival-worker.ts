// A Worker with the whole cache, in three ways to keep work going after an answer. Everything is made at module scope.
import { env as environment } from "cloudflare:workers";
import { createCache } from "isocache";
import type { Cache, CacheOptions, EntryOptions } from "isocache";
import { durableObjectStore, IsocacheObject } from "isocache/cloudflare";
import { cloudflarePlatform } from "../../runtimes/cloudflare/platform.ts";
import { decodeCall } from "../../src/store/wire.ts";

interface Env {
  readonly CACHE: DurableObjectNamespace;
  readonly ORIGIN: string;
}

const env = environment as unknown as Env; // what the harness binds

/** What was rejected in this isolate, and nobody handled it. */
const unhandled: string[] = [];
addEventListener("unhandledrejection", ({ reason }) => void unhandled.push(String(reason)));

/** Shows that the list above is one. */
function reject(): Response {
  void Promise.reject(new Error("on purpose"));
  return new Response("rejected");
}

/** The shipped class, and beside it: what it was asked, and resets as a deployment makes them, before or after an operation. */
export class SurvivalObject extends IsocacheObject {
  private readonly calls: Record<string, number> = {};
  private readonly state: DurableObjectState;
  private reset: { readonly on: string | null; readonly after: boolean } | undefined;

  constructor(state: DurableObjectState, _env: unknown) {
    super(state);
    this.state = state;
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/calls":
        return Response.json(this.calls);
      case "/unhandled":
        return Response.json(unhandled);
      case "/reject":
        return reject();
      case "/reset":
        this.state.abort("reset by the test");
        break;
      case "/reset-on":
        this.reset = { on: searchParams.get("operation"), after: searchParams.has("after") };
        return new Response("armed");
    }
    const { operation } = decodeCall(new Uint8Array(await request.clone().arrayBuffer()));
    this.calls[operation] = (this.calls[operation] ?? 0) + 1;
    if (this.reset?.on !== operation) return super.fetch(request);
    if (this.reset.after) await super.fetch(request);
    this.state.abort("reset by the test");
    throw new Error("reset by the test");
  }
}

/** How work goes on after the answer: by the runtime's own `waitUntil`, by that of `cache.bind(ctx)`, or not at all. */
const ways = ["imported", "bound", "unextended"] as const;
type Way = (typeof ways)[number];

/** A cache, and so an object, for each scene that is played. */
const scenes: Readonly<Record<string, CacheOptions>> = {
  cut: {},
  throws: {},
  stale: { staleIfError: "1m" },
  early: {},
  hangs: { lease: "1s" },
  "hangs-afar": { lease: "1s" },
  impatient: { lease: "1s" },
  evicted: {},
  reset: {},
  "write-lost-before": {},
  "write-lost-after": {},
  crowd: {},
  coherence: { maxStaleness: "500ms" },
  many: { maxStaleness: "500ms" },
  "many-cut": {},
};

/** Keys beside the one of a scene. */
const manyKeys = (key: string): string[] => Array.from({ length: 100 }, (_, index) => `${key}/${index}`);

const makeCache = (way: Way, scene: string, options: CacheOptions): Cache => {
  const platform = cloudflarePlatform();
  return createCache({
    name: `${way}-${scene}`,
    store: durableObjectStore(() => env.CACHE),
    ttl: "1h",
    ...options,
    ...(way !== "imported" && { platform: { ...platform, waitUntil: () => undefined } }),
  });
};

const caches: ReadonlyMap<string, Cache> = new Map(
  ways.flatMap((way) =>
    Object.entries(scenes).map(([scene, options]) => [`${way}-${scene}`, makeCache(way, scene, options)] as const),
  ),
);

/** How many reads of a key began here. */
const begun = new Map<string, number>();

/** Loads from the origin. Fails if the origin does. */
async function loadPage(path: string): Promise<string> {
  const response = await fetch(env.ORIGIN + path);
  if (response.status !== 200) throw new Error(`the origin answered ${response.status}`);
  return response.text();
}

async function read(cache: Cache, key: string, params: URLSearchParams): Promise<Response> {
  begun.set(key, (begun.get(key) ?? 0) + 1);
  const options: EntryOptions = params.has("strong") ? { consistency: "strong" } : {};
  const value = cache.getOrSet(key, () => loadPage(key), options);
  if (params.has("early")) {
    void value.catch(() => undefined);
    return new Response(await loadPage(`/early${key}`));
  }
  const text = await value;
  await loadPage("/after"); // who was woken by another request must still be able to do I/O of its own
  return new Response(text);
}

async function act(name: string, action: string, params: URLSearchParams, ctx: ExecutionContext): Promise<Response> {
  const shared = caches.get(name);
  if (shared === undefined) return new Response(`no cache is called ${name}`, { status: 404 });
  const cache = name.startsWith("bound-") ? shared.bind(ctx) : shared;
  const key = params.get("key") ?? "";
  switch (action) {
    case "read":
      return read(cache, key, params);
    case "begun":
      return Response.json(begun.get(key) ?? 0);
    case "stats":
      return Response.json(cache.stats());
    case "read-many": {
      begun.set(key, (begun.get(key) ?? 0) + 1);
      const values = await cache.getOrSetMany(manyKeys(key), async (missing) => {
        const text = await loadPage(key);
        return new Map(missing.map((each) => [each, text]));
      });
      await loadPage("/after");
      return new Response(`${values.size} times ${[...new Set(values.values())].join(", ")}`);
    }
    case "delete-many":
      await cache.deleteMany(manyKeys(key));
      return new Response("done");
    case "delete":
      await cache.delete(key);
      return new Response("done");
    case "expire":
      await cache.expire(key);
      return new Response("done");
    default:
      return new Response(`no action is called ${action}`, { status: 404 });
  }
}

export default {
  async fetch(request: Request, _env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams, search } = new URL(request.url);
    const [, name = "", action = ""] = pathname.split("/");
    if (name === "throw") throw new Error("on purpose");
    try {
      switch (name) {
        case "object": {
          const stub = env.CACHE.get(env.CACHE.idFromName(searchParams.get("name") ?? ""));
          return new Response(await (await stub.fetch(`https://object/${action}${search}`)).text());
        }
        case "direct": // without a cache
          return new Response(await loadPage(pathname));
        case "unhandled":
          return Response.json(unhandled);
        case "reject":
          return reject();
        default:
          return await act(name, action, searchParams, ctx);
      }
    } catch (error) {
      return new Response(String(error), { status: 502 });
    }
  },
};
