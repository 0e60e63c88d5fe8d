// What the compiler promises: values are inferred from loaders, and options that exclude each other cannot be combined.
import { expectTypeOf, test } from "vitest";
import { createCache, type Cache, type EntryOptions } from "../../src/index.ts";

/** As schema libraries type theirs: results or promises of them, and types for inference alone. */
interface LibrarySchema<Input, Output> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
      options?: { readonly libraryOptions?: Record<string, unknown> | undefined },
    ) => Result<Output> | Promise<Result<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}
type Result<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
declare const schema: LibrarySchema<{ id: string }, { id: number }>;
declare const isDate: (value: unknown) => value is Date;

/** Never called: only its types are looked at. */
async function inferred(cache: Cache): Promise<void> {
  expectTypeOf(await cache.getOrSet("k", () => 1)).toEqualTypeOf<number>();
  expectTypeOf(await cache.getOrSet("k", async () => ({ a: "b" }))).toEqualTypeOf<{ a: string }>();
  const maybe = await cache.getOrSet("k", ({ stale, skip, notModified, fail }) => {
    if (stale !== undefined) return notModified();
    if (stale) return skip();
    return Math.random() < 0 ? fail("no") : new Date();
  });
  expectTypeOf(maybe).toEqualTypeOf<Date>();
  expectTypeOf(await cache.get("k")).toEqualTypeOf<unknown>();
  expectTypeOf(await cache.get<number>("k")).toEqualTypeOf<number | undefined>();
  expectTypeOf(await cache.get("k", { validate: schema })).toEqualTypeOf<{ id: number } | undefined>();
  expectTypeOf((await cache.getEntry("k", { validate: schema }))?.value).toEqualTypeOf<{ id: number } | undefined>();
  expectTypeOf(await cache.get("k", { validate: isDate, memory: false })).toEqualTypeOf<Date | undefined>();
  expectTypeOf(await cache.get("k", { validate: (value) => value !== 5 })).toEqualTypeOf<unknown>();
  expectTypeOf(await cache.get<string>("k", { validate: (value) => value !== 5 })).toEqualTypeOf<string | undefined>();
  expectTypeOf((await cache.getEntry<string>("k"))?.value).toEqualTypeOf<string | undefined>();
}

test("values are inferred from loaders; the special answers leave no trace in their type", () => {
  expectTypeOf(inferred).toBeFunction();
});

test("options that exclude each other, unknown ones and wrong units do not compile", () => {
  const options = (..._given: EntryOptions[]): void => undefined;
  options({ memory: false }, { memoryTtl: "1s" }, { store: false }, { consistency: "strong", ttl: "2.5h" });
  // @ts-expect-error -- there is no memory to limit
  options({ memory: false, memoryTtl: "1s" });
  // @ts-expect-error -- nothing to ask
  options({ store: false, consistency: "strong" });
  // @ts-expect-error -- no such unit
  options({ ttl: "5 minutes" });
  // @ts-expect-error -- no such option
  options({ timeToLive: 5 });
  // @ts-expect-error -- a place for bounds, or false
  expectTypeOf(createCache).toBeCallableWith({ memory: "16mb" });
  // @ts-expect-error -- the events are a closed list
  expectTypeOf<Cache["on"]>().toBeCallableWith("hits", () => undefined);
});
