// The REST protocol as its documentation has it, by bare requests.
import { describe, expect, test } from "vitest";
import { encodeCommand } from "../resp.ts";
import { events, redis, world } from "./world.ts";

const resp2 = { "upstash-response-format": "resp2" };
const base64 = { "upstash-encoding": "base64" };
const eventStream = { accept: "text/event-stream" };

/** 128 KiB: every byte followed by every byte. */
const everyPair = Uint8Array.from({ length: 2 * 65_536 }, (_, at) => ((at >> 1) >> (at % 2 === 0 ? 8 : 0)) & 255);

describe.skipIf(redis.isMissing)("commands", () => {
  test("a path is a command: its segments are decoded, a query comes last, a body before it", async () => {
    const { server, prefix, ask } = await world();
    const key = encodeURIComponent(`${prefix}a/b c`);
    expect(await ask(`/set/${key}/bar%2F+1/EX/100`)).toEqual([200, { result: "OK" }]);
    expect(await ask(`/get/${key}`)).toEqual([200, { result: "bar/+1" }]);
    expect(await ask(`/ttl/${key}`)).toEqual([200, { result: 100 }]);
    expect(await ask(`/SET/${key}?EX=50&XX`, { body: "body" })).toEqual([200, { result: "OK" }]);
    expect(await ask(`/set/${key}/other?NX=&_token=x`)).toEqual([200, { result: null }]);
    expect(await ask(`/get/${key}/`)).toEqual([200, { result: "body" }]);
    expect(await ask(`/ttl/${key}`)).toEqual([200, { result: 50 }]);
    expect(server.counts()).toEqual({ SET: 3, GET: 2, TTL: 2 });
    expect(server.billed()).toBe(7);
    // In a query a plus is a space, in a path it is itself.
    expect(await ask("/echo?a+b%2Bc")).toEqual([200, { result: "a b+c" }]);
  });

  test("a body is a command: strings, numbers and booleans", async () => {
    const { prefix, run } = await world();
    expect(await run(["SET", `${prefix}k`, true, "EX", 100])).toEqual([200, { result: "OK" }]);
    expect(await run(["MGET", `${prefix}k`, `${prefix}none`])).toEqual([200, { result: ["true", null] }]);
    expect(await run(["EVAL", "return {1, {'a', false}, {ok='fine'}}", 0])).toEqual([
      200,
      { result: [1, ["a", null], "fine"] },
    ]);
  });

  test("errors are 400 with what Redis said", async () => {
    const { server, ask, run } = await world();
    expect(await ask("/get")).toEqual([400, { error: "ERR wrong number of arguments for 'get' command" }]);
    const sha = "0".repeat(40);
    const [status, { error }] = (await run(["EVALSHA", sha, 0])) as [number, { error: string }];
    expect([status, error]).toEqual([400, expect.stringMatching(/^NOSCRIPT /)]);
    server.reset();
    for (const command of [
      ["SUBSCRIBE", "c"],
      ["multi"],
      ["BLPOP", "k", 1],
      ["XREAD", "block", 1, "STREAMS", "k", 0],
    ]) {
      const name = String(command[0]).toUpperCase();
      expect(await run(command)).toEqual([400, { error: `ERR Command is not available: '${name}'` }]);
    }
    expect(server.billed()).toBe(0);
  });

  test("what is no command is 400, another method 405", async () => {
    const { ask, run } = await world();
    for (const body of ["", "{}", "[", '[["GET","k"]]', "[null]", "[{}]"]) {
      expect(await ask("/", { method: "POST", body })).toEqual([400, { error: "ERR failed to parse command" }]);
    }
    expect(await run([])).toEqual([400, { error: "ERR empty command" }]);
    for (const method of ["DELETE", "PATCH", "OPTIONS"]) expect((await ask("/get/k", { method }))[0]).toBe(405);
    expect((await ask("/get/k", { method: "PUT" }))[0]).toBe(200);
  });

  test("a HEAD runs the command and has no body", async () => {
    const { prefix, send, ask } = await world();
    const response = await send(`/incr/${prefix}n`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(await ask(`/get/${prefix}n`)).toEqual([200, { result: "1" }]);
  });

  test("a body that is too large is refused", async () => {
    const { server, prefix, ask } = await world({ maxRequestBytes: 1_000 });
    expect((await ask(`/set/${prefix}k`, { body: "x".repeat(1_000) }))[0]).toBe(200);
    const [status, { error }] = (await ask(`/set/${prefix}k`, { body: "x".repeat(1_001) })) as [
      number,
      { error: string },
    ];
    expect([status, error]).toEqual([400, expect.stringMatching(/^ERR max request size exceeded/)]);
    expect(server.billed()).toBe(1);
  });
});

describe.skipIf(redis.isMissing)("authorization", () => {
  test("takes a bearer or a parameter, and nothing else", async () => {
    const { server, ask } = await world({ token: "secret" });
    const unauthorized = [401, { error: "WRONGPASS invalid or missing auth token" }];
    expect(await ask("/ping")).toEqual([200, { result: "PONG" }]);
    expect(await ask("/ping?_token=secret", { headers: { authorization: "" } })).toEqual([200, { result: "PONG" }]);
    expect(await ask("/ping", { headers: { authorization: "" } })).toEqual(unauthorized);
    expect(await ask("/ping", { token: "wrong" })).toEqual(unauthorized);
    expect(await ask("/ping", { headers: { authorization: "Basic secret" } })).toEqual(unauthorized);
    expect(server.billed()).toBe(2);
  });

  test("a read-only token reads, but neither writes nor lists keys", async () => {
    const { prefix, ask, run } = await world({ readOnlyToken: "reader" });
    const key = `${prefix}k`;
    const token = "reader";
    expect(await run(["GET", key], { token })).toEqual([200, { result: null }]);
    for (const command of [["SET", key, "v"], ["SCAN", 0], ["KEYS", "*"], ["EVAL", "return 1", 0], ["NONSENSE"]]) {
      const name = String(command[0]).toLowerCase();
      const error = `NOPERM this user has no permissions to run the '${name}' command or its subcommand`;
      expect(await run(command, { token })).toEqual([400, { error }]);
    }
    const body = JSON.stringify([
      ["GET", key],
      ["DEL", key],
    ]);
    expect(await ask("/pipeline", { token, body })).toMatchObject([
      200,
      [{ result: null }, { error: expect.stringMatching(/NOPERM/) }],
    ]);
    expect(await ask("/multi-exec", { token, body })).toMatchObject([400, { error: expect.stringMatching(/NOPERM/) }]);
  });
});

describe.skipIf(redis.isMissing)("formats", () => {
  test("JSON replaces bytes that are no UTF-8; base64 keeps them, and leaves OK as it is", async () => {
    const { prefix, ask, run } = await world();
    expect(await ask(`/set/${prefix}k`, { body: Uint8Array.of(65, 255, 66), headers: base64 })).toEqual([
      200,
      { result: "OK" },
    ]);
    expect(await ask(`/get/${prefix}k`)).toEqual([200, { result: "A\ufffdB" }]);
    expect(await ask(`/get/${prefix}k`, { headers: base64 })).toEqual([200, { result: "Qf9C" }]);
    expect(await run(["MGET", `${prefix}k`, `${prefix}none`], { headers: base64 })).toEqual([
      200,
      { result: ["Qf9C", null] },
    ]);
    expect(await ask("/ping", { headers: base64 })).toEqual([200, { result: "UE9ORw==" }]);
    expect((await run(["NONSENSE"], { headers: base64 }))[1]).toMatchObject({
      error: expect.stringMatching(/^ERR unknown command/),
    });
  });

  test("integers keep all their digits", async () => {
    const { prefix, send } = await world();
    await send(`/set/${prefix}n/9007199254740992`);
    expect(await (await send(`/incr/${prefix}n`)).text()).toBe('{"result":9007199254740993}');
  });

  test("RESP2 is what Redis sent, errors and pipelines included", async () => {
    const { prefix, send } = await world();
    const raw = async (path: string, body?: unknown) => {
      const response = await send(path, {
        headers: resp2,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    const type = "application/octet-stream";
    expect(await raw(`/set/${prefix}k/v`)).toEqual([200, type, "+OK\r\n"]);
    expect(await raw(`/mget/${prefix}k/${prefix}none`)).toEqual([200, type, "*2\r\n$1\r\nv\r\n$-1\r\n"]);
    expect(await raw("/", ["EVAL", "return {1, {err='ERR x'}, {}}", 0])).toEqual([
      200,
      type,
      "*3\r\n:1\r\n-ERR x\r\n*0\r\n",
    ]);
    expect(await raw("/get")).toEqual([400, type, "-ERR wrong number of arguments for 'get' command\r\n"]);
    const commands = [["GET", `${prefix}k`], ["GET"], ["STRLEN", `${prefix}k`]];
    const errors = "-ERR wrong number of arguments for 'get' command\r\n";
    expect(await raw("/pipeline", commands)).toEqual([200, type, `$1\r\nv\r\n${errors}:1\r\n`]);
    expect(await raw("/multi-exec", [["STRLEN", `${prefix}k`]])).toEqual([200, "application/json", '[{"result":1}]']);
  });

  test("every pair of bytes goes through a raw body and back through RESP2 and base64", async () => {
    const { prefix, send } = await world();
    expect(
      new Set(Array.from({ length: 65_536 }, (_, at) => everyPair[2 * at]! * 256 + everyPair[2 * at + 1]!)).size,
    ).toBe(65_536);
    expect((await send(`/set/${prefix}k`, { body: everyPair })).status).toBe(200);
    const binary = Buffer.from(await (await send(`/get/${prefix}k`, { headers: resp2 })).arrayBuffer());
    expect(binary.equals(encodeCommand([everyPair]).subarray("*1\r\n".length))).toBe(true);
    const { result } = (await (await send(`/get/${prefix}k`, { headers: base64 })).json()) as { result: string };
    expect(Buffer.from(result, "base64").equals(everyPair)).toBe(true);
  });

  test("keys and arguments in a path may be any bytes, too", async () => {
    const { prefix, send } = await world();
    const percent = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    expect((await send(`/set/${prefix}${percent}/${percent}`)).status).toBe(200);
    const back = Buffer.from(await (await send(`/get/${prefix}${percent}`, { headers: resp2 })).arrayBuffer());
    expect(
      back.subarray("$256\r\n".length, -2).equals(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
    ).toBe(true);
  });

  test("what never reached Redis is JSON, whatever was asked for", async () => {
    const { ask } = await world();
    expect((await ask("/ping", { token: "wrong", headers: resp2 }))[0]).toBe(401);
    expect((await ask("/ping", { method: "DELETE", headers: resp2 }))[0]).toBe(405);
    expect(await ask("/", { body: "x", headers: resp2 })).toEqual([400, { error: "ERR failed to parse command" }]);
  });

  test("base64 encodes what is in arrays, an OK and errors included, and a stored OK", async () => {
    const { prefix, run } = await world();
    const script = "return {{ok='OK'}, {err='ERR x'}, {'a'}}";
    expect(await run(["EVAL", script, 0], { headers: base64 })).toEqual([
      200,
      { result: ["T0s=", "RVJSIHg=", ["YQ=="]] },
    ]);
    await run(["SET", `${prefix}k`, "OK"]);
    expect(await run(["GET", `${prefix}k`], { headers: base64 })).toEqual([200, { result: "T0s=" }]);
  });

  test("other formats, and base64 of RESP2, are refused", async () => {
    const { ask } = await world();
    expect((await ask("/ping", { headers: { "upstash-response-format": "resp3" } }))[0]).toBe(400);
    expect((await ask("/ping", { headers: { ...resp2, ...base64 } }))[0]).toBe(400);
    expect((await ask("/ping", { headers: { "upstash-response-format": "json", ...base64 } }))[0]).toBe(200);
  });
});

describe.skipIf(redis.isMissing)("pipelines and transactions", () => {
  test("a pipeline answers each command, whatever fails in it", async () => {
    const { server, prefix, ask } = await world();
    const key = `${prefix}k`;
    const commands = [["SET", key, "x"], ["INCR", key], [], ["SELECT", 1], ["GET", key]];
    const replies = [
      { result: "OK" },
      { error: "ERR value is not an integer or out of range" },
      { error: "ERR empty pipeline command" },
      { error: "ERR Command is not available: 'SELECT'" },
      { result: "x" },
    ];
    expect(await ask("/pipeline", { body: JSON.stringify(commands) })).toEqual([200, replies]);
    expect(server.counts()).toEqual({ SET: 1, INCR: 1, GET: 1 });
    const encoded = await ask("/pipeline", { body: JSON.stringify(commands), headers: base64 });
    expect(encoded).toEqual([200, [...replies.slice(0, 4), { result: "eA==" }]]);
  });

  test("a transaction runs as a whole or is one error", async () => {
    const { prefix, ask } = await world();
    const key = `${prefix}k`;
    const multi = (...commands: unknown[]) => ask("/multi-exec", { body: JSON.stringify(commands) });
    expect(await multi(["SET", key, "x"], ["INCR", key], ["GET", key])).toEqual([
      200,
      [{ result: "OK" }, { error: "ERR value is not an integer or out of range" }, { result: "x" }],
    ]);
    const [status, discarded] = await multi(["SET", key, "y"], ["GET"]);
    expect([status, discarded]).toMatchObject([400, { error: expect.stringMatching(/^EXECABORT /) }]);
    expect((await multi(["SET", key, "y"], ["WATCH", key]))[0]).toBe(400);
    expect(await ask(`/get/${key}`)).toEqual([200, { result: "x" }]);
  });

  test("what is no list of commands is refused", async () => {
    const { ask } = await world();
    for (const path of ["/pipeline", "/multi-exec"]) {
      for (const body of ["", "[]", '{"a":1}', '["GET","k"]', '[["GET",null]]']) {
        expect((await ask(path, { method: "POST", body }))[0]).toBe(400);
      }
    }
  });
});

describe.skipIf(redis.isMissing)("subscriptions", () => {
  test("channels and patterns stream what is published, and end with the client", async () => {
    const { server, prefix, send, ask } = await world();
    const abort = new AbortController();
    const response = await fetch(`${server.url}/subscribe/${prefix}a/${prefix}b`, {
      method: "POST",
      body: "[]",
      headers: { ...eventStream, authorization: `Bearer ${server.token}` },
      signal: abort.signal,
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const next = events(response);
    expect(await next(2)).toEqual([`data: subscribe,${prefix}a,1`, `data: subscribe,${prefix}b,2`]);
    const byPattern = events(await send(`/psubscribe/${encodeURIComponent(`${prefix}*`)}`, { headers: eventStream }));
    expect(await byPattern(1)).toEqual([`data: psubscribe,${prefix}*,1`]);
    expect(await ask(`/publish/${prefix}b/hello,you`)).toEqual([200, { result: 2 }]);
    expect(await next(1)).toEqual([`data: message,${prefix}b,hello,you`]);
    expect(await byPattern(1)).toEqual([`data: pmessage,${prefix}*,${prefix}b,hello,you`]);
    abort.abort();
    await expect.poll(() => ask(`/publish/${prefix}b/again`), { timeout: 20_000 }).toEqual([200, { result: 1 }]);
    expect(server.counts()).toMatchObject({ SUBSCRIBE: 1, PSUBSCRIBE: 1 });
  });

  test("they need a channel and a client that takes event streams", async () => {
    const { ask } = await world();
    expect((await ask("/subscribe/a"))[0]).toBe(400);
    expect((await ask("/subscribe", { headers: eventStream }))[0]).toBe(400);
  });
});

test.skipIf(redis.isMissing)("a sync token comes with each answer and only grows; telemetry is taken", async () => {
  const { server, send } = await world();
  const headers = { "upstash-sync-token": "", "upstash-telemetry-sdk": "x", "upstash-telemetry-retry": "1" };
  const tokens: string[] = [];
  for (const path of ["/ping", "/get", "/ping"]) {
    const response = await send(path, { headers: { ...headers, "upstash-sync-token": tokens.at(-1) ?? "" } });
    tokens.push(response.headers.get("upstash-sync-token")!);
  }
  expect(tokens).toEqual([...new Set(tokens)].sort());
  const shown = server.requests().map((request) => request.headers["upstash-sync-token"]);
  expect(shown).toEqual(["", ...tokens.slice(0, 2)]);
});
