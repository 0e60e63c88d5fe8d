// Starts two servers, each a process of its own, as on two machines. Ctrl-C ends both.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "isocache-prices-"));
const file = join(folder, "prices.json");
writeFileSync(file, JSON.stringify({ lamp: 35, chair: 80, table: 240 }));

const first = Number(process.env.PORT ?? 8080);
const ports = [first, first && first + 1];
const servers = ports.map((port) =>
  fork(new URL("server.mjs", import.meta.url), { env: { ...process.env, PORT: String(port), PRICES_FILE: file } }),
);
const listening = servers.map((server) => new Promise((resolve) => server.once("message", resolve)));
const stop = () => {
  for (const server of servers) if (server.connected) server.disconnect();
};
const ended = servers.map((server) => new Promise((resolve) => server.once("exit", resolve)));
for (const server of servers) {
  server.once("exit", (code) => {
    process.exitCode = code ?? 1;
    stop();
  });
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
void Promise.all(listening).then((all) => console.log(all.map((port) => `http://127.0.0.1:${port}`).join(" and ")));
await Promise.all(ended);
rmSync(folder, { recursive: true });
