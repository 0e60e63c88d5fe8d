// Starts a stand-in for Upstash, and the Worker with its address and token; Ctrl-C ends both.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startUpstash } from "../../test/support/upstash/server.ts";

const { REDIS_URL = "redis://127.0.0.1:6379", PORT = "8787" } = process.env;
const upstash = await startUpstash({ redis: REDIS_URL, token: "local" });
const variables = { UPSTASH_REDIS_REST_URL: upstash.url, UPSTASH_REDIS_REST_TOKEN: upstash.token };
const vars = Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
const worker = spawn("wrangler", ["dev", "--ip", "127.0.0.1", "--port", PORT, ...vars], { stdio: "inherit" });
process.on("SIGINT", () => undefined); // Ctrl-C reaches the Worker, too
process.on("SIGTERM", () => worker.kill());
const [code] = await once(worker, "exit");
await upstash.close();
console.log(`Upstash would have billed ${upstash.billed()} commands`);
process.exitCode = code ?? 0;
