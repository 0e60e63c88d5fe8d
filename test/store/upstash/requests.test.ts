// What a store sends over HTTP: one command an operation, those of one tick together, nothing that is a secret.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { vercelKvStore } from "../../../runtimes/vercel/kv.ts";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { OptionError } from "../../../src/errors.ts";
import { createCache } from "../../../src/index.ts";
import { upstashStore } from "../../../src/store/upstash.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { service } from "../../support/services.ts";
import { hurried, upstash } from "./world.ts";

const redis = service("redis");
const SECRET = "s3cret-t0ken";

describe.skipIf(redis.isMissing)("a store over HTTP", () => {
  test("sends the commands of one tick in one request, and a large one beside them", async () => {
    const { server, driver } = await upstash();
    await driver.info();
    server.reset();
    const reads = Array.from({ length: 150 }, (_, index) => driver.read(`k${index}`));
    const big = driver.set("big", { ...entryOf([]), bytes: new Uint8Array(10_000) });
    const small = driver.set("small", entryOf([1, 2, 255]));
    await Promise.all([...reads, big, small]);
    expect(
      server
        .requests()
        .map(({ target }) => target.split("/")[1]!.slice(0, 8))
        .sort(),
    ).toEqual(["evalsha", "pipeline", "pipeline"]);
    expect(server.counts()).toEqual({ EVALSHA: 152 });
    expect((await driver.read("small")).entry?.bytes).toEqual(Uint8Array.of(1, 2, 255));
  });

  test("falls back once where the script is not known", async () => {
    const { server, driver, make, drive } = await upstash();
    await driver.info();
    const before = server.requests().length;
    const own = await import("../../support/redis.ts").then(({ startRedis }) => startRedis());
    onTestFinished(() => own.close());
    const { startUpstash } = await import("../../support/upstash/server.ts");
    const empty = await startUpstash({ redis: own.url });
    onTestFinished(() => empty.close());
    const fresh = drive(make({ url: empty.url, token: empty.token }));
    for (let at = 0; at < 3; at++) await fresh.set("k", entryOf([at]));
    expect(empty.counts()).toEqual({ EVALSHA: 3, EVAL: 1 });
    expect(server.requests()).toHaveLength(before);
  });

  test("shows the newest sync token that it was given", async () => {
    const { server, driver } = await upstash();
    for (let at = 0; at < 3; at++) await driver.info();
    const shown = server.requests().map(({ headers }) => headers["upstash-sync-token"]);
    expect(shown[0]).toBeUndefined();
    expect(String(shown.at(-1)) > String(shown.at(-2))).toBe(true);
  });

  test.each([
    { name: "a wrong token", place: { token: SECRET }, error: "WRONGPASS" },
    { name: "a wrong address", place: { url: "http://127.0.0.1:1", token: SECRET }, error: "" },
  ])("does not show its token in a URL or an error: $name", async ({ place, error }) => {
    const { server, make, drive } = await upstash();
    const failure = await drive(make(place), hurried())
      .info()
      .then(String, (cause: Error) => `${cause.stack}${String(cause.cause)}`);
    expect(failure).toContain(error);
    expect(failure).toContain("StoreError");
    expect(failure).not.toContain(SECRET);
    for (const { target } of server.requests()) expect(target).not.toContain(SECRET);
  });

  test.each([
    { options: { url: SECRET } },
    { options: { url: `https://user:${SECRET}@127.0.0.1` } },
    { options: { url: "https://127.0.0.1", token: `${SECRET}\n` } },
    { options: { url: 1 } },
    { options: { pollBudget: 1 } },
    { options: { partitions: 0 } },
    { options: "https://127.0.0.1" },
  ])("refuses wrong options without showing them: $options", ({ options }) => {
    const make = (): unknown => upstashStore(options as object);
    expect(make).toThrow(OptionError);
    expect(make).not.toThrow(SECRET);
  });
});

