// Redis as a bus: redisBus over each client, and the store as its own bus, which publishes in its script.
import { existsSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { redisBus } from "../../src/bus/redis.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import { createCache, type CacheOptions } from "../../src/index.ts";
import { redisStore } from "../../src/store/redis.ts";
import { busConformance } from "../../src/testing/bus-conformance.ts";
import type { BusFixture } from "../../src/testing/bus-driver.ts";
import { clients, freshPrefix } from "../store/redis/clients.ts";
import { sharedRedis, whyNoRedis } from "../store/redis/servers.ts";
import { binary, runTool } from "../tooling/install.mjs";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { startRedis } from "../support/redis.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(whyNoRedis !== undefined).each(Object.entries(clients))("over %s", (_, open) => {
  const url = sharedRedis();

  describe("redisBus", () => {
    for (const { name, run } of busConformance) {
      test(name, async () => {
        const { hostname, port } = new URL(await url());
        const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
        const users = [await open(`redis://127.0.0.1:${proxy.port}`)];
        // Names of its own: others use this Redis, too.
        const prefix = freshPrefix();
        await run(async (): Promise<BusFixture> => {
          const platform = defaultPlatform();
          return {
            bus: (options) => {
              const bus = redisBus(users[0]!.client, { source: `${prefix}${Math.random()}`, ...options });
              return { ...bus, connect: (port) => bus.connect(Object.assign(port, { name: prefix + port.name })) };
            },
            platform,
            advance: sleep,
            async cut() {
              proxy.refuse();
              proxy.cut();
            },
            restore: async () => proxy.accept(),
            async close() {
              proxy.accept();
              await Promise.all(users.map(({ close }) => close().catch(() => undefined)));
              await proxy.close();
            },
          };
        });
      });
    }
  });

  /** Two instances, each with a client of its own. */
  async function fleet(address: string, options: (client: Awaited<ReturnType<typeof open>>) => CacheOptions) {
    const make = async () => {
      const client = await open(address);
      const cache = createCache({ name: freshPrefix(), maxStaleness: "1h", ttl: "1h", ...options(client) });
      onTestFinished(async () => {
        await cache.close();
        await client.close().catch(() => undefined);
      });
      return { cache, client };
    };
    return [await make(), await make()] as const;
  }

  const name = freshPrefix();
  const own = ({ client }: Awaited<ReturnType<typeof open>>): CacheOptions => ({ name, store: redisStore(client) });

  test("the store is its own bus: what one invalidates, the others forget, at no trip more", async () => {
    const [a, b] = await fleet(await url(), own);
    const up = new Promise<void>((resolve) => b.cache.on("bus", ({ state }) => state === "up" && resolve()));
    const errors: unknown[] = [];
    b.cache.on("error", ({ error }) => errors.push(error));
    await b.cache.getOrSet("other", () => 1);
    await up;
    // When it begins to listen it asks once what it may have missed.
    const trips = (): number => a.cache.stats().roundTrips - a.cache.stats().syncs;
    for (const [round, invalidate] of [
      () => a.cache.delete("k"),
      () => a.cache.set("k", "set"),
      () => a.cache.invalidateTags(["t"]),
      () => a.cache.clear(),
    ].entries()) {
      await b.cache.getOrSet("k", () => `loaded ${round}`, { tags: ["t"] });
      const before = trips();
      await invalidate();
      expect(trips() - before).toBe(1);
      // Not the log: memory is believed for an hour.
      await expect.poll(() => b.cache.get("k", { store: false })).toBe(undefined);
      await a.cache.delete("k");
    }
    // An invalidation of so many tags is too long for a message: the position is told, and the log is asked.
    const many = Array.from({ length: 100 }, (_, index) => `${"tag ".repeat(100)}${index}`);
    await b.cache.getOrSet("k", () => "tagged", { tags: many.slice(-1) });
    await a.cache.invalidateTags(many);
    await expect.poll(() => b.cache.get("k", { store: false })).toBe(undefined);
    await b.cache.getOrSet("k", () => "stale", { staleWhileRevalidate: "1h" });
    await a.cache.expire("k");
    await expect.poll(async () => (await b.cache.getEntry("k", { store: false }))?.state).toBe("stale");
    expect(errors).toEqual([]);
  });

  test("a subscription that was cut comes back, and what was missed is asked of the log", async () => {
    const server = await startRedis();
    onTestFinished(() => server.close());
    const [a, b] = await fleet(server.url, own);
    const states: string[] = [];
    b.cache.on("bus", ({ state }) => states.push(state));
    await b.cache.getOrSet("k", () => 1);
    await expect.poll(() => states.at(-1)).toBe("up");
    for (let round = 0; round < 5; round++) {
      await b.cache.getOrSet(`k${round}`, () => 1);
      await Promise.all([server.command("CLIENT", "KILL", "TYPE", "pubsub"), a.cache.delete(`k${round}`)]);
      await expect.poll(() => b.cache.get(`k${round}`, { store: false })).toBe(undefined);
    }
    await expect.poll(() => states.at(-1)).toBe("up");
    expect(states).toContain("down");
  });

  test("redisBus on the store's own client is the store's own bus, and with bus: false nothing is heard", async () => {
    const [a, b] = await fleet(await url(), (each) => ({ ...own(each), bus: redisBus(each.client) }));
    const kinds: string[] = [];
    b.cache.on("bus", ({ kind, state }) => kinds.push(`${kind} ${state}`));
    await b.cache.getOrSet("k", () => 1);
    await expect.poll(() => kinds).toEqual(["redis up"]);
    await a.cache.delete("k");
    await expect.poll(() => b.cache.get("k", { store: false })).toBe(undefined);

    const deaf = freshPrefix();
    const [c, d] = await fleet(await url(), ({ client }) => ({
      name: deaf,
      store: redisStore(client, { bus: false }),
    }));
    await d.cache.getOrSet("k", () => 1);
    await c.cache.delete("k");
    await sleep(200);
    expect(await d.cache.get("k")).toBe(1); // within maxStaleness
  });
});

const bun = binary("bun");
const whyNot = whyNoRedis ?? (existsSync(bun) ? undefined : "bun is not installed");

describe.skipIf(whyNot !== undefined)("over Bun's client", () => {
  const url = sharedRedis();

  test("redisBus keeps the promises of a bus, and the store is its own bus", async () => {
    const { output } = await runTool(bun, ["test/bus/redis-bun.mjs", await url(), freshPrefix()], {
      env: { NO_COLOR: "1" },
    });
    const count = busConformance.filter(({ cuts }) => !cuts).length;
    expect(output.trim()).toBe(`${count} of ${count} held; undefined is left`);
  });
});
