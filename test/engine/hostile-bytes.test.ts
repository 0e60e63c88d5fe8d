// Whatever bytes the store returns: a miss and an event, then the key is loaded and repaired, never poisoned.
import { describe, expect, test } from "vitest";
import type { Codec } from "../../src/index.ts";
import { createWorld, type World } from "./world.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const framed = (format: string, body: string): Uint8Array => text(`ic${format}\u0001${body}`);

const cases: Record<string, Uint8Array> = {
  "nothing at all": new Uint8Array(),
  "fewer than four bytes": text("ic"),
  "foreign bytes": text('{"value":1}'),
  "another version": text("icj\u0002{}"),
  "an unknown format": framed("z", "{}"),
  "truncated JSON": framed("j", '{"a":[1,2'),
  "JSON with something behind it": framed("j", "1 2"),
  "no valid UTF-8": new Uint8Array([0x69, 0x63, 0x6a, 1, 0x22, 0xff, 0xfe, 0x22]),
  "tags without their end": framed("x", '"'),
  "nesting a hundred thousand deep": framed("j", "[".repeat(100_000) + "]".repeat(100_000)),
  zeros: new Uint8Array(1_000),
};

/** Puts bytes into the store, with the reserved tag of the root, as a set of another instance would. */
async function plant(world: World, key: string, bytes: Uint8Array): Promise<void> {
  const entry = { ttlMs: 3_600_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags: ["@"], bytes };
  await world.direct.write(0, { write: { kind: "set", key, entry }, nonce: `nonce-${key}` }, {});
}

describe.each(Object.entries(cases))("%s", (_, bytes) => {
  test("is a miss and an event for get", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    await plant(world, "k", bytes);
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(errors).toMatchObject([{ operation: "decode", key: "k", error: { code: "ISOCACHE_CODEC" } }]);
  });

  test("is loaded anew and repaired by getOrSet, once for the fleet", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    await plant(world, "k", bytes);
    const load = world.loader("good", 50);
    const values = await world.run(Promise.all([a, b].map(({ cache }) => cache.getOrSet("k", load))));
    expect([values, load.calls]).toEqual([["good", "good"], 1]);
    expect(await world.run(world.instance().cache.get("k"))).toBe("good");
  });
});

test("a value that would set a prototype is data, or a miss", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  await plant(world, "k", framed("j", '{"__proto__":{"polluted":true},"a":1}'));
  const value = await world.run(cache.get<{ a: number; polluted?: boolean }>("k"));
  expect(value?.polluted).toBeUndefined();
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("a load that fails while the stored bytes cannot be read fails, and the next one repairs", async () => {
  const world = createWorld();
  const { cache } = world.instance();
  await plant(world, "k", text("junk"));
  await expect(world.run(cache.getOrSet("k", (context) => context.fail("down")))).rejects.toMatchObject({
    code: "ISOCACHE_LOADER",
  });
  expect(await world.run(cache.getOrSet("k", () => "good"))).toBe("good");
  expect(await world.run(cache.get("k"))).toBe("good");
});

test("a codec that returns what no codec may return is treated as corrupt bytes", async () => {
  const world = createWorld();
  const codec: Codec = {
    name: "odd",
    encode: () => new Uint8Array([1]),
    decode: () => () => "a function",
  };
  const { cache, errors } = world.instance({ codec });
  await plant(world, "k", text("any"));
  expect(await world.run(cache.get("k"))).toBeUndefined();
  expect(errors).toMatchObject([{ operation: "decode" }]);
});

test.each(["throws", "rejects"])(
  "a codec whose encode %s costs the caller nothing: the value is not stored",
  async (how) => {
    const world = createWorld();
    const fail = (): Uint8Array => {
      throw new Error("no room");
    };
    const codec: Codec = {
      name: "broken",
      encode: how === "throws" ? fail : () => Promise.reject(new Error("no room")),
      decode: () => undefined,
    };
    const { cache, errors } = world.instance({ codec });
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(errors).toMatchObject([{ operation: "encode", key: "k" }]);
    expect(await world.stored("k")).toBeUndefined();
    await expect(world.run(cache.set("k", "v"))).rejects.toThrow("no room");
  },
);
