// A Worker that serves a slow origin from its cache: GET /file/..., POST /invalidate?tag=..., GET /stats.
import { KeyError, OptionError } from "isocache";
import { cache } from "./cache.ts";
import { loadPage } from "./origin.ts";

export { IsocacheObject } from "isocache/cloudflare";

/** A page has two tags: its own name and that of its folder, such as "src/cache.ts" and "src". */
async function serve(name: string): Promise<Response> {
  let how = "hit";
  const page = await cache.getOrSet(`/${name}`, (context) => {
    how = "fwd=miss";
    context.set({ tags: [name, name.split("/", 1).join()] });
    return loadPage(context.key, context.signal);
  });
  const headers = [...page.headers, ["cache-status", `isocache; ${how}`]];
  return new Response(page.body, { status: page.status, headers });
}

async function invalidate(tags: string[]): Promise<Response> {
  await cache.invalidateTags(tags); // resolves when the store has it, rejects if it has not
  return new Response(`gone everywhere within a second: ${tags.join(", ")}\n`);
}

async function route({ method, url }: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(url);
  const tags = searchParams.getAll("tag");
  const name = /^\/file\/(.+)/.exec(pathname)?.[1];
  if (name !== undefined) return serve(name);
  if (pathname === "/invalidate" && method === "POST" && tags.length > 0) return invalidate(tags);
  if (pathname === "/stats") return Response.json(cache.stats());
  return new Response("GET /file/<name>, POST /invalidate?tag=<name or folder>, GET /stats\n", { status: 404 });
}

function failure(error: Error): Response {
  const status = error instanceof KeyError || error instanceof OptionError ? 400 : 502;
  return new Response(`${error.message}\n`, { status });
}

export default {
  fetch: (request) => route(request).catch(failure),
} satisfies ExportedHandler;
