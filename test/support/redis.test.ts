// A redis-server of one's own, and the proxy in front of it: they do to clients what the tests of stores need.
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { startRedisProxy } from "./redis-proxy.ts";
import { startRedis } from "./redis.ts";
import type { RedisConfig } from "./redis.ts";
import { connectRedis } from "./resp-client.ts";
import { textOf } from "./resp.ts";
import { program, service } from "./services.ts";

const redis = service("redis");

async function started(config?: RedisConfig) {
  const server = await startRedis(config);
  onTestFinished(() => server.close());
  return server;
}

async function proxied() {
  const proxy = await startRedisProxy(redis.url);
  onTestFinished(() => proxy.close());
  const client = async () => {
    const connected = await connectRedis(proxy.url);
    onTestFinished(() => connected.close());
    return connected;
  };
  return { proxy, client };
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(program("redis").isMissing)("a redis-server of one's own", () => {
  test("takes its configuration and leaves neither a process nor data behind", async () => {
    const server = await startRedis({ "maxmemory-policy": "allkeys-lru" });
    const folder = await server.command("CONFIG", "GET", "dir");
    const policy = await server.command("CONFIG", "GET", "maxmemory-policy");
    const pid = server.pid!;
    expect(isRunning(pid)).toBe(true);
    await server.close();
    expect(policy).toMatchObject({ items: [{}, { bytes: Buffer.from("allkeys-lru") }] });
    expect(isRunning(pid)).toBe(false);
    expect(server.pid).toBeUndefined();
    const path = folder.type === "array" ? textOf(folder.items![1]!)! : "";
    expect(path).toContain("isocache-redis-");
    expect(existsSync(path)).toBe(false);
    await expect(server.command("PING")).rejects.toThrow("ECONNREFUSED");
    await expect(server.restart()).rejects.toThrow("was closed");
  });

  test("keeps its port over a restart, and only what is on the disk survives a kill", async () => {
    const server = await started();
    await server.command("SET", "k", "v");
    await server.kill();
    await server.restart({ appendonly: "yes", appendfsync: "always" });
    expect(textOf(await server.command("EXISTS", "k"))).toBe("0");
    await server.command("SET", "k", "v");
    await server.restart();
    expect(textOf(await server.command("GET", "k"))).toBe("v");
  });

  test("can be a replica, and a cluster of one", async () => {
    const primary = await started();
    const replica = await started({ replicaof: `127.0.0.1 ${primary.port}` });
    await primary.command("SET", "k", "v");
    await expect.poll(async () => textOf(await replica.command("GET", "k")), { timeout: 20_000 }).toBe("v");
    expect(textOf(await replica.command("SET", "k", "w"))).toMatch(/^READONLY/);
    const cluster = await started({ "cluster-enabled": "yes" });
    await cluster.command("CLUSTER", "ADDSLOTS", ...Array.from({ length: 16_384 }, (_, slot) => String(slot)));
    await expect.poll(async () => textOf(await cluster.command("SET", "k", "v")), { timeout: 20_000 }).toBe("OK");
  });

  test("holds its answers while it is paused", async () => {
    const server = await started();
    const client = await connectRedis(server.url);
    onTestFinished(() => client.close());
    server.pause();
    let isAnswered = false;
    const answer = client.send(["PING"]).then((reply) => {
      isAnswered = true;
      return reply;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAnswered).toBe(false);
    server.resume();
    expect(textOf(await answer)).toBe("PONG");
  });

  test("says what it said when it cannot start", async () => {
    await expect(startRedis({ "maxmemory-policy": "nonsense" })).rejects.toThrow(/before it was ready:[^]*nonsense/);
  });
});

describe.skipIf(redis.isMissing)("the proxy", () => {
  test("counts commands by name and connection", async () => {
    const { proxy, client } = await proxied();
    const [one, other] = [await client(), await client()];
    proxy.reset();
    await one.sendAll([
      ["get", "isocache-proxy"],
      ["GET", "isocache-proxy"],
      ["ECHO", "x"],
    ]);
    await other.send(["ECHO", "y"]);
    expect(proxy.counts()).toEqual({ GET: 2, ECHO: 2 });
    expect(proxy.connections()).toMatchObject([
      { isOpen: true, counts: { GET: 2, ECHO: 1 } },
      { isOpen: true, counts: { ECHO: 1 } },
    ]);
  });

  test("understands what ioredis and node-redis send", async () => {
    const { proxy } = await proxied();
    const io = new Redis(proxy.url);
    onTestFinished(() => io.disconnect());
    const node = createClient({ url: proxy.url });
    onTestFinished(() => node.destroy());
    await Promise.all([io.ping(), node.connect()]);
    proxy.reset();
    await Promise.all([io.echo("a"), io.eval("return 1", 0), node.echo("b"), node.multi().echo("c").exec()]);
    expect(proxy.counts()).toEqual({ ECHO: 3, EVAL: 1, MULTI: 1, EXEC: 1 });
  });

  test("holds requests and answers until it is told to resume, and loses nothing", async () => {
    const { proxy, client } = await proxied();
    const one = await client();
    for (const what of ["requests", "answers", "both"] as const) {
      proxy.stall(what);
      let isAnswered = false;
      const answers = one
        .sendAll([
          ["ECHO", "a"],
          ["ECHO", "b"],
        ])
        .then((replies) => {
          isAnswered = true;
          return replies.map(textOf);
        });
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(isAnswered).toBe(false);
      proxy.resume();
      expect(await answers).toEqual(["a", "b"]);
    }
  });

  test("delays what passes, both ways", async () => {
    const { proxy, client } = await proxied();
    const one = await client();
    proxy.delay(40);
    const startedAt = performance.now();
    await one.send(["PING"]);
    expect(performance.now() - startedAt).toBeGreaterThan(75);
  });

  test("loses the answer of a command that Redis did run", async () => {
    const { proxy, client } = await proxied();
    const key = `isocache-proxy:${proxy.port}`;
    const direct = await connectRedis(redis.url);
    onTestFinished(async () => {
      await direct.send(["DEL", key]);
      direct.close();
    });
    const one = await client();
    proxy.loseAnswerOf("incr");
    expect(textOf(await one.send(["ECHO", "x"]))).toBe("x");
    await expect(one.send(["INCR", key])).rejects.toThrow();
    expect(textOf(await direct.send(["GET", key]))).toBe("1");
    expect(textOf(await (await client()).send(["INCR", key]))).toBe("2");
  });

  test("cuts and refuses", async () => {
    const { proxy, client } = await proxied();
    const one = await client();
    proxy.cut();
    await one.ended;
    expect(proxy.connections().every(({ isOpen }) => !isOpen)).toBe(true);
    proxy.refuse();
    await expect(connectRedis(proxy.url)).rejects.toThrow();
    proxy.accept();
    expect(textOf(await (await client()).send(["PING"]))).toBe("PONG");
    await proxy.close();
    const refusal = await new Promise<Error>((resolve) => connect(proxy.port, "127.0.0.1").on("error", resolve));
    expect(refusal.message).toContain("ECONNREFUSED");
  });
});
