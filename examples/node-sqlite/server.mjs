// One of the processes: serves products from the cache, and forgets those of a tag when told to.
import { createServer } from "node:http";
import { cache } from "./cache.mjs";

/** Stands for a slow database. */
async function loadProduct(id) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { id, name: `product ${id}`, loadedBy: process.pid, loadedAt: new Date() };
}

async function answer({ method, url }) {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const id = /^\/product\/(\w+)$/.exec(pathname)?.[1];
  if (method === "GET" && id !== undefined) {
    let status = "isocache; hit";
    const load = () => {
      status = "isocache; fwd=miss";
      return loadProduct(id);
    };
    const product = await cache.getOrSet(`product:${id}`, load, { tags: ["products", `product:${id}`] });
    return { code: 200, body: { ...product, servedBy: process.pid }, status };
  }
  const tag = searchParams.get("tag");
  if (method === "POST" && pathname === "/invalidate" && tag) {
    await cache.invalidateTags([tag]);
    return { code: 200, body: { invalidated: tag } };
  }
  return { code: 404, body: { error: "GET /product/ID, or POST /invalidate?tag=product:ID" } };
}

const server = createServer(async (request, response) => {
  const { code, body, status } = await answer(request).catch((error) => ({
    code: 503,
    body: { error: String(error) }, // an invalidation that the file did not take, above all: ask again
  }));
  response.writeHead(code, { "content-type": "application/json", ...(status && { "cache-status": status }) });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
