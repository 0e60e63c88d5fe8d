// The servers of examples/node-redis: what one has loaded the other serves, and a change is seen by both; Redis may go and come.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startRedis, hasRedisServer, type RedisServer } from "../support/redis.ts";
import { root, toolEnv } from "../tooling/install.mjs";
import { startCommand, type Command } from "./command.ts";

interface Answer {
  readonly prices: Readonly<Record<string, number>>;
  readonly loaded: readonly string[];
}

const isRequired = process.env["ISOCACHE_REQUIRE_SERVICES"] === "1";
const test = it.skipIf(!hasRedisServer() && !isRequired);

let redis: RedisServer | undefined;
let command: Command | undefined;
let temporary = "";
beforeEach(async () => {
  temporary = mkdtempSync(join(tmpdir(), "isocache-node-redis-"));
  redis = hasRedisServer() || isRequired ? await startRedis() : undefined;
});
afterEach(async () => {
  await command?.stop();
  await redis?.close();
  rmSync(temporary, { recursive: true, force: true });
});

/** Runs `npm start` as its README says; resolves with the addresses of both. */
async function start(): Promise<readonly [string, string]> {
  const env = {
    ...toolEnv(),
    PORT: "0",
    REDIS_URL: redis?.url ?? "",
    TMPDIR: temporary,
  };
  command = startCommand("npm", ["start"], join(root, "examples/node-redis"), env);
  const [, one = "", other = ""] = await command.printed(/(http\S+) and (http\S+)/);
  return [one, other];
}

const get = async (server: string, articles: string): Promise<Answer> =>
  (await (await fetch(`${server}/prices?of=${articles}`)).json()) as Answer; // what server.mjs answers

test("what one has loaded the other serves, a change is seen by both, and nothing is left when interrupted", async () => {
  const [one, other] = await start();
  expect(await get(one, "lamp,chair,sofa")).toMatchObject({
    prices: { lamp: 35, chair: 80 },
    loaded: ["lamp", "chair", "sofa"],
  });
  expect(await get(other, "lamp,chair,table")).toMatchObject({
    prices: { lamp: 35, chair: 80, table: 240 },
    loaded: ["table"],
  });
  expect((await fetch(`${other}/prices/lamp?to=20`, { method: "PUT" })).status).toBe(200);
  expect((await get(other, "lamp")).prices).toEqual({ lamp: 20 });
  await expect.poll(async () => (await get(one, "lamp")).prices).toEqual({ lamp: 20 });
  await command?.stop();
  expect(await command?.hasEnded()).toBe(true);
});

test("while Redis is away prices are loaded, and changes are refused; when it is back all is as before", async () => {
  const [one, other] = await start();
  await get(one, "lamp");
  await redis?.stop();
  expect((await get(other, "chair,table")).prices).toEqual({ chair: 80, table: 240 });
  expect((await fetch(`${one}/prices/lamp?to=20`, { method: "PUT" })).status).toBe(503);
  expect((await get(one, "lamp")).prices).toEqual({ lamp: 20 });
  await redis?.restart();
  await expect.poll(async () => (await get(other, "lamp")).prices, { timeout: 20_000 }).toEqual({ lamp: 20 });
  await expect.poll(async () => (await get(one, "chair")).loaded, { timeout: 20_000 }).toEqual([]);
});
