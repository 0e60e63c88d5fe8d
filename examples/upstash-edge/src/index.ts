// A Worker that serves slow products from its cache: GET /product/<id>, POST /invalidate?tag=..., GET /stats.
import { cache } from "./cache.ts";

/** Stands for a slow database. */
async function loadProduct(id: string): Promise<object> {
  await scheduler.wait(500);
  return { id, name: `Product ${id}`, loadedAt: new Date().toISOString() };
}

async function serve(id: string): Promise<Response> {
  let how = "hit";
  const product = await cache.getOrSet(
    `product:${id}`,
    () => {
      how = "fwd=miss";
      return loadProduct(id);
    },
    { tags: ["products", `product:${id}`] },
  );
  return Response.json(product, { headers: { "cache-status": `isocache; ${how}` } });
}

async function route({ method, url }: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(url);
  const id = /^\/product\/(.+)/.exec(pathname)?.[1];
  if (id !== undefined) return serve(id);
  if (pathname === "/invalidate" && method === "POST") {
    const tags = searchParams.getAll("tag");
    await cache.invalidateTags(tags); // resolves when the store has it, rejects if it has not
    return new Response(`gone everywhere within a second: ${tags.join(", ")}\n`);
  }
  if (pathname === "/stats") return Response.json(cache.stats());
  return new Response("GET /product/<id>, POST /invalidate?tag=<tag>, GET /stats\n", { status: 404 });
}

export default {
  fetch: (request) => route(request).catch((error: unknown) => new Response(`${String(error)}\n`, { status: 502 })),
} satisfies ExportedHandler;
