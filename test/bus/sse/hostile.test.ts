// A client and what answers it that is no hub, or a broken one: it never hangs, grows or tells a secret, and tries again.
import { expect, onTestFinished, test } from "vitest";
import { sseBus } from "../../../src/bus/sse.ts";
import { serveFetch } from "../../support/fetch-server.ts";
import { message } from "../harness.ts";
import { HELLO, network, streamOf } from "./network.ts";

const TOKEN = "a-secret-that-is-long";
const DOWN = ["up", "catch up all", "down"];

test("a stream of which nothing comes for two keep-alives, and at least 45 s, is given up", async () => {
  const { join, state, platform, attempts } = network();
  state.answer = () => streamOf([HELLO]);
  const a = await join();
  await platform.advance(44_900);
  expect(a.told).toEqual(["up", "catch up all"]);
  await platform.advance(200);
  expect(a.told.slice(0, 3)).toEqual(DOWN);
  expect(a.errors).toEqual(["bus: BusError: sseBus: nothing came for 45000 ms"]);
  await platform.advance(1_000);
  expect(a.told.slice(3)).toEqual(["up", "catch up all"]);
  expect(attempts()[1]?.headers.get("last-event-id")).toBe("other-7");
  await a.close();
  state.answer = () => streamOf([HELLO.replace("15000", "60000")]);
  const b = await join();
  await platform.advance(119_900);
  expect(b.told).toEqual(["up", "catch up all"]);
  await platform.advance(200);
  expect(b.told[2]).toEqual("down");
  await b.close();
  const c = await join({ idleTimeout: "2s" });
  await platform.advance(2_000);
  expect(c.told).toEqual(DOWN);
  await c.close();
  expect(platform.timers).toBe(0);
});

test("keep-alives keep a stream", async () => {
  const { join, platform, attempts, closeHub } = network();
  const a = await join({ idleTimeout: "20s" });
  await platform.advance(3_600_000);
  expect(attempts()).toHaveLength(1);
  expect(a.told).toEqual(["up", "catch up all"]);
  await Promise.all([a.close(), closeHub()]);
});

test("a server that accepts and never answers is asked again, and closing waits for nothing", async () => {
  const { join, state, platform, attempts } = network();
  let late = (_: Response): void => undefined;
  state.answer = () => new Promise<Response>((resolve) => (late = resolve)); // which does not care for the signal
  const a = await join();
  await platform.advance(50_000);
  expect(attempts()).toHaveLength(2);
  expect(a.errors).toEqual(["bus: BusError: sseBus: nothing came for 45000 ms"]);
  const failed = a.tell(message([{ key: "k" }]));
  await platform.advance(1_000);
  await failed;
  expect(a.errors.at(-1)).toMatch(/publish: TimeoutError/);
  await platform.run(a.close());
  expect(a.told).toEqual([]);
  expect(platform.timers).toBe(0);
  let isCancelled = false;
  late(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })));
  await platform.advance(0);
  expect(isCancelled).toBe(true); // nothing is left of the publication
});

