// Every entry option with every other one: what excludes each other is refused, all else is honoured together.
import { describe, expect, test } from "vitest";
import type { EntryOptions } from "../../src/index.ts";
import { ENTRY } from "../../src/options/entry.ts";
import { createWorld, errorOf, sleep, type World } from "../engine/world.ts";

/** A value of each option that differs from its default; typed by the names, so that none can be forgotten. */
const values = {
  ttl: "10s",
  negativeTtl: "3s",
  jitter: 0.5,
  eagerRefresh: 0.5,
  staleWhileRevalidate: "20s",
  staleIfError: "30s",
  failureBackoff: "1s",
  softTimeout: "100ms",
  hardTimeout: "400ms",
  maxValueBytes: "1kb",
  tags: ["t"],
  etag: '"e"',
  lastModified: "Sun, 06 Nov 1994 08:49:37 GMT",
  memory: false,
  memoryTtl: "1s",
  store: false,
  consistency: "strong",
  signal: new AbortController().signal,
  validate: (value: unknown) => value !== "refused",
} as const satisfies { readonly [Name in keyof EntryOptions]-?: EntryOptions[Name] };

type Name = keyof typeof values;
const names = Object.keys(values) as Name[]; // the literal's own keys

const excluded = new Set(["memory memoryTtl", "store consistency"]);
const pairs = names.flatMap((one, index) => names.slice(index).map((other) => [one, other] as const));

const optionsOf = (chosen: readonly Name[]): EntryOptions =>
  Object.fromEntries(chosen.map((name) => [name, values[name]])) as EntryOptions; // those that exclude each other are looked at first

/** What must hold of the options given, whatever else is given with them. */
const promises: { readonly [Name in keyof typeof values]?: (world: World, options: EntryOptions) => Promise<void> } = {
  async ttl(world, options) {
    const { cache } = world.instance();
    const load = world.loader(() => ({ n: 1 }));
    await world.run(cache.getOrSet("k", load, options));
    await world.advance(70_000); // past every window: all values are far below the default ttl of a minute
    await world.run(cache.getOrSet("k", load, options));
    expect(load.calls).toBe(2);
  },
  async negativeTtl(world, options) {
    const { cache } = world.instance();
    const load = world.loader(() => null);
    await world.run(cache.getOrSet("k", load, options));
    await world.run(cache.getOrSet("k", load, options));
    expect(load.calls).toBe(options.memory === false && options.store === false ? 2 : 1);
  },
  async staleIfError(world, options) {
    const { cache } = world.instance();
    const fails = world.loader((): never => {
      throw new Error("down");
    });
    await world.run(cache.set("k", "old", { ...options, ttl: "10s" } as EntryOptions));
    await world.advance(11_000);
    if (options.memory === false && options.store === false) return;
    // An entry that is in memory alone is there only as long as memoryTtl says.
    if (options.memoryTtl !== undefined && options.store === false) return;
    expect(await world.run(cache.getOrSet("k", fails, options))).toBe("old");
  },
  async hardTimeout(world, options) {
    const { cache } = world.instance();
    const error = await errorOf(world.run(cache.getOrSet("k", world.loader("v", 5_000), options)));
    expect(error).toMatchObject({ code: "ISOCACHE_TIMEOUT" });
    await world.advance(10_000);
  },
  async maxValueBytes(world, options) {
    const { cache, errors } = world.instance();
    const large = "x".repeat(2_000);
    expect(await world.run(cache.getOrSet("k", () => large, options))).toBe(large);
    expect(await world.stored("k")).toBeUndefined();
    if (!(options.memory === false && options.store === false)) expect(errors.length).toBe(1);
  },
  async tags(world, options) {
    const { cache } = world.instance();
    const load = world.loader(() => "v");
    await world.run(cache.getOrSet("k", load, options));
    await world.run(cache.invalidateTags(["t"]));
    await world.run(cache.getOrSet("k", load, options));
    expect(load.calls).toBe(2);
  },
  async memory(world, options) {
    const { cache } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", options));
    expect(cache.stats().entries).toBe(0);
  },
  async memoryTtl(world, options) {
    const { cache, link } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", options));
    await world.advance(1_500);
    link.count();
    await world.run(cache.getOrSet("k", () => "v", options));
    if (options.store !== false) expect(link.count().read).toBe(1);
  },
  async store(world, options) {
    const { cache } = world.instance();
    await world.run(cache.getOrSet("k", () => "v", options));
    expect(await world.stored("k")).toBeUndefined();
  },
  async consistency(world, options) {
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.getOrSet("k", () => "old", options));
    await world.run(b.cache.set("k", "new"));
    expect(await world.run(a.cache.getOrSet("k", () => "loaded", options))).toBe("new");
  },
  async signal(world, options) {
    const { cache } = world.instance();
    const controller = new AbortController();
    const slow = async (): Promise<string> => {
      await sleep(world.platform, 300);
      return "v";
    };
    const left = errorOf(cache.getOrSet("k", slow, { ...options, signal: controller.signal } as EntryOptions));
    await world.advance(50);
    controller.abort(new Error("left"));
    expect((await world.run(left)).message).toBe("left");
    await world.advance(2_000);
  },
  async validate(world, options) {
    const [a, b] = [world.instance(), world.instance()];
    await world.run(a.cache.set("k", "refused"));
    const load = world.loader(() => "right");
    expect(await world.run(b.cache.getOrSet("k", load, options))).toBe("right");
  },
};

test("every entry option is paired", () => {
  expect([...names].sort()).toEqual(Object.keys(ENTRY).sort());
});

describe.each(pairs)("%s with %s", (one, other) => {
  const options = optionsOf([one, other]);
  const isExcluded = excluded.has(`${one} ${other}`) || excluded.has(`${other} ${one}`);

  test(isExcluded ? "are refused together" : "a value is loaded, found, set and deleted", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    if (isExcluded) {
      expect(await errorOf(cache.getOrSet("k", () => "v", options))).toMatchObject({ code: "ISOCACHE_OPTION" });
      return;
    }
    const isKept = options.memory !== false || options.store !== false;
    const load = world.loader(() => "v");
    expect(await world.run(cache.getOrSet("k", load, options))).toBe("v");
    expect(await world.run(cache.getOrSet("k", load, options))).toBe("v");
    expect(load.calls).toBe(isKept ? 1 : 2);
    await world.run(cache.set("k", "set", options));
    expect(await world.run(cache.getOrSet("k", load, options))).toBe(isKept ? "set" : "v");
    await world.run(cache.delete("k"));
    expect(await world.run(cache.getOrSet("k", world.loader("again"), options))).toBe("again");
  });

  if (isExcluded) return;
  for (const name of new Set([one, other])) {
    const promise = promises[name];
    if (promise) test(`${name} does what it says`, () => promise(createWorld(), options));
  }
});
