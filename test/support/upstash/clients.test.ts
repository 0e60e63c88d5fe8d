// The official clients work against the server as against Upstash, their faults with binary included.
import { Redis } from "@upstash/redis";
import type { RedisConfigNodejs } from "@upstash/redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { redis, world } from "./world.ts";

/** A client and its server; the client tries nothing twice, so that counts are exact. */
async function upstash(options: Partial<RedisConfigNodejs> = {}) {
  const { server, prefix } = await world();
  const settings = { url: server.url, token: server.token, enableAutoPipelining: false, retry: false as const };
  return { server, prefix, client: new Redis({ ...settings, ...options }) };
}

describe.skipIf(redis.isMissing).for([
  { title: "with base64", options: {} },
  { title: "with plain JSON", options: { responseEncoding: false as const } },
])("@upstash/redis $title", ({ options }) => {
  test("reads what it wrote", async () => {
    const { server, prefix, client } = await upstash(options);
    expect(await client.set(`${prefix}a`, { deep: ["ü", 1, null] }, { ex: 100 })).toBe("OK");
    expect(await client.set(`${prefix}b`, "123")).toBe("OK");
    expect(await client.set(`${prefix}b`, "x", { nx: true })).toBeNull();
    expect(await client.get(`${prefix}a`)).toEqual({ deep: ["ü", 1, null] });
    // A string of digits comes back as a number: what the client makes of it, not the server.
    expect(await client.mget(`${prefix}a`, `${prefix}b`, `${prefix}none`)).toEqual([
      { deep: ["ü", 1, null] },
      123,
      null,
    ]);
    expect(await client.hset(`${prefix}h`, { one: 1, two: "zwei" })).toBe(2);
    expect(await client.hgetall(`${prefix}h`)).toEqual({ one: 1, two: "zwei" });
    expect(await client.ttl(`${prefix}a`)).toBe(100);
    expect(await client.del(`${prefix}a`, `${prefix}b`)).toBe(2);
    expect(server.counts()).toEqual({ SET: 3, GET: 1, MGET: 1, HSET: 1, HGETALL: 1, TTL: 1, DEL: 1 });
    expect(server.requests()).toHaveLength(9);
  });

  test("leaves values as they are without automatic deserialization", async () => {
    const { prefix, client } = await upstash({ ...options, automaticDeserialization: false });
    await client.set(`${prefix}k`, "123");
    expect(await client.get(`${prefix}k`)).toBe("123");
    await client.set(`${prefix}k`, '{"a":1}');
    expect(await client.mget(`${prefix}k`, `${prefix}none`)).toEqual(['{"a":1}', null]);
  });

  test("runs scripts by text and by digest", async () => {
    const { server, prefix, client } = await upstash(options);
    const script = `redis.call("SET", KEYS[1], ARGV[1]) return {redis.call("GET", KEYS[1]), 7, {false, "${prefix}"}}`;
    expect(await client.eval(script, [`${prefix}k`], ["v"])).toEqual(["v", 7, [null, prefix]]);
    const sha = await client.scriptLoad(script);
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(await client.evalsha(sha, [`${prefix}k`], ["w"])).toEqual(["w", 7, [null, prefix]]);
    await expect(client.evalsha("0".repeat(40), [], [])).rejects.toThrow("NOSCRIPT");
    expect(await client.createScript<number>(`return 41 + 1 -- ${prefix}`).exec([], [])).toBe(42);
    expect(server.counts()).toEqual({ EVAL: 2, SCRIPT: 1, EVALSHA: 3 });
  });

  test("pipelines and transactions are one request each", async () => {
    const { server, prefix, client } = await upstash(options);
    const pipeline = client.pipeline();
    pipeline.set(`${prefix}k`, "OK").get(`${prefix}k`).incr(`${prefix}k`).lpush(`${prefix}l`, "a", "b");
    const replies = await pipeline.exec({ keepErrors: true });
    expect(replies.map(({ result }) => result)).toEqual(["OK", "OK", undefined, 2]);
    expect(replies[2]!.error).toContain("not an integer");
    expect(await client.multi().incr(`${prefix}n`).lrange(`${prefix}l`, 0, -1).exec()).toEqual([1, ["b", "a"]]);
    const wrong = client.multi().set(`${prefix}k`, "never").del();
    await expect(wrong.exec()).rejects.toThrow("EXECABORT");
    expect(await client.get(`${prefix}k`)).toBe("OK");
    expect(server.requests().map(({ target }) => target)).toEqual(["/pipeline", "/multi-exec", "/multi-exec", "/"]);
    expect(server.billed()).toBe(9);
  });

  test("gathers concurrent commands into one pipeline if it is told to", async () => {
    const { server, prefix, client } = await upstash({ ...options, enableAutoPipelining: true });
    await client.set(`${prefix}k`, "v");
    server.reset();
    expect(await Promise.all([client.get(`${prefix}k`), client.exists(`${prefix}k`), client.ping()])).toEqual([
      "v",
      1,
      "PONG",
    ]);
    expect(server.requests().map(({ target }) => target)).toEqual(["/pipeline"]);
    expect(server.counts()).toEqual({ GET: 1, EXISTS: 1, PING: 1 });
  });

  test("subscribes to channels and patterns", async () => {
    const { prefix, client } = await upstash(options);
    const heard: unknown[] = [];
    const channel = client.subscribe(`${prefix}c`);
    const pattern = client.psubscribe(`${prefix}*`);
    onTestFinished(async () => {
      await Promise.all([channel.unsubscribe(), pattern.unsubscribe()]);
    });
    const ready = Promise.all([
      new Promise((resolve) => channel.on("subscribe", resolve)),
      new Promise((resolve) => pattern.on("psubscribe", resolve)),
    ]);
    channel.on("message", (message) => heard.push(message));
    pattern.on("pmessage", (message) => heard.push(message));
    await ready;
    expect(await client.publish(`${prefix}c`, { hello: "you" })).toBe(2);
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(2);
    expect(heard).toContainEqual({ channel: `${prefix}c`, message: { hello: "you" } });
    expect(heard).toContainEqual({ pattern: `${prefix}*`, channel: `${prefix}c`, message: { hello: "you" } });
    await channel.unsubscribe();
    await expect.poll(() => client.publish(`${prefix}c`, "gone"), { timeout: 20_000 }).toBe(1);
  });

  test("shows errors as the server words them, and the wrong token", async () => {
    const { server, prefix, client } = await upstash(options);
    await client.set(`${prefix}k`, "v");
    await expect(client.incr(`${prefix}k`)).rejects.toThrow("ERR value is not an integer or out of range, command was");
    const stranger = new Redis({ url: server.url, token: "wrong", retry: false, ...options });
    await expect(stranger.get("k")).rejects.toThrow("WRONGPASS");
  });
});

