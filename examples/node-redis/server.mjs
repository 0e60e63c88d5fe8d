// One of the servers: prices by article, many in one request, and a way to change one.
import { createServer } from "node:http";
import { cache, redis } from "./cache.mjs";
import { changePrice, loadPrices } from "./origin.mjs";

const port = Number(process.env.PORT ?? 8080);

/** The prices of some articles: what is missing is loaded in one go, by one of the servers. */
async function prices(articles) {
  const loaded = [];
  const found = await cache.getOrSetMany(articles, async (missing) => {
    loaded.push(...missing);
    return loadPrices(missing);
  });
  return { code: 200, body: { prices: Object.fromEntries(found), loaded, server: port } };
}

async function answer({ method, url }) {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  if (method === "GET" && pathname === "/prices") {
    return prices((searchParams.get("of") ?? "").split(",").filter(Boolean));
  }
  const article = /^\/prices\/(\w+)$/.exec(pathname)?.[1];
  if (method === "PUT" && article !== undefined) {
    await changePrice(article, Number(searchParams.get("to")));
    await cache.delete(article);
    return { code: 200, body: { changed: article, server: port } };
  }
  return { code: 404, body: { error: "GET /prices?of=lamp,chair, or PUT /prices/lamp?to=20" } };
}

const server = createServer(async (request, response) => {
  const { code, body } = await answer(request).catch((error) => ({
    code: 503,
    body: { error: String(error) }, // Redis did not take an invalidation: it holds here, and is retried
  }));
  response.writeHead(code, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
});
server.listen(port, "127.0.0.1", () => process.send?.(server.address().port));

process.on("SIGINT", () => undefined); // Ctrl-C reaches the whole group; whoever started this sees to the rest
process.once("disconnect", async () => {
  server.close();
  server.closeAllConnections();
  await cache.close();
  redis.disconnect(); // the cache ends only what it opened itself
});
