// The store over HTTP in real workerd, its address and token in bindings, with and without Node's compatibility.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeConformance } from "../../src/testing/store-conformance.ts";
import { hasRedisServer, startRedis } from "../support/redis.ts";
import type { RedisServer } from "../support/redis.ts";
import { startUpstash } from "../support/upstash/server.ts";
import type { UpstashServer } from "../support/upstash/server.ts";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";

const script = "./upstash-worker.ts";
const settings = [
  { compatibilityDate: "2024-01-01", compatibilityFlags: [] },
  { compatibilityDate: "2026-10-23", compatibilityFlags: [] },
  { compatibilityDate: "2026-10-23", compatibilityFlags: ["nodejs_compat"] },
];

describe.skipIf(!hasRedisServer()).each(settings)(
  "a store over HTTP in workerd of $compatibilityDate, flags $compatibilityFlags",
  (setting) => {
    let redis: RedisServer;
    let server: UpstashServer;
    let workerd: Workerd;
    beforeAll(async () => {
      redis = await startRedis();
      server = await startUpstash({ redis: redis.url, token: "workers-token" });
      const bindings = { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: server.token };
      workerd = await startWorkerd({ script, ...setting, objects: {}, bindings });
    });
    afterAll(async () => {
      await workerd?.stop();
      await server?.close();
      await redis?.close();
    });

    test("keeps every promise of the store contract", async () => {
      const failures: string[] = [];
      const one = async (index: number): Promise<void> => {
        const text = await (await workerd.fetch("edge1", `/conformance?case=${index}`)).text();
        if (text !== "ok") failures.push(`${storeConformance[index]?.name}: ${text}`);
      };
      const line = async (first: number): Promise<void> => {
        for (let index = first; index < storeConformance.length; index += 4) await one(index);
      };
      await Promise.all([0, 1, 2, 3].map(line));
      expect(failures).toEqual([]);
    });

    test("loads a cold key once for two isolates and several requests in each", async () => {
      const ask = async (isolate: string) =>
        (await (await workerd.fetch(isolate, "/?key=cold&callers=20")).json()) as { loads: number; outcomes: string[] };
      const answers = await Promise.all(["edge1", "edge2", "edge1", "edge2", "edge1"].map(ask));
      expect(answers.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
      expect(answers.map(({ outcomes }) => outcomes)).toEqual(answers.map(() => ["value"]));
      expect(workerd.uncaught).toEqual([]);
    });
  },
);

test("a Worker without the bindings is told which one it misses", async () => {
  const workerd = await startWorkerd({ script, compatibilityDate: "2026-10-23", objects: {} });
  try {
    const { outcomes } = (await (await workerd.fetch("edge1", "/?key=k&callers=1")).json()) as { outcomes: string[] };
    expect(outcomes.join()).toMatch(/OptionError.*UPSTASH_REDIS_REST_URL is not set/);
  } finally {
    await workerd.stop();
  }
});
