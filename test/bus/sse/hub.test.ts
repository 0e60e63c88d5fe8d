// sseHub by its requests: what it refuses, what it remembers, whom it cuts off, and that it leaves nothing behind.
import { describe, expect, test } from "vitest";
import { sseHub } from "../../../src/bus/sse.ts";
import type { SseHub, SseHubOptions } from "../../../src/bus/sse.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";

const URL_OF = "http://hub/any/path?channel=";
const BYTES = { "content-type": "application/octet-stream" };
const TOKEN = "a-token-that-is-long";

function world(options: SseHubOptions = {}) {
  const platform = virtualPlatform();
  const hub = sseHub({ platform, ...options });
  return { platform, hub };
}

const publish = (hub: SseHub, bytes: Iterable<number>, channel = "c", init: RequestInit = {}): Promise<Response> =>
  hub.fetch(new Request(URL_OF + channel, { method: "POST", headers: BYTES, body: Uint8Array.from(bytes), ...init }));

async function subscribe(hub: SseHub, lastEventId?: string, channel = "c") {
  const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await hub.fetch(
    new Request(URL_OF + channel, { headers: { accept: "text/event-stream", ...resume } }),
  );
  const reader = response.body!.getReader();
  const next = async (): Promise<string | undefined> => {
    const { value } = await reader.read();
    return value && new TextDecoder().decode(value);
  };
  return { response, next, leave: () => reader.cancel() };
}

/** Of the first event. */
const idOf = (event: string | undefined): string => /^id: (.+)$/m.exec(event ?? "")?.[1] ?? "none";
const after = (id: string, count: number): string => id.replace(/\d+$/, (number) => String(Number(number) + count));

