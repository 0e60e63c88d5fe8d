// The logger: which event is logged how loudly, what a line carries, and that a broken logger harms nobody.
import { describe, expect, test } from "vitest";
import type { Logger } from "../../src/index.ts";
import { createWorld, errorOf } from "../engine/world.ts";

type Line = readonly [level: keyof Logger, details: Readonly<Record<string, unknown>>, message: string];

/** A logger that keeps its lines and needs its `this`, as pino does. */
function keepingLogger() {
  const write = (level: keyof Logger) =>
    function (this: { lines: Line[] }, details: object, message: string): void {
      this.lines.push([level, { ...details }, message]);
    };
  return {
    lines: [] as Line[],
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}

const levels = ({ lines }: { lines: readonly Line[] }): string[] =>
  lines.map(([level, { event }]) => `${level} ${String(event)}`);

test("what goes well is logged at debug, with the cache's name, the key and what happened", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache } = world.instance({ name: "shop", logger });
  await world.run(cache.getOrSet("k", world.loader("v", 70)));
  await world.run(cache.get("k"));
  await world.run(cache.delete("k"));
  expect(levels(logger)).toEqual(["debug load", "debug miss", "debug hit", "debug write"]);
  expect(logger.lines[0]).toEqual([
    "debug",
    { cache: "shop", event: "load", key: "k", durationMs: 70, outcome: "stored" },
    "isocache: load",
  ]);
});

test("what fails and is done without is a warning", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache, link } = world.instance({ logger });
  link.once("read", "fail");
  await world.run(cache.getOrSet("k", () => "v"));
  expect(levels(logger)).toContain("warn error");
});

test("a value that cannot be carried is one warning, which says why it was not stored", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache } = world.instance({ logger });
  await world.run(cache.getOrSet("k", () => ({ a: { b: new (class Money {})() } })));
  const warnings = logger.lines.filter(([level]) => level === "warn").map(([, details]) => details);
  expect(warnings).toMatchObject([{ key: "k", error: expect.stringContaining("a.b") as string }]);
});

test("a mistake in a listener is an error", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache } = world.instance({ logger });
  cache.on("miss", () => {
    throw new TypeError("no such thing");
  });
  await world.run(cache.get("k"));
  await world.advance(0);
  const [, details] = logger.lines.find(([level]) => level === "error") ?? [];
  expect(details).toMatchObject({ operation: "listener of miss", error: "TypeError: no such thing" });
});

test("memory that is dropped, because the store lost its data, is worth an info", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache } = world.instance({ logger });
  const other = world.instance();
  await world.run(cache.set("k", "v", { ttl: "1h" }));
  for (let index = 0; index < 1_001; index++) await other.cache.delete(`k${index}`);
  await world.advance(6_000);
  await world.run(cache.get("k"));
  expect(levels(logger)).toContain("info sync");
});

test("neither values nor what hangs on an error is logged", async () => {
  const world = createWorld();
  const logger = keepingLogger();
  const { cache } = world.instance({ logger, staleIfError: "1h" });
  await world.run(cache.set("k", "SECRET"));
  await world.run(cache.expire("k"));
  const cause = Object.assign(new Error("502"), { config: { headers: { authorization: "SECRET" } } });
  expect(await world.run(cache.getOrSet("k", () => Promise.reject(cause)))).toBe("SECRET");
  expect(logger.lines.some(([, { error }]) => String(error).includes("502"))).toBe(true);
  expect(JSON.stringify(logger.lines)).not.toContain("SECRET");
});

describe("a logger that fails", () => {
  test.each([
    ["throws", () => expect.fail("full")],
    ["rejects", () => Promise.reject(new Error("full"))],
  ])("because it %s changes no operation", async (_, log) => {
    const world = createWorld();
    const logger = { debug: log, info: log, warn: log, error: log };
    const { cache, link, errors } = world.instance({ logger });
    expect(await world.run(cache.getOrSet("k", () => "v"))).toBe("v");
    expect(await world.run(cache.get("k"))).toBe("v");
    link.always("all", "fail");
    expect(await world.run(errorOf(cache.delete("k")))).toMatchObject({ code: "ISOCACHE_STORE" });
    expect(errors.map(({ operation }) => operation)).toContain("listener of hit");
  });

  test("is refused at creation if it lacks a method", () => {
    const world = createWorld();
    const logger = { debug() {}, info() {}, warn() {} } as unknown as Logger;
    expect(() => world.instance({ logger })).toThrow(/logger: .* debug, info, warn, error/);
  });
});
