// Many caches on one client: they share its listeners, and one connection that listens, as long as there is one of them.
import type { EventEmitter } from "node:events";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { redisStore } from "../../../src/store/redis.ts";
import type { RedisClient } from "../../../src/store/redis.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { textOf } from "../../support/resp.ts";
import { clients } from "./clients.ts";
import { driverOf, ownRedis, untilAnswered } from "./harness.ts";
import { channelsOf } from "./nodes.ts";
import { whyNoRedis } from "./servers.ts";

const CACHES = 30; // Node warns of the eleventh listener to an event

const nowhere = { host: "127.0.0.1", port: 1 };
const unconnected: Readonly<Record<string, () => RedisClient>> = {
  "a client of ioredis": () => new Redis({ ...nowhere, lazyConnect: true }),
  "a cluster of ioredis": () => new Cluster([nowhere], { lazyConnect: true }),
  "a client of node-redis": () => createClient(),
  "a cluster of node-redis": () => createCluster({ rootNodes: [] }),
};

const listenersOf = (client: RedisClient): number => {
  const emitter = client as unknown as EventEmitter; // all four are
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
};

test.each(Object.keys(unconnected))(
  "many caches on %s listen once, and no longer when the last is closed",
  async (kind) => {
    const warnings: string[] = [];
    const warn = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", warn);
    onTestFinished(() => void process.off("warning", warn));
    const client = unconnected[kind]!();
    const before = listenersOf(client);
    const connect = (index: number) =>
      redisStore(client).connect({ name: `cache ${index}`, platform: defaultPlatform() });
    const first = connect(0);
    const once = listenersOf(client);
    expect(once).toBeGreaterThan(before);
    const others = Array.from({ length: CACHES }, (_, index) => connect(index));
    expect(listenersOf(client)).toBe(once);
    await Promise.all(others.map((each) => each.close()));
    expect(listenersOf(client)).toBe(once);
    await first.close();
    expect(listenersOf(client)).toBe(before);
    await new Promise((resolve) => setImmediate(resolve)); // warnings come later
    expect(warnings).toEqual([]);
  },
);

describe.skipIf(whyNoRedis !== undefined).each(Object.keys(clients))("caches on one client of %s", (kind) => {
  test("share one connection that listens, to their own channels only, and it ends with the last", async () => {
    const server = await ownRedis();
    const [here, there] = [await clients[kind]!(server.url), await clients[kind]!(server.url)];
    onTestFinished(async () => void (await Promise.all([here.close(), there.close()])));
    const names = ["a", "b", "c"];
    const leaders = names.map((name) => driverOf(there.client, {}, name));
    const followers = names.map((name) => driverOf(here.client, {}, name));
    const wake = async (indexes: readonly number[], key: string): Promise<void> => {
      for (const index of indexes) {
        const grant = await leaders[index]!.lease(key);
        const held = await followers[index]!.hold(key);
        await expect.poll(channels).toEqual(expect.arrayContaining([`isocache:1:{${names[index]}:0}`]));
        await leaders[index]!.commit(grant, entryOf([index]));
        expect((await held.reply).entry?.bytes?.[0]).toBe(index);
      }
    };
    const channels = () => channelsOf(server);
    const listeners = async (): Promise<number> =>
      (textOf(await server.command("CLIENT", "LIST", "TYPE", "pubsub")) ?? "").split("\n").filter(Boolean).length;

    await wake([0, 1, 2], "k");
    expect(await listeners()).toBe(1);
    await followers[1]!.connection.close();
    await expect.poll(channels).toEqual(["isocache:1:{a:0}", "isocache:1:{c:0}"]);
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await untilAnswered(() => followers[0]!.info());
    await wake([0, 2], "after a loss");
    await expect.poll(channels).toEqual(["isocache:1:{a:0}", "isocache:1:{c:0}"]);
    await followers[0]!.connection.close();
    await followers[2]!.connection.close();
    await expect.poll(listeners).toBe(0);
    // And again, with a cache that comes later; and with one after the owner ended the client and connected it anew.
    followers[0] = driverOf(here.client, {}, "a");
    await wake([0], "later");
    expect(await listeners()).toBe(1);
    await here.reopen();
    followers[1] = driverOf(here.client, {}, "b");
    await wake([1], "anew");
    expect(await listeners()).toBe(1);
  });
});
