// Redis over HTTP as a bus: upstashBus over the stand-in for Upstash, and upstashStore as its own bus.
import { Redis } from "@upstash/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultPlatform } from "../../src/default-platform.ts";
import { createCache } from "../../src/index.ts";
import { upstashBus, upstashStore } from "../../src/store/upstash.ts";
import { busConformance } from "../../src/testing/bus-conformance.ts";
import type { BusFixture } from "../../src/testing/bus-driver.ts";
import { whyNoRedis } from "../store/redis/servers.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { world } from "../support/upstash/world.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(whyNoRedis !== undefined)("over HTTP", () => {
  describe("upstashBus", () => {
    for (const { name, run } of busConformance) {
      test(name, async () => {
        const { server, prefix } = await world({});
        const { hostname, port } = new URL(server.url);
        const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
        await run(async (): Promise<BusFixture> => ({
          bus: (options) => {
            const bus = upstashBus({ url: `http://127.0.0.1:${proxy.port}`, token: server.token, ...options });
            return { ...bus, connect: (port) => bus.connect(Object.assign(port, { name: prefix + port.name })) };
          },
          platform: defaultPlatform(),
          advance: sleep,
          async cut() {
            proxy.refuse();
            proxy.cut();
          },
          restore: async () => proxy.accept(),
          close: () => proxy.close(),
        }));
      });
    }
  });

  test("with a client of the user's own it publishes, at one command each, and listens to nothing", async () => {
    const { server, prefix } = await world({});
    const { url, token } = server;
    const teller = createCache({ name: prefix, bus: upstashBus(new Redis({ url, token })) });
    const listener = createCache({ name: prefix, bus: upstashBus({ url, token }) });
    onTestFinished(async () => void (await Promise.all([teller.close(), listener.close()])));
    const states: string[] = [];
    listener.on("bus", ({ state }) => states.push(state));
    await listener.getOrSet("other", () => 1);
    await expect.poll(() => states).toEqual(["up"]);
    await listener.getOrSet("k", () => 1);
    const before = server.billed();
    await teller.delete("k");
    await expect.poll(() => listener.get("k")).toBe(undefined);
    expect(server.billed() - before).toBe(1);
  });

  test("upstashStore with bus: true is its own bus, and costs no command more", async () => {
    const { server, prefix } = await world({});
    const { url, token } = server;
    const make = (bus: boolean) => {
      const store = upstashStore({ url, token, prefix, bus });
      const cache = createCache({ name: "shop", store, maxStaleness: "1h", ttl: "1h" });
      onTestFinished(() => cache.close());
      return cache;
    };
    const [a, b] = [make(false), make(true)];
    // When it listens, it asks once for what it may have missed.
    const synced = new Promise((resolve) => b.on("sync", resolve));
    await b.getOrSet("k", () => 1);
    await synced;
    await a.get("other");
    const before = server.billed();
    await a.delete("k");
    await expect.poll(() => b.get("k", { store: false })).toBe(undefined);
    expect(server.billed() - before).toBe(1);
  });

  test("a wrong address is an OptionError, and what is missing is told by the first message, as an error event", async () => {
    expect(() => upstashBus({ url: "nowhere", token: "t" })).toThrow(
      expect.objectContaining({ code: "ISOCACHE_OPTION" }),
    );
    expect(() => upstashBus({ url: "http://127.0.0.1:1", token: "a secret" })).toThrow(
      "token takes a string without spaces",
    );
    const errors: string[] = [];
    const cache = createCache({ bus: upstashBus() });
    cache.on("error", ({ operation, error }) => errors.push(`${operation}: ${String(error)}`));
    await cache.delete("k");
    await expect.poll(() => errors.join()).toContain("publish: OptionError: upstashBus");
    expect(errors.join()).toContain("UPSTASH_REDIS_REST_URL");
    await cache.close();
  });
});
