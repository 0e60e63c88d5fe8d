// Run by Bun and by Deno: a hub on a port of its own, which it prints, and one for a single subscriber at "/one"; it ends
// when its input does.
import { sseHub } from "../../../src/bus/sse.ts";

const options = { token: "the-token-of-this-hub", keepAlive: "1s" };
const [all, one] = [sseHub(options), sseHub({ ...options, keepAlive: "1h", maxSubscribers: 1 })];
const fetch = (request) => (new URL(request.url).pathname === "/one" ? one : all).fetch(request);
const settings = { port: 0, hostname: "127.0.0.1" };
const listening = ({ port }) => console.log(`port ${port}`);
let server;
if (globalThis.Bun) listening((server = Bun.serve({ ...settings, idleTimeout: 60, fetch })));
else server = Deno.serve({ ...settings, onListen: listening }, fetch);
for await (const piece of process.stdin) void piece;
await Promise.all([all.close(), one.close()]);
await (server.shutdown ?? server.stop).call(server);
console.log("ended");
