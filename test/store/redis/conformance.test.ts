// The conformance suite on a real Redis, over each client: time passes there, so the cases sleep.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";
import { clients, freshPrefix, sweep } from "./clients.ts";
import type { OpenClient } from "./clients.ts";
import { sharedRedis, whyNoRedis } from "./servers.ts";

const url = sharedRedis();

describe.skipIf(whyNoRedis !== undefined).each(Object.keys(clients))("a Redis store over %s", (kind) => {
  let open: OpenClient;
  beforeAll(async () => (open = await clients[kind]!(await url())));
  afterAll(() => open.close());

  test.each(storeConformance)("$name", async ({ run }) => {
    const prefix = freshPrefix();
    await run(async () => ({
      store: redisStore(open.client, { prefix }),
      platform: defaultPlatform(),
      advance: (durationMs) => sleep(durationMs),
      close: () => sweep(open, prefix),
    }));
  });
});
