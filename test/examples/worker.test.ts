// The Worker of examples/worker: it builds with wrangler and runs under plain `wrangler dev`, from its folder and from the top.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOrigin } from "../miniflare/origin.ts";
import { root, toolEnv } from "../tooling/install.mjs";
import { startCommand, type Command } from "./command.ts";

const quiet = { CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", NO_COLOR: "1" };

let temporary: string;
let command: Command | undefined;
beforeEach(() => void (temporary = mkdtempSync(join(tmpdir(), "isocache-worker-"))));
afterEach(async () => {
  await command?.stop();
  rmSync(temporary, { recursive: true, force: true });
});

/** Runs the installed wrangler, without questions and without asking the network. */
function wrangler(folder: string, ...args: string[]): Command {
  return (command = startCommand("wrangler", args, join(root, folder), { ...toolEnv(), ...quiet }));
}

/** Runs `wrangler dev`; resolves with its address. */
async function wranglerDev(folder: string, ...args: string[]): Promise<string> {
  const { printed } = wrangler(folder, "dev", "--ip", "127.0.0.1", "--port", "0", "--persist-to", temporary, ...args);
  const [, url = ""] = await printed(/Ready on (http\S+)\s/);
  return url;
}

describe.each([
  ["its folder", "examples/worker"],
  ["the top of the repository", "."],
])("the example Worker, from %s,", (_, folder) => {
  it("builds", async () => {
    const { code, output } = wrangler(folder, "deploy", "--dry-run", "--outdir", temporary);
    expect(await code, output()).toBe(0);
    expect(output()).toContain("env.CACHE (IsocacheObject)");
    expect(existsSync(join(temporary, "index.js"))).toBe(true);
  });

  it("loads a page once, serves it again, and forgets it when told to", async () => {
    const origin = await startOrigin();
    const url = await wranglerDev(folder, "--var", `ORIGIN:${origin.url}`);
    const get = async (): Promise<string> => {
      const response = await fetch(`${url}/file/src/page`);
      return `${response.headers.get("cache-status")}: ${await response.text()}`;
    };
    try {
      expect(await get()).toBe("isocache; fwd=miss: /src/page 1");
      expect(await get()).toBe("isocache; hit: /src/page 1");
      expect((await fetch(`${url}/invalidate?tag=src`, { method: "POST" })).status).toBe(200);
      expect(await get()).toBe("isocache; fwd=miss: /src/page 2");
      expect(origin.count("/src/page")).toBe(2);
    } finally {
      await origin.stop();
    }
  });
});

it("the example Worker needs no origin, and refuses what it cannot do", async () => {
  const url = await wranglerDev("examples/worker");
  const page = await fetch(`${url}/file/a`);
  expect(page.headers.get("cache-status")).toBe("isocache; fwd=miss");
  expect(await (await fetch(`${url}/file/a`)).text()).toBe(await page.text());
  expect((await fetch(`${url}/invalidate?tag=`, { method: "POST" })).status).toBe(400);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
});
