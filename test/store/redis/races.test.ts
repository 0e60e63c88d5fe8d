// Interleavings that a real Redis shows seldom, forced by holding back one answer of it.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { ioredisTransport } from "../../../src/store/redis/ioredis.ts";
import { storeOver } from "../../../src/store/redis/store-over.ts";
import { entryOf, ROOT, storeDriver } from "../../../src/testing/store-driver.ts";
import { clientOf, driverOf, ownRedis } from "./harness.ts";
import { whyNoRedis } from "./servers.ts";

describe.skipIf(whyNoRedis !== undefined)("an answer of Redis that is overtaken", () => {
  test("by the end of the lease it tells of: the one who begins to wait asks once more", async () => {
    const server = await ownRedis();
    const leader = driverOf(clientOf(server.url));
    const client = clientOf(server.url);
    const follower = driverOf(client);
    // A first wait, after which the messages come.
    const first = await leader.lease("first");
    const held = await follower.hold("first");
    await expect.poll(async () => await server.command("PUBSUB", "CHANNELS")).toMatchObject({ items: [{}] });
    await leader.commit(first, entryOf([1]));
    await held.reply;

    const grant = await leader.lease("k");
    const { callBuffer } = client;
    client.callBuffer = (async (...args: never[]) => {
      const reply: unknown = await Reflect.apply(callBuffer, client, args);
      client.callBuffer = callBuffer;
      await leader.commit(grant, entryOf([7]));
      await sleep(50); // the message has come, and found nobody
      return reply;
    }) as typeof callBuffer; // the same method, held back once
    const startedAt = performance.now();
    const { entry } = await follower.want("k", { waitMs: 20_000 });
    expect(entry?.bytes?.[0]).toBe(7);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("by the loss of the connection: it may come from a server that lost what its incarnation would have shown", async () => {
    const server = await ownRedis();
    const real = ioredisTransport(clientOf(server.url));
    let lose = (): void => undefined;
    let lossy = false;
    const store = storeOver(
      "redis",
      () => ({
        ...real,
        async send(command) {
          const reply = await real.send(command);
          if (lossy) lose();
          return reply;
        },
        onLost(lost) {
          lose = lost;
          return () => undefined;
        },
      }),
      {},
    );
    const platform = defaultPlatform();
    const driver = storeDriver({ store, platform, advance: async () => undefined, close: async () => undefined });
    await driver.set("k", entryOf([1]));
    lossy = true;
    await expect(driver.read("k")).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    // Now it asks the server who it is, and whatever comes is the truth.
    expect((await driver.read("k")).entry?.bytes?.[0]).toBe(1);
    lossy = false;
    await driver.connection.close();
  });

  test("by its caller's leaving: the lease that it brings is given back, and that ends though Redis hangs", async () => {
    const server = await ownRedis();
    const leader = driverOf(clientOf(server.url));
    const real = ioredisTransport(clientOf(server.url));
    const grant = await leader.lease("k");
    const leaving = new AbortController();
    let sent = 0;
    let release: AbortSignal | undefined;
    const store = storeOver(
      "redis",
      () => ({
        ...real,
        async send(command, signal) {
          if (leaving.signal.aborted) {
            release = signal;
            return new Promise(() => undefined); // Redis hangs
          }
          if (sent === 1) await leader.release(grant);
          const reply = await real.send(command, signal);
          // The second look of the one who waits finds the lease free; meanwhile its caller leaves.
          if (++sent > 1) leaving.abort();
          return reply;
        },
      }),
      { bus: false },
    );
    const platform = defaultPlatform();
    const connection = store.connect({ name: "test", platform });
    const lease = { token: "late", leaseMs: 20_000, scopes: [ROOT] };
    await connection.read(0, { key: "k", lease, waitMs: 20_000 }, { signal: leaving.signal });
    await expect.poll(() => release?.aborted, { timeout: 5_000 }).toBe(true);
    await connection.close();
  });
});
