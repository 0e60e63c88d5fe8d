// Writes that the store did not acknowledge: loud, honoured here at once, retried until they are done, and never harmful late (P5).
import { describe, expect, test } from "vitest";
import { memoryStore, type Cache } from "../../src/index.ts";
import type { WriteRequest } from "../../src/store/contract.ts";
import { createWorld, errorOf, watch, type Instance } from "./world.ts";

const writes = ({ link }: Instance) =>
  link.sent.filter(({ operation }) => operation === "write").map(({ request }) => request as WriteRequest); // it says so

const operations: readonly (readonly [string, (cache: Cache) => Promise<void>])[] = [
  ["delete", (cache) => cache.delete("k")],
  ["set", (cache) => cache.set("k", "new", { tags: ["t"] })],
  ["expire", (cache) => cache.expire("k")],
  ["invalidateTags", (cache) => cache.invalidateTags(["t"])],
  ["expireTags", (cache) => cache.expireTags(["t"])],
  ["clear", (cache) => cache.clear()],
];

/** Two instances that hold `k`, and the first of them cannot write. */
const createCutOff = async (how: "fail" | "hang" | "lose" = "fail") => {
  const world = createWorld();
  const [a, b] = [world.instance(), world.instance()];
  await world.run(a.cache.set("k", "old", { ttl: "1h", tags: ["t"] }));
  await world.run(b.cache.get("k"));
  a.link.always("write", how);
  return { world, a, b };
};

describe.each(operations)("%s that the store did not acknowledge", (_, operation) => {
  test.each(["fail", "hang", "lose"] as const)("(%s) rejects with a StoreError", async (how) => {
    const { world, a } = await createCutOff(how);
    expect(await world.run(errorOf(operation(a.cache)))).toMatchObject({ code: "ISOCACHE_STORE" });
  });

  test("is honoured here from the moment it was asked for", async () => {
    const { world, a } = await createCutOff("hang");
    const asked = watch(operation(a.cache));
    const during = watch(a.cache.get("k"));
    await world.advance(3_000);
    expect(asked.state).toBe("failed");
    expect(during.value).not.toBe("old");
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBeUndefined();
  });

  test("makes this instance's reads load, and store nothing, until it is done", async () => {
    const { world, a } = await createCutOff();
    await world.run(errorOf(operation(a.cache)));
    expect(await world.run(a.cache.getOrSet("k", () => "loaded", { tags: ["t"] }))).toBe("loaded");
    expect((await world.stored("k"))?.version).toBe(1);
  });

  test("is retried in the background until it is done, and then holds everywhere", async () => {
    const { world, a, b } = await createCutOff();
    await world.run(errorOf(operation(a.cache)));
    await world.advance(60_000);
    expect(await world.run(b.cache.get("k"))).toBe("old");
    a.link.heal();
    await world.advance(5_000);
    expect(await world.run(b.cache.get("k", { consistency: "strong" }))).toBeUndefined();
    expect(await world.run(a.cache.get("k"))).toBeUndefined();
    a.link.count();
    await world.advance(60_000);
    expect(a.link.count()).toEqual({});
    expect(
      new Set(
        writes(a)
          .slice(1)
          .map(({ nonce }) => nonce),
      ).size,
    ).toBe(1);
  });

  test("stops being retried when the cache is closed", async () => {
    const { world, a } = await createCutOff();
    await world.run(errorOf(operation(a.cache)));
    await a.cache.close();
    a.link.count();
    await world.advance(60_000);
    expect(a.link.count()).toEqual({});
  });
});