describe("a hub", () => {
  test("begins a stream with where it begins, and sends what is published to all of its channel", async () => {
    const { hub } = world();
    const [a, b, other] = [await subscribe(hub), await subscribe(hub), await subscribe(hub, undefined, "other")];
    const first = await a.next();
    const id = idOf(first);
    expect(first).toBe(`id: ${id}\nevent: reset\ndata: 15000\n\n`);
    expect([await b.next(), await other.next()]).toEqual([first, first]);
    const answer = await publish(hub, [0, 1, 255]);
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    await publish(hub, [9], "other");
    const event = `id: ${after(id, 1)}\ndata: AAH/\n\n`;
    expect([await a.next(), await b.next()]).toEqual([event, event]);
    expect(await other.next()).toMatch(/data: CQ==/);
    expect(Object.fromEntries(a.response.headers)).toEqual({
      "cache-control": "no-store, no-transform",
      "content-type": "text/event-stream",
      "x-accel-buffering": "no",
    });
    await hub.close();
  });

  test("resumes after the last event that came", async () => {
    const { hub } = world();
    const away = await subscribe(hub);
    const id = idOf(await away.next());
    await away.leave();
    for (const byte of [1, 2, 3]) await publish(hub, [byte]);
    const back = await subscribe(hub, after(id, 1));
    expect(await back.next()).toBe(`id: ${after(id, 1)}\nevent: resumed\ndata: 15000\n\n`);
    expect([await back.next(), await back.next()]).toEqual([
      `id: ${after(id, 2)}\ndata: Ag==\n\n`,
      `id: ${after(id, 3)}\ndata: Aw==\n\n`,
    ]);
    await hub.close();
  });

  test("says that it cannot resume: another incarnation, an event that it no longer has or never had, or nonsense", async () => {
    const { hub } = world({ history: { maxEvents: 2 } });
    const gone = await subscribe(hub);
    const id = idOf(await gone.next());
    await gone.leave();
    for (const byte of [1, 2, 3]) await publish(hub, [byte]);
    const kinds: Record<string, string> = {};
    for (const last of [after(id, 1), id, after(id, 4), `x${id}`, id.replace("-", "-0"), "", "-", id.split("-")[0]!]) {
      const stream = await subscribe(hub, last);
      const first = await stream.next();
      kinds[last] = `${/event: (.+)/.exec(first ?? "")?.[1]} ${idOf(first) === after(id, 3) ? "newest" : "older"}`;
      await stream.leave();
    }
    expect([...new Set(Object.values(kinds).slice(1))]).toEqual(["reset newest"]);
    expect(kinds[after(id, 1)]).toBe("resumed older");
    const other = sseHub({ platform: virtualPlatform({ seed: 2 }) });
    expect(await (await subscribe(other, id)).next()).toMatch(/event: reset/);
    await Promise.all([hub.close(), other.close()]);
  });

  test("keeps so many bytes of a channel, and always the last event", async () => {
    const { hub } = world({ history: { maxBytes: "128kb" } });
    const id = idOf(await (await subscribe(hub)).next());
    for (let count = 0; count < 3; count++) await publish(hub, new Uint8Array(65_536));
    expect(await (await subscribe(hub, after(id, 1))).next()).toMatch(/event: reset/);
    expect(await (await subscribe(hub, after(id, 2))).next()).toMatch(/event: resumed/);
    await hub.close();
  });

  test("cuts off who reads too slowly, whose backlog takes no room of its own, and goes on with the others", async () => {
    const { hub } = world({ history: { maxEvents: 5 }, maxSubscribers: 2 });
    const [slow, quick] = [await subscribe(hub), await subscribe(hub)];
    await quick.next();
    for (let byte = 1; byte <= 5; byte++) {
      await publish(hub, [byte]);
      await quick.next();
    }
    expect((await hub.fetch(new Request(`${URL_OF}c`))).status).toBe(503);
    await publish(hub, [6]); // what the slow one wants next is gone
    await expect(slow.next()).rejects.toThrow("too slow");
    expect(await quick.next()).toMatch(/data: Bg==/);
    expect((await subscribe(hub)).response.status).toBe(200); // its place is free
    await hub.close();
  });

  test("sends a comment where nothing else is sent, and cuts off who takes none of them", async () => {
    const { hub, platform } = world({ keepAlive: "10s", maxSubscribers: 2 });
    const [alive, stuck] = [await subscribe(hub), await subscribe(hub)];
    await alive.next();
    for (let round = 0; round < 3; round++) {
      await platform.advance(10_000);
      expect(await alive.next()).toBe(":\n\n");
    }
    await expect(stuck.next()).rejects.toThrow("too slow");
    await hub.close();
    expect(platform.timers).toBe(0);
  });

  test("has no timer without subscribers, and forgets at once who leaves", async () => {
    const { hub, platform } = world({ maxSubscribers: 1 });
    await publish(hub, [1]);
    expect(platform.timers).toBe(0);
    for (let round = 0; round < 3; round++) {
      const only = await subscribe(hub);
      expect(platform.timers).toBe(1);
      expect((await hub.fetch(new Request(`${URL_OF}c`))).status).toBe(503);
      await only.leave();
      expect(platform.timers).toBe(0);
    }
    await hub.close();
  });

  test("knows so many channels: that which is unused for longest makes room, and is never taken for what it was", async () => {
    const { hub } = world({ maxChannels: 2 });
    const [a, b] = [await subscribe(hub, undefined, "a"), await subscribe(hub, undefined, "b")];
    const id = idOf(await a.next());
    expect((await hub.fetch(new Request(`${URL_OF}c`))).status).toBe(503);
    await a.leave();
    const c = await subscribe(hub, undefined, "c"); // in the place of "a"
    expect(c.response.status).toBe(200);
    await publish(hub, [1], "a"); // nobody listens
    await c.leave();
    expect(await (await subscribe(hub, id, "a")).next()).toMatch(/event: reset/);
    await b.leave();
    await hub.close();
  });

  test("refuses what is no request of a bus, with a status and a short text", async () => {
    const { hub } = world();
    const post = (init: RequestInit, query = "?channel=c"): Request =>
      new Request(`http://hub/${query}`, { method: "POST", headers: BYTES, body: "x", ...init });
    const long = "x".repeat(4_097);
    const requests: readonly (readonly [Request, number])[] = [
      [new Request("http://hub/?channel=c", { method: "PUT", body: "x" }), 405],
      [new Request("http://hub/?channel=c", { method: "HEAD" }), 405],
      [new Request("http://hub/?channel=c", { method: "OPTIONS" }), 405],
      [new Request("http://hub/"), 400],
      [new Request("http://hub/?channel="), 400],
      [new Request("http://hub/?channel=a%20b"), 400],
      [new Request(`http://hub/?channel=${long}`), 400],
      [new Request("http://hub/?channel=c", { headers: { accept: "text/html" } }), 406],
      [post({}, ""), 400],
      [post({ headers: {} }), 415],
      [post({ headers: { "content-type": "application/json" } }), 415],
      [post({ body: "" }), 400],
      [post({ body: new Uint8Array(65_537) }), 413],
      [post({ body: "x", headers: { ...BYTES, "content-length": "65537" } }), 413],
      [post({ body: new Uint8Array(65_536) }), 204],
    ];
    for (const [request, status] of requests) {
      const response = await hub.fetch(request);
      expect([request.url.slice(0, 40), response.status]).toEqual([request.url.slice(0, 40), status]);
      expect((await response.text()).length).toBeLessThan(120);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    expect((await hub.fetch(new Request("http://hub/?channel=c", { method: "PUT" }))).headers.get("allow")).toBe(
      "GET, POST",
    );
    await hub.close();
  });

  test("waits ten seconds for a body, and does not wait for it when it is closed", async () => {
    const { hub, platform } = world();
    const never = (): RequestInit => ({ body: new ReadableStream({}), duplex: "half" }) as RequestInit; // not in all types
    const late = publish(hub, [], "c", never());
    await platform.advance(10_000);
    expect((await late).status).toBe(408);
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
    expect((await publish(hub, [], "c", { body: broken, duplex: "half" } as RequestInit)).status).toBe(400);
    const closed = publish(hub, [], "c", never());
    await platform.advance(1);
    await hub.close();
    expect((await closed).status).toBe(503);
    expect(platform.timers).toBe(0);
  });

  test("ends all streams when it is closed, and takes no more requests", async () => {
    const { hub, platform } = world();
    const stream = await subscribe(hub);
    await stream.next();
    await hub.close();
    expect(await stream.next()).toBe(undefined);
    expect((await subscribe(hub)).response.status).toBe(503);
    expect((await publish(hub, [1])).status).toBe(503);
    await hub.close();
    expect(platform.timers).toBe(0);
  });
});

describe("a hub with a token", () => {
  const ask = async (hub: SseHub, authorization?: string): Promise<number> => {
    const headers: Record<string, string> = authorization === undefined ? BYTES : { ...BYTES, authorization };
    const [post, get] = [
      await publish(hub, [1], "c", { headers }),
      await hub.fetch(new Request(`${URL_OF}c`, { headers })),
    ];
    expect(get.status === 200).toBe(post.status === 204);
    await get.body?.cancel();
    return post.status;
  };

  test("takes it and the previous one, and nothing else", async () => {
    const { hub } = world({ token: TOKEN, previousToken: `${TOKEN}-before` });
    const wrong = [undefined, "", TOKEN, "Bearer", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`];
    for (const each of [...wrong, `Bearer ${TOKEN}${TOKEN}`, `Bearer ${TOKEN} x`, "Bearer \u00e9"]) {
      expect([each, await ask(hub, each)]).toEqual([each, 401]);
    }
    for (const each of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, `Bearer ${TOKEN}-before`]) {
      expect([each, await ask(hub, each)]).toEqual([each, 204]);
    }
    const { headers } = await hub.fetch(new Request("http://hub/", { method: "PUT" })); // nothing is told before that
    expect(headers.get("www-authenticate")).toBe("Bearer");
    await hub.close();
  });
});

test("a wrong option of a hub is an error that names it, and never shows a token", () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ token: "tooshort-secret" }, /^token: .* at least 16/],
    [{ previousToken: "with a blank in it, long" }, /^previousToken: /],
    [{ keepAlive: 50 }, /^keepAlive: 50 is not from 100 ms/],
    [{ history: { maxEvents: 0 } }, /^maxEvents: 0/],
    [{ history: { maxBytes: "64kb" } }, /^maxBytes: "64kb"/],
    [{ maxChannels: 1.5 }, /^maxChannels: 1.5/],
    [{ maxSubscribers: "1" }, /^maxSubscribers: "1"/],
    [{ platform: {} }, /^platform: /],
    [{ tokens: [] }, /^tokens: unknown option; there are token,/],
  ];
  for (const [options, message] of wrong) {
    expect(() => sseHub(options as SseHubOptions)).toThrow(message);
    expect(() => sseHub(options as SseHubOptions)).not.toThrow(/secret|blank in it/);
  }
});
