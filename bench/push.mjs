// How long after its acknowledgement an invalidation is seen by another instance: two caches in this process, over each bus.
// node bench/push.mjs [rounds]; needs a Redis on REDIS_URL or the standard port.
import { Redis } from "ioredis";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { broadcastBus } from "../src/bus/broadcast.ts";
import { sseBus, sseHub } from "../src/bus/sse.ts";
import { createCache, memoryStore } from "../src/index.ts";
import { redisBus, redisStore } from "../src/store/redis.ts";

const ROUNDS = Number(process.argv[2] ?? 300);
const url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const clients = [];
const client = () => {
  const made = new Redis(url);
  clients.push(made);
  return made;
};

const hub = sseHub();
const server = createServer((request, response) => {
  const answer = async () => {
    const body = request.method === "POST" ? Readable.toWeb(request) : null;
    const { headers, method } = request;
    const asked = new Request(`http://hub${request.url}`, { method, headers, body, duplex: "half" });
    const { status, headers: told, body: stream } = await hub.fetch(asked);
    response.writeHead(status, Object.fromEntries(told));
    response.flushHeaders();
    if (stream)
      Readable.fromWeb(stream)
        .on("error", () => response.destroy())
        .pipe(response);
    else response.end();
  };
  answer().catch(() => response.destroy());
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

const name = `bench-push-${process.pid}`;
const store = memoryStore();
const address = `http://127.0.0.1:${server.address().port}/`;
const buses = {
  "broadcastBus, memoryStore": () => ({ store, bus: broadcastBus() }),
  "sseBus, memoryStore": () => ({ store, bus: sseBus(address) }),
  "redisBus, memoryStore": () => ({ store, bus: redisBus(client()) }),
  "redisStore, its own bus": () => ({ store: redisStore(client()) }),
};

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(2);

for (const [kind, options] of Object.entries(buses)) {
  const [a, b] = [options(), options()].map((each) => createCache({ name, maxStaleness: "1h", ttl: "1h", ...each }));
  const up = new Promise((resolve) => b.on("bus", ({ state }) => state === "up" && resolve()));
  await b.getOrSet("k", () => 1);
  await up;
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    await b.getOrSet("k", () => round);
    await a.delete("k");
    const startedAt = performance.now();
    while ((await b.get("k", { store: false })) !== undefined) await new Promise((resolve) => setImmediate(resolve));
    times.push(performance.now() - startedAt);
  }
  times.sort((x, y) => x - y);
  console.log(`${kind.padEnd(28)} p50 ${at(times, 0.5)} ms  p99 ${at(times, 0.99)} ms  max ${at(times, 1)} ms`);
  await a.clear();
  await Promise.all([a.close(), b.close()]);
}

await hub.close();
server.close();
server.closeAllConnections();
for (const each of clients) each.disconnect();