describe.skipIf(redis.isMissing)("the environment of a store over HTTP", () => {
  const kinds = {
    upstashStore: { make: upstashStore, url: "UPSTASH_REDIS_REST_URL", token: "UPSTASH_REDIS_REST_TOKEN" },
    vercelKvStore: { make: vercelKvStore, url: "KV_REST_API_URL", token: "KV_REST_API_TOKEN" },
  };
  test.each(Object.entries(kinds))("of %s is read at first use, from the platform or the process", async (_, kind) => {
    const { server, prefix, drive } = await upstash();
    const variables: Record<string, string> = {};
    const environment = (name: string): string | undefined => variables[name];
    const driver = drive(kind.make({ prefix }), { ...defaultPlatform(), environment });
    await expect(driver.info()).rejects.toThrow(`${kind.url} is not set`);
    variables[kind.url] = server.url;
    await expect(driver.info()).rejects.toThrow(`${kind.token} is not set`);
    await expect(driver.info()).rejects.toThrow(OptionError);
    vi.stubEnv(kind.token, server.token);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await driver.info()).seq).toBe(0);
  });

  test("that misses a variable fails the first read of a cache", async () => {
    const cache = createCache({ name: "shop", store: upstashStore() });
    onTestFinished(() => cache.close());
    await expect(cache.getOrSet("k", () => 1)).rejects.toThrow(OptionError);
  });

  test("may come later for the client that reads it when it is looked at", async () => {
    const lazy = new Proxy({} as Parameters<typeof vercelKvStore>[0] & object, {
      get() {
        throw new Error("Missing required environment variables KV_REST_API_URL and KV_REST_API_TOKEN");
      },
    });
    const { drive } = await upstash();
    const failing = drive(vercelKvStore(lazy as never)).info();
    await expect(failing).rejects.toThrow(OptionError);
    await expect(failing).rejects.toThrow("KV_REST_API_URL");
  });
});

describe.skipIf(redis.isMissing)("a follower over HTTP", () => {
  test.each([
    { pollBudget: undefined, most: 8 },
    { pollBudget: 3, most: 3 },
    { pollBudget: 40, most: 40 },
  ])("waits ten seconds for $most commands", async ({ pollBudget, most }) => {
    const { server, driver, make, drive } = await upstash();
    await driver.lease("k", 600_000);
    const platform = hurried();
    const follower = drive(make(pollBudget === undefined ? {} : { pollBudget }), platform);
    server.reset();
    const startedAt = platform.monotonic();
    const reply = await follower.want("k", { waitMs: 10_000 });
    expect(reply.busy).toBeDefined();
    expect(platform.monotonic() - startedAt).toBeGreaterThanOrEqual(10_000);
    expect(server.billed()).toBeLessThanOrEqual(most);
    expect(server.billed()).toBeGreaterThan(most / 2);
    // In steps that grow: half of the time is not spent before the last two.
    if (most === 8) expect(platform.waits.slice(0, 4).reduce((sum, ms) => sum + ms)).toBeLessThan(5_000);
  });

  test("is woken by an event stream where that is asked for, after a cut too, by one that does not listen", async () => {
    const { server, driver, make, drive } = await upstash();
    const follower = drive(make({ bus: true }));
    for (const [round, key] of ["first", "second"].entries()) {
      const grant = await driver.lease(key);
      const held = await follower.hold(key, 60_000);
      await expect.poll(() => server.counts()["SUBSCRIBE"]).toBe(round + 1);
      await expect
        .poll(async () => {
          const before = server.billed();
          await new Promise((resolve) => setTimeout(resolve, 300));
          return server.billed() - before;
        })
        .toBe(0);
      expect(held.isDone()).toBe(false);
      await driver.commit(grant, entryOf([round]));
      expect((await held.reply).entry?.bytes).toEqual(Uint8Array.of(round));
      server.cutSubscriptions();
    }
  });
});
