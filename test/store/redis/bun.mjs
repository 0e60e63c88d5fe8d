// Run by Bun with the address of a Redis: the store conformance suite on its own client; one line for each case that fails,
// then how many held.
import { RedisClient } from "bun";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";

const [, , url, prefix] = process.argv;
const client = new RedisClient(url);
let held = 0;
for (const [index, { name, run }] of storeConformance.entries()) {
  try {
    await run(async () => ({
      store: redisStore(client, { prefix: `${prefix}${index}:` }),
      platform: defaultPlatform(),
      advance: (durationMs) => Bun.sleep(durationMs),
      close: async () => undefined,
    }));
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}
client.close();
console.log(`${held} of ${storeConformance.length} held, in Bun ${Bun.version}`);
