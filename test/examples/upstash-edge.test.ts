// The Worker of examples/upstash-edge: one command starts it against the stand-in for Upstash, and it loads once.
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { hasRedisServer, startRedis } from "../support/redis.ts";
import { root, toolEnv } from "../tooling/install.mjs";
import { startCommand } from "./command.ts";

const quiet = { CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", NO_COLOR: "1" };

it.skipIf(!hasRedisServer())("a product is loaded once, served again, and forgotten when told to", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const env = { ...toolEnv(), ...quiet, PORT: "0", REDIS_URL: redis.url };
  const command = startCommand("npm", ["start"], join(root, "examples/upstash-edge"), env);
  onTestFinished(() => command.stop());
  const [, url = ""] = await command.printed(/Ready on (http\S+)\s/);
  const get = async (): Promise<[string | null, unknown]> => {
    const response = await fetch(`${url}/product/1`);
    return [response.headers.get("cache-status"), await response.json()];
  };
  const [how, product] = await get();
  expect(how).toBe("isocache; fwd=miss");
  expect(await get()).toEqual(["isocache; hit", product]);
  expect((await fetch(`${url}/invalidate?tag=products`, { method: "POST" })).status).toBe(200);
  const [after, other] = await get();
  expect(after).toBe("isocache; fwd=miss");
  expect(other).not.toEqual(product);
  await command.stop();
  // Twice read-or-lease and commit, one invalidation, and the script that was not known yet.
  expect(command.output()).toContain("Upstash would have billed 6 commands");
});
