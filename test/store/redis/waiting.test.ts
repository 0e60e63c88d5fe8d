// Those who wait for another's load over Redis: woken by Pub/Sub, by looking, and never left waiting; and what stays open.
import { execFile, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCache } from "../../../src/index.ts";
import { redisStore } from "../../../src/store/redis.ts";
import { plainPreludes } from "../../../src/store/redis/preludes.ts";
import type { RedisReply } from "../../../src/store/redis/transport.ts";
import { storeOver } from "../../../src/store/redis/store-over.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { storeConformance } from "../../../src/testing/store-conformance.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { clientOf, counted, driverOf, ownRedis } from "./harness.ts";
import { sharedRedis, whyNoRedis } from "./servers.ts";
import { freshPrefix } from "./clients.ts";

const run = promisify(execFile);

describe.skipIf(whyNoRedis !== undefined)("waiting over Redis", () => {
  test("one who waits sends nothing while nothing happens, and one command when it is woken", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const leader = driverOf(clientOf(server.url));
    const { sent } = counted(client);
    const follower = driverOf(client);
    const grant = await leader.lease("k");
    await follower.info();
    sent.length = 0;
    const held = await follower.hold("k");
    await expect.poll(async () => await server.command("PUBSUB", "CHANNELS")).toMatchObject({ items: [{}] });
    await sleep(100);
    const asked = sent.length; // asked, perhaps looked while it was subscribing, asked again
    expect(asked).toBeLessThan(8);
    await sleep(600);
    expect(sent.length).toBe(asked);
    await leader.commit(grant, entryOf([7]));
    expect((await held.reply).entry?.bytes?.[0]).toBe(7);
    expect(sent.length).toBe(asked + 1);
  });

  test("without the bus it looks for itself, and nobody is listened to", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const [leader, follower] = [driverOf(clientOf(server.url), { bus: false }), driverOf(client, { bus: false })];
    const grant = await leader.lease("k");
    const held = await follower.hold("k");
    await sleep(100);
    await leader.commit(grant, entryOf([7]));
    expect((await held.reply).entry?.bytes?.[0]).toBe(7);
    expect(await client.call("CLIENT", "LIST", "TYPE", "pubsub")).toBe("");
  });

  test.each(["ioredis", "node-redis"])(
    "over %s a subscription that was killed comes back, and nothing is missed",
    async (kind) => {
      const server = await ownRedis();
      const leader = driverOf(clientOf(server.url));
      const other = createClient({ url: server.url, socket: { reconnectStrategy: () => 10 } });
      other.on("error", () => undefined);
      await other.connect();
      onTestFinished(() => other.destroy());
      const follower = driverOf(kind === "ioredis" ? clientOf(server.url) : other);
      for (let round = 0; round < 3; round++) {
        const grant = await leader.lease(`k${round}`);
        const held = await follower.hold(`k${round}`);
        if (round === 1) await sleep(100);
        await server.command("CLIENT", "KILL", "TYPE", "pubsub");
        await leader.commit(grant, entryOf([round]));
        expect((await held.reply).entry?.bytes?.[0]).toBe(round);
      }
    },
  );

  test("close ends the connection that it opened, and answers those who wait; the user's stays open", async () => {
    const server = await ownRedis();
    const client = clientOf(server.url);
    const store = driverOf(client);
    await store.lease("k");
    const held = await store.hold("k");
    const clients = async (): Promise<number> =>
      String(await server.command("CLIENT", "LIST").then(JSON.stringify)).length;
    await expect.poll(async () => await client.call("PUBSUB", "CHANNELS")).toEqual(["isocache:1:{test:0}"]);
    await store.connection.close();
    await store.connection.close();
    expect((await held.reply).busy?.backoff).toBe(false);
    await expect.poll(async () => await client.call("PUBSUB", "CHANNELS")).toEqual([]);
    expect(await clients()).toBeGreaterThan(0);
    expect(await client.ping()).toBe("PONG");
  });

  test("a process that waited ends by itself when its own client ends", async () => {
    const server = await ownRedis();
    for (const kind of ["ioredis", "redis"]) {
      const { stdout } = await run(
        process.execPath,
        [new URL("process.mjs", import.meta.url).pathname, kind, server.url],
        {
          timeout: 20_000,
        },
      );
      expect(stdout.trim()).toBe("ended");
    }
  });

  test("two caches on one Redis share values, invalidations and one load", async () => {
    const server = await ownRedis();
    const node = createClient({ url: server.url });
    await node.connect();
    onTestFinished(() => node.destroy());
    const [here, there] = [clientOf(server.url), node].map((client) =>
      createCache({ name: "shop", store: redisStore(client), consistency: "strong" }),
    );
    onTestFinished(async () => {
      await Promise.all([here!.close(), there!.close()]);
    });
    await here!.set("k", { a: 1 }, { tags: ["t"] });
    expect(await there!.get("k")).toEqual({ a: 1 });
    await there!.invalidateTags(["t"]);
    expect(await here!.get("k")).toBeUndefined();
    let loads = 0;
    const load = async (): Promise<string> => {
      loads++;
      await sleep(100);
      return "loaded";
    };
    const calls = [here!, there!, here!, there!].map((cache) => cache.getOrSet("cold", load));
    expect(await Promise.all(calls)).toEqual(["loaded", "loaded", "loaded", "loaded"]);
    expect(loads).toBe(1);
  });
});

