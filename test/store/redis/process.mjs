// Run as a process: waits for a load of its own, ends its client, and must then end by itself, though nothing was closed.
import { setTimeout as sleep } from "node:timers/promises";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";

const [, , kind, url] = process.argv;
const { Redis } = await import("ioredis");
const { createClient } = await import("redis");
const client = kind === "ioredis" ? new Redis(url) : await createClient({ url }).connect();
const connection = redisStore(client, { prefix: `${kind}:` }).connect({ name: "p", platform: defaultPlatform() });
const wish = (token, waitMs) => ({ key: "k", waitMs, lease: { token, leaseMs: 30_000, scopes: [] } });
await connection.read(0, wish("a", 0), {});
const held = connection.read(0, wish("b", 20_000), {});
await sleep(200);
await connection.release(0, { key: "k", token: "a", backoffMs: 0 }, {});
if ((await held).lease === undefined) throw new Error("not the lease");
await (kind === "ioredis" ? client.quit() : client.close());
console.log("ended");
