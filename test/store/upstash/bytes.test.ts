// Whatever is stored over HTTP comes back as it was, by each transport and each of the ways that bytes can take.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { FoundEntry } from "../../../src/store/contract.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { service } from "../../support/services.ts";
import { transports, upstash } from "./world.ts";

const redis = service("redis");

/** Each byte after each byte. */
const pairs = Uint8Array.from({ length: 131_072 }, (_, index) => (index % 2 ? index >> 1 : index >> 9) & 255);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const values: Readonly<Record<string, Uint8Array>> = {
  "every pair of bytes": pairs,
  "each byte": pairs.subarray(0, 512),
  "no byte": new Uint8Array(),
  "a string that looks like a number": text("123"),
  "a string that looks like a large number": text("12345678901234567890"),
  "a string that looks like a fraction": text("-1.50"),
  JSON: text('{"a":[1,null],"a":2}'),
  "a JSON string": text('"x"'),
  true: text("true"),
  null: text("null"),
  OK: text("OK"),
  "a byte order mark": text("\ufeffx"),
  "letters that rewritten bytes look like": text("Āǿ~#12"),
  "zero bytes": new Uint8Array(1_000),
  "half a character": Uint8Array.of(0xc3),
};

const entry = (bytes: Uint8Array) => ({ ...entryOf([]), bytes });

/** To show how long arrays differ takes longer than anybody waits. */
function expectSame(found: FoundEntry | undefined, bytes: Uint8Array, key = "k"): void {
  expect(found?.bytes && Buffer.compare(found.bytes, bytes), key).toBe(0);
}

/** Sets every value, alone and in a batch, and reads them back in both ways. */
async function roundTrip({ driver }: Awaited<ReturnType<typeof upstash>>): Promise<void> {
  const list = Object.entries(values);
  for (const [name, bytes] of list) await driver.set(name, entry(bytes));
  await driver.batch(
    list.map(([name, bytes]) => ({
      operation: "write",
      request: { write: { kind: "set", key: `batch/${name}`, entry: entry(bytes) }, nonce: driver.fresh() },
    })),
  );
  const keys = list.flatMap(([name]) => [name, `batch/${name}`]);
  const replies = await driver.batch(keys.map((key) => ({ operation: "read", request: { key, waitMs: 0 } })));
  for (const [index, key] of keys.entries()) {
    const expected = list[index >> 1]![1];
    const { entry: alone } = await driver.read(key);
    const { entry: together } = replies[index] as (typeof replies)[number] & { entry?: typeof alone };
    expectSame(alone, expected, key);
    expectSame(together, expected, key);
  }
}

/** What the runtime's fetch is asked for, changed on its way. */
function intercept(change: (url: string, init: RequestInit) => RequestInit): void {
  const real = fetch;
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => real(url, change(url, init)));
  onTestFinished(() => void vi.unstubAllGlobals());
}

describe.skipIf(redis.isMissing)("bytes over HTTP", () => {
  test.each(Object.keys(transports))("survive by %s", async (kind) => {
    await roundTrip(await upstash({}, kind));
  });

  test("survive where the server knows no RESP2, which is asked once", async () => {
    const here = await upstash();
    await here.driver.info();
    let asked = 0;
    intercept((_, init) => {
      const { "upstash-response-format": format, ...headers } = init.headers as Record<string, string>; // as it writes them
      if (format !== undefined) asked++;
      return { ...init, headers };
    });
    await roundTrip(here);
    expect(asked).toBe(1);
  });

  test("survive where bodies are taken for text, which is tried once", async () => {
    const here = await upstash();
    await here.driver.info();
    let bodies = 0;
    intercept((_, init) => {
      if (typeof init.body === "string") return init;
      bodies++;
      return { ...init, body: new TextDecoder().decode(init.body as Uint8Array) };
    });
    await here.driver.set("k", entry(pairs));
    expectSame((await here.driver.read("k")).entry, pairs);
    await roundTrip(here);
    expect(bodies).toBe(1);
  });

  test("take no room but their own: a value is the body, and the answer is RESP2", async () => {
    const { server, driver } = await upstash();
    const grant = await driver.lease("k");
    server.reset();
    await driver.commit(grant, { ...entryOf([], { tags: ["a/b", "ü", "\n"], etag: 'W/"1"' }), bytes: pairs });
    await driver.set("k", entry(pairs));
    expect(server.requests().map(({ body }) => body.length)).toEqual([pairs.length, pairs.length]);
    expect(server.requests().every(({ headers }) => headers["upstash-response-format"] === "resp2")).toBe(true);
    expectSame((await driver.read("k")).entry, pairs);
    expect(server.billed()).toBe(3);
  });

  test("with a slash in the key or a very long tag travel as JSON, and no longer than twice", async () => {
    const { server, driver } = await upstash();
    for (const [key, tags] of [
      ["https://example.com/a", ["t"]],
      ["k", ["t".repeat(5_000)]],
    ] as const) {
      await driver.set("warm", entry(pairs));
      server.reset();
      await driver.set(key, { ...entryOf([], { tags }), bytes: pairs });
      const [request] = server.requests();
      expect(request!.target).toBe("/");
      expect(request!.body.length).toBeLessThan(2 * pairs.length + 7_000);
      expectSame((await driver.read(key)).entry, pairs);
      expect((await driver.read(key)).entry?.tags).toContain(tags[0]);
    }
  });
});
