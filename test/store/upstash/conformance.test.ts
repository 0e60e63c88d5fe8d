// The conformance suite over HTTP in front of a real Redis, by each transport: time passes there, so the cases sleep.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";
import { deleteKeys } from "../../support/own-keys.ts";
import { service } from "../../support/services.ts";
import { startUpstash } from "../../support/upstash/server.ts";
import type { UpstashServer } from "../../support/upstash/server.ts";
import { transports } from "./world.ts";

const redis = service("redis");

describe.skipIf(redis.isMissing).each(Object.entries(transports))("a store over HTTP by %s", (_, make) => {
  const all = `isocache-test:${randomUUID()}:`;
  let last = 0;
  let server: UpstashServer;
  beforeAll(async () => (server = await startUpstash({ redis: redis.url })));
  afterAll(async () => {
    await server.close();
    await deleteKeys(redis.url, all);
  });

  test.each(storeConformance)("$name", async ({ run }) => {
    const prefix = `${all}${++last}:`;
    await run(async () => ({
      store: make(server, { prefix }),
      platform: defaultPlatform(),
      advance: async (durationMs) => sleep(durationMs),
      close: async () => undefined,
    }));
  });
});
