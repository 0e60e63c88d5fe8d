// The schema libraries that people have: what each outputs is the value and its type, what it refuses is a miss.
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Cache, Validator } from "../../src/index.ts";
import { createWorld, errorOf } from "./world.ts";

/** Each takes a user whose id is digits, adds a default, and makes a number of the id. */
const zod = z.object({ id: z.string().regex(/^\d+$/).transform(Number), role: z.string().default("reader") });
const valibot = v.object({
  id: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)),
  role: v.optional(v.string(), "reader"),
});
const arktype = type({ id: "string.integer.parse", role: "string = 'reader'" });
const later = zod.refine(async ({ id }) => Promise.resolve(id < 100));

describe.each<[string, Validator]>([
  ["zod", zod],
  ["zod, asynchronous", later],
  ["valibot", valibot],
  ["arktype", arktype],
])("a schema of %s", (_, validate) => {
  test("makes the value of what is stored, for every way of reading", async () => {
    const world = createWorld();
    await world.run(world.instance().cache.set("user", { id: "7" }));
    const user = { id: 7, role: "reader" };
    const { cache } = world.instance({ validate });
    expect(await world.run(cache.get("user"))).toEqual(user);
    expect(await world.run(world.instance().cache.get("user", { validate }))).toEqual(user);
    expect(await world.run(world.instance().cache.getMany(["user"], { validate }))).toEqual(new Map([["user", user]]));
    expect(await world.run(world.instance({ validate }).cache.getEntry("user"))).toMatchObject({ value: user });
  });

  test("makes a miss of what it refuses: an event names the fault, and the value is loaded anew", async () => {
    const world = createWorld();
    await world.run(world.instance().cache.set("user", { id: "seven" }));
    const { cache, errors } = world.instance({ validate });
    expect(await world.run(cache.get("user"))).toBeUndefined();
    expect(errors).toMatchObject([{ operation: "validate", key: "user", error: { code: "ISOCACHE_CODEC" } }]);
    expect(String(errors[0]?.error)).toContain("id");
    expect(await world.run(cache.getOrSet("user", () => ({ id: "8" })))).toEqual({ id: "8" });
    expect(await world.run(world.instance({ validate }).cache.get("user"))).toEqual({ id: 8, role: "reader" });
  });
});

test("a schema that throws is a miss, and an event", async () => {
  const world = createWorld();
  await world.run(world.instance().cache.set("user", { id: "7" }));
  const broken = zod.refine(() => {
    throw new Error("down");
  });
  const { cache, errors } = world.instance();
  expect(await world.run(cache.get("user", { validate: broken }))).toBeUndefined();
  expect(errors).toMatchObject([{ operation: "validate" }]);
  expect(await errorOf(cache.get("user", { validate: {} as never }))).toMatchObject({ code: "ISOCACHE_OPTION" });
});

/** Never called: only its types are looked at. */
async function inferred(cache: Cache): Promise<void> {
  interface User {
    id: number;
    role: string;
  }
  expectTypeOf(await cache.get("k", { validate: zod })).toEqualTypeOf<User | undefined>();
  expectTypeOf(await cache.get("k", { validate: valibot })).toEqualTypeOf<User | undefined>();
  expectTypeOf(await cache.get("k", { validate: arktype })).toEqualTypeOf<User | undefined>();
  expectTypeOf(await cache.getMany(["k"], { validate: zod })).toEqualTypeOf<Map<string, User>>();
}

test("the type of the value is what the schema outputs", () => {
  expect(typeof inferred).toBe("function");
});
