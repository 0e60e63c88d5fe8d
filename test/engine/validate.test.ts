// What comes from the store is checked with a schema or a predicate; what fails is a miss.
import { describe, expect, test } from "vitest";
import type { StandardSchema, Validator } from "../../src/index.ts";
import { createWorld } from "./world.ts";

type Check = StandardSchema<{ id: number }>["~standard"]["validate"];

/** Takes `{ id }` with a number, or with a text that is one, and puts out `{ id }` with a number. */
const check: Check = (value) => {
  const id = Number((value as { id?: unknown } | null)?.id);
  return Number.isNaN(id) ? { issues: [{ message: "id: expected a number" }] } : { value: { id } };
};
const standard = (validate: Check): StandardSchema<{ id: number }> => ({
  "~standard": { version: 1, vendor: "test", validate },
});
const isUser = (value: unknown): value is { id: number } => typeof (value as { id?: unknown }).id === "number";

const validators: readonly (readonly [string, Validator])[] = [
  ["a schema", standard(check)],
  ["a schema that promises", standard(async (value) => check(value))],
  ["a schema that is a function", Object.assign(() => false, standard(check))],
  ["a predicate", isUser],
  ["a predicate that promises", async (value) => isUser(value)],
];

/** What one instance set is read by another one. */
async function createFleet(value: unknown, validate?: Validator) {
  const world = createWorld();
  const writer = world.instance();
  await world.run(writer.cache.set("k", value));
  return { world, writer, ...world.instance({ validate }) };
}

describe.each(validators)("%s", (_, validate) => {
  test("lets what is right pass, through every read", async () => {
    const { world, cache, errors } = await createFleet({ id: 1 }, validate);
    const load = world.loader({ id: 2 });
    expect(await world.run(cache.getOrSet("k", load))).toEqual({ id: 1 });
    expect(await world.run(cache.get("k"))).toEqual({ id: 1 });
    expect([await world.run(cache.has("k")), load.calls, errors]).toEqual([true, 0, []]);
  });

  test("makes what is wrong a miss, and an event says why", async () => {
    const { world, cache, errors } = await createFleet({ name: "Ada" }, validate);
    expect(await world.run(cache.get("k"))).toBeUndefined();
    expect(await world.run(cache.getEntry("k"))).toBeUndefined();
    expect(await world.run(cache.has("k"))).toBe(false);
    expect(errors).toHaveLength(3);
    expect(errors[0]).toMatchObject({
      operation: "validate",
      key: "k",
      error: { code: "ISOCACHE_CODEC", message: expect.stringMatching(/^not valid: (id: expected|the predicate)/) },
    });
  });

  test("has what is wrong loaded anew and replaced", async () => {
    const { world, writer, cache } = await createFleet({ name: "Ada" }, validate);
    const load = world.loader({ id: 2 });
    expect(await world.run(cache.getOrSet("k", load))).toEqual({ id: 2 });
    expect(await world.run(writer.cache.get("k", { consistency: "strong" }))).toEqual({ id: 2 });
    expect([await world.run(cache.getOrSet("k", load)), load.calls]).toEqual([{ id: 2 }, 1]);
  });
});

test("what a schema puts out is the value; its own objects are not frozen", async () => {
  const shared = { id: 7 };
  const schema = standard(() => ({ value: shared }));
  const { world, cache } = await createFleet({ id: "7" });
  const value = await world.run(cache.get("k", { validate: schema }));
  expect(value).toEqual({ id: 7 });
  expect([Object.isFrozen(value), Object.isFrozen(shared)]).toEqual([true, false]);
  expect(await world.run(cache.get("k"))).toEqual({ id: 7 });
});

test("a validator that throws makes a miss, and is told", async () => {
  const broken = new Error("broken");
  const { world, cache, errors } = await createFleet({ id: 1 }, () => {
    throw broken;
  });
  expect(await world.run(cache.getOrSet("k", () => "loaded"))).toBe("loaded");
  expect(errors[0]).toMatchObject({ operation: "validate", error: broken });
});

test("neither what is loaded or set here is looked at, nor what is in memory", async () => {
  const world = createWorld();
  const seen: unknown[] = [];
  const { cache } = world.instance({ validate: (value) => seen.push(value) > 0 });
  await world.run(cache.set("set", 1));
  await world.run(cache.getOrSet("loaded", () => 2));
  await world.run(cache.get("set"));
  await world.run(cache.get("loaded"));
  expect(seen).toEqual([]);
});

test("may be given to a namespace or a call, and the nearer one wins", async () => {
  const { world, cache } = await createFleet({ id: 1 }, () => false);
  expect(await world.run(cache.get("k", { validate: isUser }))).toEqual({ id: 1 });
  const writing = world.instance().cache.namespace("n");
  await world.run(writing.set("k", { id: 2 }));
  expect(await world.run(cache.namespace("n").get("k"))).toBeUndefined();
  expect(await world.run(cache.namespace("n", { validate: isUser }).get("k"))).toEqual({ id: 2 });
});

test("a stored undefined or null is checked like any value", async () => {
  const world = createWorld();
  const { cache: writer } = world.instance({ negativeTtl: "1h" });
  await world.run(writer.set("k", undefined));
  const { cache } = world.instance();
  expect(await world.run(cache.has("k", { validate: (value) => value !== undefined }))).toBe(false);
  expect(await world.run(cache.has("k", { validate: (value) => value === undefined }))).toBe(true);
});

test("what is stale and wrong is not served when the load fails or takes long", async () => {
  const world = createWorld();
  await world.run(world.instance().cache.set("k", { name: "Ada" }, { ttl: "1s", staleIfError: "1h" }));
  await world.advance(2_000);
  const { cache } = world.instance({ validate: isUser, softTimeout: 0 });
  expect(await world.run(cache.getOrSet("k", world.loader({ id: 2 }, 3_000)))).toEqual({ id: 2 });
});
