// A store over HTTP when the network and the server fail: tries again what is safe to repeat, within bounds, and no more.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { service } from "../../support/services.ts";
import { rateLimited } from "../../support/upstash/faults.ts";
import type { Fault } from "../../support/upstash/faults.ts";
import { hurried, upstash } from "./world.ts";

const redis = service("redis");

const passing: Readonly<Record<string, Fault>> = {
  "a lost request": { kind: "drop", at: "request" },
  "a lost answer": { kind: "drop", at: "answer" },
  "half an answer": { kind: "drop", at: "half" },
  "a server out of order": { kind: "answer", status: 503, body: "no" },
  "a page instead of an answer": { kind: "answer", status: 200, body: "<html>" },
  "an answer that is cut but looks whole": {
    kind: "answer",
    status: 200,
    headers: { "content-type": "application/octet-stream" },
    body: "*3\r\n$100\r\nabc",
  },
};

describe.skipIf(redis.isMissing)("a store over HTTP", () => {
  test.each(Object.entries(passing))("gets over %s, and does nothing twice", async (_, fault) => {
    const { server, driver, make, drive } = await upstash();
    await driver.info();
    const store = drive(make(), hurried());
    server.fault(fault);
    const { record } = await store.set("k", entryOf([7]));
    server.fault(fault);
    const lease = await store.lease("other");
    server.fault(fault);
    expect((await store.commit(lease, entryOf([8]))).outcome).toBe(
      fault.kind === "drop" && fault.at !== "request" ? "refused" : "stored",
    );
    expect(record?.seq).toBe(1);
    expect((await store.info()).seq).toBe(1);
    expect((await store.read("k")).entry?.bytes).toEqual(Uint8Array.of(7));
  });

  test("waits as long as Retry-After says, all of it and whoever asks", async () => {
    const { server, make, drive } = await upstash();
    const platform = hurried();
    const store = drive(make(), platform);
    await store.info();
    server.fault(rateLimited(3));
    await store.read("k");
    expect(Math.max(...platform.waits)).toBeGreaterThan(2_500);
    expect(platform.waits.reduce((sum, ms) => sum + ms)).toBeLessThan(4_000);
  });

  test("does not wait for longer than anybody would", async () => {
    const { server, make, drive } = await upstash();
    const platform = hurried();
    const store = drive(make(), platform);
    await store.info();
    server.reset();
    server.fault(rateLimited(3_600));
    await expect(store.read("k")).rejects.toThrow("no requests for");
    await expect(store.read("k")).rejects.toThrow("no requests for");
    expect(server.requests()).toHaveLength(1);
  });

  test("gives up after four tries, with growing pauses", async () => {
    const { server, make, drive } = await upstash();
    const platform = hurried();
    const store = drive(make(), platform);
    server.fault({ kind: "answer", status: 500, body: "no" }, { times: 100 });
    await expect(store.read("k")).rejects.toThrow("The server answered 500");
    expect(server.requests()).toHaveLength(4);
    const [first = 0, second = 0, third = 0] = platform.waits;
    expect([first >= 40, first <= 80, second >= 80, second <= 160, third >= 160, third <= 320]).toEqual(
      Array.from({ length: 6 }, () => true),
    );
  });

  test("tries nothing again that the server refuses", async () => {
    const { server, make, drive } = await upstash();
    const store = drive(make({ token: "wrong" }));
    await expect(store.read("k")).rejects.toThrow("WRONGPASS");
    expect(server.requests()).toHaveLength(1);
  });

  test("lets go of a server that hangs when its caller does, and not of what others wait for", async () => {
    const { server, driver } = await upstash();
    await driver.info();
    let letGo = (): void => undefined;
    server.fault({ kind: "hold", at: "request", until: new Promise<void>((resolve) => (letGo = resolve)) });
    const caller = new AbortController();
    const gone = driver.connection.read(0, { key: "a", waitMs: 0 }, { signal: caller.signal });
    const other = driver.read("b");
    await expect.poll(() => server.requests().length).toBe(2);
    caller.abort();
    await expect(gone).rejects.toThrow("Redis failed");
    letGo();
    expect((await other).entry).toBeUndefined();

    server.fault({ kind: "hold", at: "request", until: new Promise(() => undefined) });
    const real = fetch;
    let sent: RequestInit = {};
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => real(url, (sent = init)));
    onTestFinished(() => void vi.unstubAllGlobals());
    const last = new AbortController();
    const alone = driver.connection.read(0, { key: "a", waitMs: 0 }, { signal: last.signal });
    await expect.poll(() => server.requests().length).toBe(3);
    last.abort();
    await expect(alone).rejects.toThrow("Redis failed");
    expect(sent.signal?.aborted).toBe(true);
    const before = new AbortController();
    before.abort();
    await expect(driver.connection.read(0, { key: "a", waitMs: 0 }, { signal: before.signal })).rejects.toThrow();
    expect(server.requests()).toHaveLength(3);
  });

  test("fails while the server is down and works when it is back", async () => {
    const { server, make, drive } = await upstash();
    const store = drive(make(), hurried());
    await store.set("k", entryOf([1]));
    await server.stopAccepting();
    await Promise.all(Array.from({ length: 20 }, () => expect(store.read("k")).rejects.toThrow("Redis failed")));
    await server.startAccepting();
    expect((await store.read("k")).entry?.bytes).toEqual(Uint8Array.of(1));
  });
});
