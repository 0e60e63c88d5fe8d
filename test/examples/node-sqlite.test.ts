// The server of examples/node-sqlite: its processes share what one of them loaded, forget it together, and end by themselves.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { root, toolEnv } from "../tooling/install.mjs";
import { startCommand, type Command } from "./command.ts";

interface Product {
  readonly loadedBy: number;
  readonly loadedAt: string;
  readonly servedBy: number;
}

let temporary: string;
let command: Command | undefined;
beforeEach(() => void (temporary = mkdtempSync(join(tmpdir(), "isocache-node-sqlite-"))));
afterEach(async () => {
  await command?.stop();
  rmSync(temporary, { recursive: true, force: true });
});

/** Runs `npm start` as its README says; resolves with its address. */
async function start(): Promise<string> {
  const env = { ...toolEnv(), PORT: "0", CACHE_FILE: join(temporary, "cache.db") };
  command = startCommand("npm", ["start"], join(root, "examples/node-sqlite"), env);
  const [, url = ""] = await command.printed(/4 processes on (http\S+)/);
  return url;
}

/** Requests on connections of their own, so that they reach all processes. */
const get = (url: string, count: number): Promise<Product[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const response = await fetch(`${url}/product/1`, { headers: { connection: "close" } });
      return (await response.json()) as Product; // what server.mjs answers
    }),
  );

const distinct = (products: readonly Product[], name: keyof Product): number =>
  new Set(products.map((product) => product[name])).size;

it("four processes load a product once, forget it together, and leave nothing running when interrupted", async () => {
  const url = await start();
  const first = await get(url, 20);
  expect(distinct(first, "loadedBy")).toBe(1);
  expect(distinct(first, "servedBy")).toBeGreaterThan(1);
  expect((await fetch(`${url}/invalidate?tag=product:1`, { method: "POST" })).status).toBe(200);
  const isOld = ({ loadedAt }: Product): boolean => loadedAt === first[0]?.loadedAt;
  await expect.poll(async () => (await get(url, 20)).some(isOld)).toBe(false);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  await command?.stop();
  expect(await command?.hasEnded()).toBe(true);
});

it("what was loaded is there after a restart", async () => {
  const [before] = await get(await start(), 1);
  await command?.stop();
  const after = await get(await start(), 8);
  expect(new Set(after.map(({ loadedBy }) => loadedBy))).toEqual(new Set([before?.loadedBy]));
});