const bun = new URL("../../../node_modules/.bin/bun", import.meta.url).pathname;
const hasBun = spawnSync(bun, ["--version"], { stdio: "ignore" }).status === 0;

describe.skipIf(whyNoRedis !== undefined || !hasBun)("in Bun", () => {
  const url = sharedRedis();
  test("the conformance suite holds over its own client", async () => {
    const path = new URL("bun.mjs", import.meta.url).pathname;
    const { stdout } = await run(bun, [path, await url(), freshPrefix()], { timeout: 60_000 });
    expect(stdout.trim()).toContain(`${storeConformance.length} of ${storeConformance.length} held`);
  });

  test("a restart from an old snapshot is a new epoch", async () => {
    const { stdout } = await run(bun, [new URL("bun-restart.mjs", import.meta.url).pathname], { timeout: 60_000 });
    expect(stdout.trim()).toBe("a new epoch");
  });
});

test("a read is answered within its wait and one round trip, whenever its looks come", async () => {
  const tripMs = 80;
  for (let seed = 1; seed <= 20; seed++) {
    const platform = virtualPlatform({ seed });
    const busy = [[`${"e".repeat(22)}\n0\n`, 1_000_000, "\n\n5000\n=owner"]];
    const send = (): Promise<typeof busy> =>
      new Promise((resolve) => void platform.setTimeout(() => resolve(busy), tripMs));
    const transport = { preludes: plainPreludes, incarnation: false, send };
    const connection = storeOver("redis", () => transport, {}).connect({ name: "test", platform });
    let heldAt = 0;
    const onHeld = (): void => void (heldAt = platform.monotonic());
    const lease = { token: "t", leaseMs: 200, scopes: [] };
    await platform.run(connection.read(0, { key: "k", waitMs: 200, lease }, { onHeld }));
    expect(platform.monotonic() - heldAt, `seed ${seed}`).toBeLessThanOrEqual(200 + tripMs);
  }
});

test("who waits looks again as one who believes in the number of partitions that it began with", async () => {
  const platform = virtualPlatform();
  const heads: string[] = [];
  let reply: RedisReply[] = [[`${"e".repeat(22)}\n0\n`, 1_000_000, "\n\n5000\n=owner"]];
  const send = async (command: readonly (string | Uint8Array)[]) => {
    heads.push(String(command[3 + Number(command[2])]));
    return reply;
  };
  const transport = { preludes: plainPreludes, incarnation: false, send };
  const connection = storeOver("redis", () => transport, { partitions: 3 }).connect({ name: "test", platform });
  const lease = { token: "t", leaseMs: 200, scopes: [] };
  const held = connection.read(2, { key: "k", waitMs: 200, lease }, {});
  await platform.advance(0);
  reply = ["moved\n1"];
  expect(await connection.info(0, {})).toEqual({ moved: true });
  expect(await platform.run(held)).toEqual({ moved: true });
  await connection.info(0, {});
  expect(heads).toEqual(["3\n", "3\n", "3\n", "1\n"]);
});
