// Run by Bun with the address of a Redis: the bus conformance suite on redisBus over its own client, and a store that is its own
// bus; one line for each case that fails, then how many held. The process ends by itself.
import { RedisClient } from "bun";
import { defaultPlatform } from "../../src/default-platform.ts";
import { createCache } from "../../src/index.ts";
import { redisBus, redisStore } from "../../src/store/redis.ts";
import { busConformance } from "../../src/testing/bus-conformance.ts";

const [, , url, prefix] = process.argv;
const client = new RedisClient(url);
let held = 0;
const cases = busConformance.filter(({ cuts }) => !cuts);
for (const [index, { name, run }] of cases.entries()) {
  try {
    await run(async () => ({
      bus(options) {
        const bus = redisBus(client, { source: `${prefix}${Math.random()}`, ...options });
        return {
          ...bus,
          connect: (port) => bus.connect(Object.assign(port, { name: `${prefix}${index}${port.name}` })),
        };
      },
      platform: defaultPlatform(),
      advance: (durationMs) => Bun.sleep(durationMs),
      close: async () => undefined,
    }));
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}

const make = () => createCache({ name: prefix, store: redisStore(client, { prefix }), maxStaleness: "1h" });
const [a, b] = [make(), make()];
await b.getOrSet("k", () => 1);
for (let tries = 0; tries < 500 && b.stats().syncs === 0; tries++) await Bun.sleep(10);
await a.delete("k");
for (let tries = 0; tries < 500 && (await b.get("k", { store: false })) !== undefined; tries++) await Bun.sleep(10);
const left = await b.get("k", { store: false });
await Promise.all([a.close(), b.close()]);
client.close();
console.log(`${held} of ${cases.length} held; ${left} is left`);
