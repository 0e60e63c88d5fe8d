// The Worker example: it builds with wrangler, and runs under `wrangler dev`.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { root, toolEnv } from "../tooling/install.mjs";
import { startCommand, type Command } from "./command.ts";

const LIMIT_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "isocache-worker-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let command: Command | undefined;
afterEach(() => command?.stop());

/** wrangler in the example's folder, without questions and without asking the network. */
function wrangler(...args: string[]): Command {
  const quiet = { CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  return (command = startCommand("wrangler", args, join(root, "examples/worker"), { ...toolEnv(), ...quiet }));
}

/** Free now; wrangler can only be told a number. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a server that listens on a port has one
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it(
  "builds with wrangler",
  async () => {
    const { code, output } = wrangler("deploy", "--dry-run", "--outdir", folder);
    expect(await code, output()).toBe(0);
    expect(output()).toContain("env.CACHE (IsocacheObject)");
    expect(existsSync(join(folder, "index.js"))).toBe(true);
  },
  LIMIT_MS,
);

it(
  "runs with wrangler dev: a page comes from the origin, then from the cache, and after an invalidation from the origin",
  async () => {
    const port = await freePort();
    const { printed } = wrangler("dev", "--ip", "127.0.0.1", "--port", String(port), "--persist-to", folder);
    await printed("Ready on");
    const url = `http://127.0.0.1:${port}`;
    const read = async (): Promise<{ how: string | null; body: string }> => {
      const response = await fetch(`${url}/file/src/a`);
      return { how: response.headers.get("cache-status"), body: await response.text() };
    };
    const first = await read();
    expect(first.how).toBe("isocache; fwd=miss");
    expect(await read()).toEqual({ how: "isocache; hit", body: first.body });
    expect((await fetch(`${url}/invalidate?tag=src`, { method: "POST" })).status).toBe(200);
    expect((await read()).how).toBe("isocache; fwd=miss");
    expect((await fetch(`${url}/invalidate?tag=`, { method: "POST" })).status).toBe(400);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  },
  LIMIT_MS,
);