test("an answer that comes after the end is cancelled", async () => {
  const { join, state, platform } = network();
  let late = (_: Response): void => undefined;
  state.answer = () => new Promise<Response>((resolve) => (late = resolve));
  const a = await join();
  await a.close();
  let isCancelled = false;
  const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
  late(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  await platform.advance(0);
  expect(isCancelled).toBe(true);
});

const broken: Readonly<Record<string, () => Response>> = {
  "a line without end": () => streamOf([HELLO, `data: ${"A".repeat(100_000)}`]),
  "an event without end": () => streamOf([HELLO, "data: AAAA\n".repeat(10_000)]),
  "an event without an id": () => streamOf([HELLO.replace("id", "di")]),
  "what is no base64": () => streamOf([HELLO, "id: other-8\ndata: $$$\n\n"]),
};
for (const [what, answer] of Object.entries(broken)) {
  test(`${what} ends the stream, and the next one does not resume from there`, async () => {
    const { join, state, platform, attempts } = network();
    state.answer = answer;
    const a = await join();
    await platform.advance(0);
    expect(a.told).toEqual(what.includes("without an id") ? [] : DOWN);
    expect(a.errors).toEqual(["bus: BusError: sseBus: what the hub sent cannot be read"]);
    await platform.advance(1_000);
    expect(attempts().length).toBeGreaterThan(1);
    expect(attempts().map(({ headers }) => headers.get("last-event-id"))).toEqual(attempts().map(() => null));
    await a.close();
    expect(platform.timers).toBe(0);
  });
}

test("bytes that are no frame are an error, and something that was missed", async () => {
  const { join, state, platform } = network();
  state.answer = () => streamOf([HELLO, "id: other-8\ndata: AAAA\n\n", "event: other\ndata: AAAA\n\n"]);
  const a = await join();
  await platform.advance(0);
  expect(a.told).toEqual(["up", "catch up all", "catch up all"]);
  expect(a.errors).toEqual([expect.stringMatching(/^bus: BusError: bus frame: /)]);
  await a.close();
});

const refusals: Readonly<Record<string, readonly [() => Response, string]>> = {
  "that refuses": [() => new Response(TOKEN, { status: 401 }), "the hub answered with status 401"],
  "that redirects": [
    () => new Response(null, { status: 302, headers: { location: "http://other.test/" } }),
    "the hub answered with status 302",
  ],
  "that answers something else": [() => Response.json({ ok: true }), "what is at this address is no hub"],
  "that ends at once": [() => streamOf([], true), "the stream ended before its first event"],
  "without a body": [
    () => new Response(null, { headers: { "content-type": "text/event-stream" } }),
    "the stream ended before its first event",
  ],
};
for (const [what, [answer, error]] of Object.entries(refusals)) {
  test(`a server ${what} is an error that is told once, without a secret, and is asked again`, async () => {
    const { join, state, platform, attempts } = network();
    state.answer = answer;
    const a = await join({ token: TOKEN });
    await platform.advance(60_000);
    expect(attempts().length).toBeGreaterThan(5);
    expect(a.told).toEqual([]);
    expect(a.errors).toEqual([`bus: BusError: sseBus: subscribe: ${error}`]);
    await a.close();
    expect(platform.timers).toBe(0);
  });
}

test("a publication that is refused tells the status alone, and is tried again", async () => {
  const { join, state, platform, seen, closeHub } = network({ token: TOKEN });
  const a = await join({ token: TOKEN, subscribe: false, retryQueue: { retryInterval: "100ms" } });
  state.answer = () => new Response(TOKEN, { status: 500 });
  const failed = a.tell(message([{ key: "k" }]));
  await platform.advance(0);
  await failed;
  expect(a.errors).toEqual(["publish: BusError: sseBus: publish: the hub answered with status 500"]);
  state.answer = undefined;
  await platform.advance(1_000);
  expect(a.errors).toHaveLength(1);
  expect(seen.map(({ method }) => method)).toEqual(["POST", "POST"]);
  expect(seen[0]?.url).toBe("http://hub.test/events?x=1&channel=isocache%3A1%3Ashop");
  expect(seen[0]?.headers.get("authorization")).toBe(`Bearer ${TOKEN}`);
  expect(seen.map(({ init }) => init.redirect)).toEqual(["manual", "manual"]);
  await Promise.all([a.close(), closeHub()]);
});

test("a `fetch` that throws at once is as one that rejects", async () => {
  const { join, platform } = network();
  const fetch = (): never => {
    throw new Error("no network");
  };
  const a = await join({ fetch });
  await platform.advance(1_000);
  expect(a.errors).toEqual(["bus: BusError: sseBus: subscribe: the hub is out of reach"]);
  await a.close();
});

test("the token is not carried to where the hub's address redirects", async () => {
  const asked: (string | null)[] = [];
  const other = await serveFetch(({ headers }) => {
    asked.push(headers.get("authorization"));
    return new Response(null, { status: 204 });
  });
  const hub = await serveFetch(() => new Response(null, { status: 307, headers: { location: other.url } }));
  onTestFinished(async () => {
    await Promise.all([hub.close(), other.close()]);
  });
  const { platform, join } = network();
  const fetch = (url: string, init: RequestInit): Promise<Response> =>
    globalThis.fetch(url.replace("http://hub.test/", hub.url), init);
  const a = await join({ token: TOKEN, subscribe: false, fetch, publishTimeout: "1h" });
  await a.tell(message([{ key: "k" }]));
  expect(a.errors).toEqual(["publish: BusError: sseBus: publish: the hub answered with status 307"]);
  expect(asked).toEqual([]);
  await Promise.all([a.close(), platform.advance(0)]);
});

test("a wrong address or option is an error that names it, and shows neither address nor token", () => {
  const urls = ["", "hub", "/events", "ftp://h/", "http://user:secret@h/", "http://h/#secret", "ws://h", undefined, {}];
  for (const url of urls) {
    expect(() => sseBus(url as string)).toThrow(/^sseBus: url is not shown; it takes/);
    expect(() => sseBus(url as string)).not.toThrow("secret@");
  }
  const options: readonly (readonly [object, RegExp])[] = [
    [{ token: "short-secret" }, /^token: what was given is not shown/],
    [{ fetch: {} }, /^fetch: an object is not a function/],
    [{ idleTimeout: "50ms" }, /^idleTimeout: "50ms" is not from 100 ms/],
    [{ heartbeat: "x" }, /^heartbeat: "x"/],
    [{ tokens: 1 }, /^tokens: unknown option; there are source, .*idleTimeout$/],
  ];
  for (const [wrong, error] of options) expect(() => sseBus("http://h/", wrong)).toThrow(error);
  expect(() => sseBus("http://h/", null as unknown as object)).toThrow("options: null is not an object");
});