describe("retries", () => {
  test("of a set delete the key, and never bring the value", async () => {
    const { world, a } = await createCutOff();
    await world.run(errorOf(a.cache.set("k", "new")));
    a.link.heal();
    await world.advance(5_000);
    expect(writes(a).map(({ write }) => write.kind)).toEqual(["set", "set", "delete"]);
    expect(await world.stored("k")).toBeUndefined();
  });

  test("of very many remove everything at once, although the answer to the last of them was lost", async () => {
    const { world, a } = await createCutOff();
    const others = Array.from({ length: 1_100 }, (_, index) => a.cache.delete(index === 0 ? "k" : `k${index}`));
    a.link.once("write", "lose");
    await world.run(Promise.allSettled([...others, a.cache.delete("last")]));
    a.link.heal();
    await world.advance(10_000);
    expect(writes(a).at(-1)!.write).toMatchObject({ kind: "tags" });
    expect(await world.stored("k")).toBeUndefined();
  });

  test("of a write whose answer was lost do nothing a second time", async () => {
    const { world, a, b } = await createCutOff("lose");
    await world.run(errorOf(a.cache.delete("k")));
    await world.run(b.cache.set("k", "newer"));
    a.link.heal();
    await world.advance(5_000);
    expect(await world.run(a.cache.get("k"))).toBe("newer");
  });

  test("come less and less often, and never faster than 20 in a minute", async () => {
    const { world, a } = await createCutOff();
    await world.run(errorOf(a.cache.delete("k")));
    a.link.count();
    await world.advance(60_000);
    const first = a.link.count().write!;
    await world.advance(60_000);
    const second = a.link.count().write!;
    expect(first).toBeGreaterThan(second);
    expect(second).toBeLessThanOrEqual(25);
    expect(second).toBeGreaterThanOrEqual(10);
  });

  test("of many different writes are all done", async () => {
    const { world, a } = await createCutOff();
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    a.link.heal();
    for (const key of keys) await world.run(a.cache.set(key, "old", { ttl: "1h" }));
    a.link.always("write", "fail");
    await world.run(Promise.all(keys.map((key) => errorOf(a.cache.delete(key)))));
    a.link.heal();
    await world.advance(30_000);
    for (const key of keys) expect(await world.stored(key)).toBeUndefined();
  });

  test("of more writes than are remembered one by one become one that covers all of them", async () => {
    const { world, a } = await createCutOff();
    const keys = Array.from({ length: 1_200 }, (_, index) => `k${index}`);
    await world.run(Promise.all(keys.map((key) => errorOf(a.cache.delete(key)))));
    await world.advance(10_000);
    a.link.heal();
    a.link.count();
    await world.advance(30_000);
    expect(a.link.count().write).toBeLessThan(10);
    expect(await world.stored("k")).toBeUndefined();
  });
});

describe("a later acknowledged write of this instance", () => {
  test.each([
    ["a set of the key", (cache: Cache) => cache.set("k", "newer"), "newer"],
    ["a delete of the key", (cache: Cache) => cache.delete("k"), undefined],
    ["a clear", (cache: Cache) => cache.clear(), undefined],
  ] as const)("%s ends the retries of a delete", async (_, later, left) => {
    const { world, a } = await createCutOff();
    await world.run(errorOf(a.cache.delete("k")));
    a.link.heal();
    await world.run(later(a.cache));
    a.link.count();
    await world.advance(30_000);
    expect(a.link.count()).toEqual({});
    expect(await world.run(a.cache.get("k"))).toBe(left);
    expect(await world.run(world.instance().cache.get("k"))).toBe(left);
  });

  test.each([0, 1, 3_000])("is not undone by an earlier one that reaches the store %i ms later", async (ms) => {
    const { world, a } = await createCutOff();
    a.link.heal();
    const gate = a.link.hold("write", "way there");
    await world.run(errorOf(a.cache.delete("k")));
    await world.run(a.cache.set("k", "newer"));
    await world.advance(ms);
    gate.open();
    await world.advance(10_000);
    expect(await world.run(a.cache.get("k", { consistency: "strong" }))).toBe("newer");
  });
});

describe("with several partitions", () => {
  test("a partial failure names the partitions, and only those are retried", async () => {
    const world = createWorld({ store: memoryStore({ partitions: 4 }) });
    const a = world.instance();
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    for (const key of keys) await world.run(a.cache.set(key, "old", { tags: ["t"] }));
    a.link.always("write", "fail", 1);
    a.link.always("write", "fail", 3);
    const error = await world.run(errorOf(a.cache.invalidateTags(["t"])));
    expect(error).toMatchObject({ code: "ISOCACHE_STORE", message: expect.stringContaining("1, 3 of 4") });
    const sentBefore = a.link.sent.length;
    for (const key of keys) expect(await world.run(a.cache.get(key))).toBeUndefined();
    a.link.heal();
    await world.advance(10_000);
    const retried = a.link.sent.slice(sentBefore).filter(({ operation }) => operation === "write");
    expect(new Set(retried.map(({ partition }) => partition))).toEqual(new Set([1, 3]));
    for (const key of keys) expect(await world.stored(key)).toBeUndefined();
  });
});
