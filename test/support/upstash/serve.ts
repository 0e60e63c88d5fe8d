// The server as a command: `node serve.ts --redis redis://127.0.0.1:6379 --port 8079 --token secret`, until Ctrl-C.
import { parseArgs } from "node:util";
import { startUpstash } from "./server.ts";

const { values } = parseArgs({
  options: {
    redis: { type: "string", default: "redis://127.0.0.1:6379" },
    port: { type: "string", default: "0" },
    token: { type: "string", default: "test-token" },
    "read-only-token": { type: "string" },
  },
});
const readOnlyToken = values["read-only-token"];
const server = await startUpstash({
  redis: values.redis,
  port: Number(values.port),
  token: values.token,
  ...(readOnlyToken === undefined ? {} : { readOnlyToken }),
});
console.log(`Upstash REST at ${server.url} in front of ${values.redis}`);
const stop = (): void => void server.close();
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
