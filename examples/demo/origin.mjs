// The slow origin: serves files of this repository on loopback, counts what it is asked, and waits before it answers.
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { root } from "../../test/tooling/install.mjs";

const folders = ["src", "runtimes", "docs", "examples/worker"];
const singles = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "package.json"];
const types = { ".md": "text/markdown", ".json": "application/json" };

/** What the origin serves, by name: real files, listed once, so that nothing else can be asked for. */
function listFiles() {
  const entries = (folder) => readdirSync(join(root, folder), { withFileTypes: true });
  const walk = (folder) =>
    entries(folder)
      .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
      .flatMap((entry) => (entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]));
  const top = entries(".").map(({ name }) => name);
  return [
    ...singles.filter((name) => top.includes(name)),
    ...folders.filter((name) => top.includes(name.split("/")[0])).flatMap(walk),
  ];
}

/**
 * Starts it on a free port. A page is read when it is asked for and sent after a delay, so that an invalidation can come
 * in between. Its etag says what was read, "revision.load": how often `change` was called, and the number of the load.
 */
export async function startOrigin() {
  const files = listFiles();
  const pages = new Map(files.map((name) => [name, { loads: 0, revision: 0, delays: [] }]));
  const timers = new Set();
  const origin = {
    files,
    url: "",
    /** Before an answer, unless `slow` says otherwise. */
    delayMs: 300,
    /** Called with every load. */
    onLoad: () => undefined,
    loads: (name) => pages.get(name).loads,
    /** Makes the next page another one; returns its revision. */
    change: (name) => ++pages.get(name).revision,
    /** The delays of the next loads of a page; Infinity: no answer. */
    slow: (name, delays) => void pages.get(name).delays.push(...delays),
    stop() {
      for (const timer of timers) clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://origin").pathname.slice(1);
    const page = pages.get(name);
    if (page === undefined) return response.writeHead(404).end(`${name} is not served\n`);
    const headers = {
      "content-type": types[extname(name)] ?? "text/plain",
      etag: `"${page.revision}.${++page.loads}"`,
    };
    origin.onLoad(name, page.loads);
    const delayMs = page.delays.shift() ?? origin.delayMs;
    const body = await readFile(join(root, name)).catch((error) => error);
    if (delayMs === Infinity) return undefined;
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (body instanceof Error) response.writeHead(500).end(body.message);
      else response.writeHead(200, headers).end(body);
    }, delayMs);
    timers.add(timer);
    return undefined;
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  origin.url = `http://127.0.0.1:${server.address().port}`;
  return origin;
}
