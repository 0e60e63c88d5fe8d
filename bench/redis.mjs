// What a hit of redisStore costs beside a bare GET and the smallest script over the same client: node bench/redis.mjs [url]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { defaultPlatform } from "../src/default-platform.ts";
import { redisStore } from "../src/store/redis.ts";

const ROUNDS = 30; // medians; the first few warm up
const CALLS = 200;
const PORT = 6390;

const [, , given] = process.argv;
const server = given ? undefined : spawn("redis-server", ["--port", `${PORT}`, "--save", ""], { stdio: "pipe" });
if (server) for await (const piece of server.stdout) if (String(piece).includes("Ready to accept")) break;
const url = given ?? `redis://127.0.0.1:${PORT}`;
const platform = defaultPlatform();
const bytes = Buffer.alloc(1_000, 7);
const prefix = `bench-${platform.random()}:`;
const plain = `${prefix}plain`;
const ECHO = "return redis.call('GET', KEYS[1])";

const ioredis = new Redis(url);
const nodeRedis = await createClient({ url }).connect();
/** @type {Record<string, { client: any, send: (...command: any[]) => Promise<unknown> }>} */
const clients = {
  ioredis: { client: ioredis, send: (name, ...args) => ioredis.callBuffer(name, args) },
  "node-redis": {
    client: nodeRedis,
    send: (...command) => nodeRedis.sendCommand(command, { typeMapping: { 36: Buffer } }),
  },
};

const median = (/** @type {number[]} */ times) => times.sort((a, b) => a - b)[times.length >> 1];

for (const [kind, { client, send }] of Object.entries(clients)) {
  const connection = redisStore(client, { prefix: `${prefix}${kind}:` }).connect({ name: "bench", platform });
  let nonce = 0;
  const write = (what) => connection.write(0, { nonce: `n${nonce++}`, write: what }, {});
  const set = (key, tags) => {
    const windows = { ttlMs: 3_600_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
    return write({ kind: "set", key, entry: { ...windows, tags: ["@", ...tags], bytes } });
  };
  await send("SET", plain, bytes);
  const sha = String(await send("SCRIPT", "LOAD", ECHO));
  await set("no tags", []);
  await set("three tags", ["a", "b", "c"]);
  await set("after a mark", ["a", "b", "c"]);
  const hit = (key) => async () => {
    const lease = { token: `t${nonce++}`, leaseMs: 10_000, scopes: ["@"] };
    const { entry } = await connection.read(0, { key, lease, waitMs: 0 }, {});
    if (entry?.bytes.length !== bytes.length) throw new Error("a wrong answer");
  };
  const calls = {
    GET: () => send("GET", plain),
    "a script that only GETs": () => send("EVALSHA", sha, "1", plain),
    "hit, no tags": hit("no tags"),
    "hit, three tags": hit("three tags"),
  };
  const measure = async (atOnce, table) => {
    const times = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, call] of Object.entries(table)) {
        const startedAt = performance.now();
        for (let done = 0; done < CALLS; done += atOnce) await Promise.all(Array.from({ length: atOnce }, call));
        if (round > 4) (times[what] ??= []).push(((performance.now() - startedAt) * 1_000) / CALLS);
      }
    }
    const bare = median(times.GET);
    for (const [what, row] of Object.entries(times)) {
      const time = median(row);
      console.log(
        `${kind}, ${atOnce} at once, ${what}:`.padEnd(58),
        `${time.toFixed(1)} µs`.padStart(10),
        (time / bare).toFixed(2),
      );
    }
  };
  await measure(1, calls);
  await measure(20, calls);
  await write({ kind: "tags", tags: ["another"] });
  await measure(1, { GET: calls.GET, "hit, three tags, of which none was marked since": hit("after a mark") });
  await connection.close();
}
await ioredis.quit();
await nodeRedis.close();
if (server) {
  server.kill();
  await once(server, "close");
}
