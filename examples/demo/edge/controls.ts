// What the figures are held against: the same pages without isocache.
import { env } from "cloudflare:workers";
import { loadPage, type Page } from "../../worker/src/origin.ts";

const respond = ({ status, headers, body }: Page): Response => new Response(body, { status, headers });

/** No cache at all. */
export async function uncached(path: string): Promise<Response> {
  return respond(await loadPage(path));
}

/** The Cache API of Workers, as its documentation uses it. */
export async function cacheApi(path: string, ctx: ExecutionContext): Promise<Response> {
  const key = new URL(path, "https://pages.example");
  const cached = await caches.default.match(key);
  if (cached !== undefined) return cached;
  const response = respond(await loadPage(path));
  response.headers.set("cache-control", "max-age=60");
  ctx.waitUntil(caches.default.put(key, response.clone()));
  return response;
}

const loading = new Map<string, Promise<Page>>();

/** One promise for all who ask at the same time, kept at module scope. */
export async function sharedPromise(path: string): Promise<Response> {
  let promise = loading.get(path);
  if (promise === undefined) {
    promise = loadPage(path).finally(() => loading.delete(path));
    loading.set(path, promise);
  }
  return respond(await promise);
}

/** A page to begin with. */
export function welcome(): Response {
  const html = `<!doctype html><title>isocache demo</title><h1>${env.EDGE}</h1>
<p><a href="/file/README.md">/file/README.md</a> through the cache: look at its Cache-Status header, and at the time it takes
<p><a href="/none/README.md">/none/README.md</a> without it
<p><a href="/stats">/stats</a> of this isolate
<form method="post" action="/invalidate?tag=README.md"><button>POST /invalidate?tag=README.md</button></form>
<p>Other names: any file under src/, runtimes/ or docs/. Tags: a file's name, or its first folder.`;
  return new Response(html, { headers: { "content-type": "text/html;charset=utf-8" } });
}
