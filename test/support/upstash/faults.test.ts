// What tests can do to the server, and what the server does when Redis is gone; and the server as a command.
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startCommand } from "../../examples/command.ts";
import { binary, root } from "../../tooling/install.mjs";
import { startRedis } from "../redis.ts";
import { program } from "../services.ts";
import { rateLimited } from "./faults.ts";
import { events, redis, world } from "./world.ts";

describe.skipIf(redis.isMissing)("faults", () => {
  test("an answer of one's own comes as often as asked for, and nothing runs", async () => {
    const { server, send, ask } = await world();
    server.fault(rateLimited(3), { times: 2 });
    const response = await send("/ping");
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
    expect((await ask("/ping"))[0]).toBe(429);
    expect(server.billed()).toBe(0);
    expect((await ask("/ping"))[0]).toBe(200);
    server.fault({ kind: "answer", status: 502, body: "<html>" });
    expect(await (await send("/ping")).text()).toBe("<html>");
  });

  test("a dropped request did not run, a dropped or half answer did", async () => {
    const { server, prefix, send, ask } = await world();
    const key = `${prefix}n`;
    for (const [at, count] of [
      ["request", "0"],
      ["answer", "1"],
      ["half", "2"],
    ] as const) {
      server.fault({ kind: "drop", at });
      await expect(send(`/incr/${key}`).then((response) => response.text())).rejects.toThrow();
      expect(await ask(`/incrby/${key}/0`)).toEqual([200, { result: Number(count) }]);
    }
  });

  test("requests and answers are held until they are let go, and others pass", async () => {
    const { server, prefix, ask } = await world();
    for (const at of ["request", "answer"] as const) {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => (release = resolve));
      server.reset();
      server.fault({ kind: "hold", at, until }, { only: (asked) => asked.kind === "pipeline" });
      const held = ask("/pipeline", { body: JSON.stringify([["INCR", `${prefix}${at}`]]) });
      await expect.poll(() => server.requests().length, { timeout: 20_000 }).toBe(1);
      const runs = at === "request" ? null : "1";
      await expect.poll(() => ask(`/get/${prefix}${at}`), { timeout: 20_000 }).toEqual([200, { result: runs }]);
      release();
      expect(await held).toEqual([200, [{ result: 1 }]]);
    }
  });

  test("answers can be late", async () => {
    const { server, ask } = await world();
    server.fault({ kind: "delay", at: "answer", ms: 60 });
    const startedAt = performance.now();
    await ask("/ping");
    expect(performance.now() - startedAt).toBeGreaterThan(55);
  });

  test("event streams can be cut alone", async () => {
    const { server, prefix, send, ask } = await world();
    const subscribe = () => send(`/subscribe/${prefix}c`, { headers: { accept: "text/event-stream" } });
    const next = events(await subscribe());
    await next(1);
    server.cutSubscriptions();
    await expect(next(1)).rejects.toThrow();
    expect(await events(await subscribe())(1)).toHaveLength(1);
    await expect.poll(() => ask(`/publish/${prefix}c/x`), { timeout: 20_000 }).toEqual([200, { result: 1 }]);
  });

  test("a server that stops accepting cuts everything, and comes back on its port", async () => {
    const { server, prefix, send, ask } = await world();
    const next = events(await send(`/subscribe/${prefix}c`, { headers: { accept: "text/event-stream" } }));
    await next(1);
    await server.stopAccepting();
    await expect(next(1)).rejects.toThrow();
    await expect(send("/ping")).rejects.toThrow("fetch failed");
    await server.startAccepting();
    expect(await ask("/ping")).toEqual([200, { result: "PONG" }]);
  });

  test.skipIf(program("redis").isMissing)("without Redis it is 503, and it connects again by itself", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const { ask, send } = await world({ redis: own.url });
    const next = events(await send("/subscribe/c", { headers: { accept: "text/event-stream" } }));
    expect(await next(1)).toEqual(["data: subscribe,c,1"]);
    expect((await ask("/ping"))[0]).toBe(200);
    await own.kill();
    await expect(next(1)).rejects.toThrow();
    await expect.poll(async () => (await ask("/ping"))[0], { timeout: 20_000 }).toBe(503);
    await own.restart();
    expect(await ask("/ping")).toEqual([200, { result: "PONG" }]);
  });
});

test.skipIf(redis.isMissing)("it runs as a command and ends on an interrupt", async () => {
  const script = join(root, "test/support/upstash/serve.ts");
  const args = [script, "--redis", redis.url, "--port", "0", "--token", "secret"];
  const command = startCommand(binary("node"), args, root, process.env);
  onTestFinished(() => command.stop());
  const [, url] = await command.printed(/at (http:\S+)/);
  const response = await fetch(`${url}/ping`, { headers: { authorization: "Bearer secret" } });
  expect(await response.json()).toEqual({ result: "PONG" });
  await command.stop();
  expect(await command.code).toBe(0);
});
