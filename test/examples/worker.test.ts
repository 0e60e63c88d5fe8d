// The Worker of examples/worker under plain `wrangler dev`, from its folder and from the top of the repository.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startOrigin } from "../miniflare/origin.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
const quiet = { CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", NO_COLOR: "1" };

/** Runs `wrangler dev` in a folder; resolves with its address once it is ready. */
async function wranglerDev(folder: string, origin: string): Promise<{ url: string; stop(): Promise<void> }> {
  const state = await mkdtemp(join(tmpdir(), "isocache-"));
  const args = ["dev", "--ip", "127.0.0.1", "--port", "0", "--persist-to", state, "--var", `ORIGIN:${origin}`];
  const child = spawn(process.execPath, [wrangler, ...args], { cwd: folder, env: { ...process.env, ...quiet } });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let output = "";
  const ready = new Promise<string>((resolve) => {
    const hear = (chunk: Buffer): void => {
      output += String(chunk);
      const url = /Ready on (http:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    await rm(state, { recursive: true, force: true });
  };
  const url = await Promise.race([ready, ended]);
  if (url !== undefined) return { url, stop };
  await stop();
  throw new Error(`wrangler dev ended:\n${output}`);
}

describe.each([
  ["its folder", "examples/worker"],
  ["the top of the repository", "."],
])("the example Worker, run from %s", (_, folder) => {
  test("loads a page once, serves it again, and forgets it when told to", async () => {
    const origin = await startOrigin();
    const { url, stop } = await wranglerDev(join(root, folder), origin.url);
    try {
      const get = async (): Promise<string> => {
        const response = await fetch(new URL("/page", url));
        return `${response.headers.get("x-cache")}: ${await response.text()}`;
      };
      expect(await get()).toBe("miss: /page 1");
      expect(await get()).toBe("hit: /page 1");
      await fetch(new URL("/page", url), { method: "DELETE" });
      expect(await get()).toBe("miss: /page 2");
      expect(origin.count("/page")).toBe(2);
    } finally {
      await stop();
      await origin.stop();
    }
  });
});