test.skipIf(redis.isMissing)("@upstash/redis sends the sync token it was given last", async () => {
  const { server, client } = await upstash();
  for (let at = 0; at < 3; at++) await client.ping();
  const shown = server.requests().map(({ headers }) => headers["upstash-sync-token"]);
  expect(shown[0]).toBe("");
  expect(shown[2]! > shown[1]!).toBe(true);
});

test.skipIf(redis.isMissing)("@upstash/redis corrupts binary values, in either encoding", async () => {
  const { prefix, client } = await upstash({ automaticDeserialization: false });
  const make = `redis.call("SET", KEYS[1], "A\\255B") return redis.call("STRLEN", KEYS[1])`;
  expect(await client.eval(make, [`${prefix}k`], [])).toBe(3);
  expect(await client.get(`${prefix}k`)).toBe("A\ufffdB");
});

test.skipIf(redis.isMissing)("@upstash/redis tries again when a connection is cut", async () => {
  const { server, prefix, client } = await upstash({ retry: { retries: 2, backoff: () => 1 } });
  server.fault({ kind: "drop", at: "answer" });
  // Both tries ran: a client that retries writes runs them twice.
  expect(await client.incr(`${prefix}n`)).toBe(2);
  expect(server.requests()).toHaveLength(2);
});

test.skipIf(redis.isMissing)("@vercel/kv works, gathering commands into pipelines by itself", async () => {
  const { server, prefix } = await world();
  // It reads them as soon as it is looked at.
  vi.stubEnv("KV_REST_API_URL", server.url);
  vi.stubEnv("KV_REST_API_TOKEN", server.token);
  const warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined); // of its default export
  onTestFinished(() => {
    vi.unstubAllEnvs();
    warnings.mockRestore();
  });
  const { kv } = await import("@vercel/kv");
  expect(await Promise.all([kv.set(`${prefix}k`, { a: 1 }), kv.hset(`${prefix}h`, { f: "v" })])).toEqual(["OK", 1]);
  expect(server.requests()).toHaveLength(1);
  expect(await kv.get(`${prefix}k`)).toEqual({ a: 1 });
  expect(await kv.eval("return ARGV[1]", [], ["x"])).toBe("x");
  expect(await kv.multi().get(`${prefix}k`).exec()).toEqual([{ a: 1 }]);
  const found: string[] = [];
  for await (const key of kv.scanIterator({ match: `${prefix}*`, count: 10_000 })) found.push(key);
  expect(found.sort()).toEqual([`${prefix}h`, `${prefix}k`]);
  expect(server.counts()).toMatchObject({ SET: 1, HSET: 1, GET: 2, EVAL: 1 });
});
