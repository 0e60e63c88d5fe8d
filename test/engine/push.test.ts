// What messages do to an instance: they invalidate at once, whatever their order, and prove nothing.
import { expect, test } from "vitest";
import { createBus } from "../../src/bus/create.ts";
import { createCache, memoryStore, TimeoutError, type CacheOptions } from "../../src/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { wire } from "../bus/harness.ts";

/** Caches over one store and one wire. */
function world(options: CacheOptions = {}) {
  const { platform, ...line } = wire();
  const store = memoryStore();
  const make = (more: CacheOptions = {}) =>
    createCache({
      platform,
      store,
      bus: line.bus({ heartbeat: "1d" }),
      maxStaleness: "1h",
      ttl: "1d",
      ...options,
      ...more,
    });
  return { platform, make, ...line };
}

/** Holds frames back, to be delivered as the test likes. */
async function heldBack(
  world: ReturnType<typeof wire> | Omit<ReturnType<typeof wire>, "platform">,
  work: () => Promise<void>,
) {
  const from = world.sent.length;
  world.state.copies = () => 0;
  await work();
  world.state.copies = () => 1;
  return world.sent.slice(from).map(({ bytes }) => bytes);
}

test("records that come in another order are applied, and nothing is asked", async () => {
  const line = world();
  const [a, b] = [line.make(), line.make()];
  for (const key of ["k", "l", "m"]) await b.getOrSet(key, () => 1);
  const frames = await heldBack(line, async () => {
    for (const key of ["k", "l", "m"]) await a.delete(key);
  });
  const syncs = b.stats().syncs;
  for (const frame of frames.reverse()) await line.deliver(frame);
  expect(await b.getMany(["k", "l", "m"])).toEqual(new Map());
  await line.platform.advance(100);
  // The numbers of the frames, too, came in another order: one question, because something might have been missed.
  expect(b.stats().syncs - syncs).toBeLessThanOrEqual(1);
  await Promise.all([a.close(), b.close()]);
});

test("a record that is missing is asked for, once for all that follow it", async () => {
  const line = world();
  const [a, b] = [line.make(), line.make()];
  for (const key of ["lost", "k"]) await b.getOrSet(key, () => 1);
  await heldBack(line, () => a.delete("lost"));
  const { syncs } = b.stats();
  await Promise.all(Array.from({ length: 20 }, (_, index) => a.delete(`other ${index}`)));
  await line.platform.advance(100);
  expect(await b.get("lost")).toBe(undefined);
  expect(b.stats().syncs - syncs).toBeLessThanOrEqual(2); // by the number of the frame, and by its seq
  await Promise.all([a.close(), b.close()]);
});

test("messages prove nothing: after maxStaleness a hit asks the log, however much was heard", async () => {
  const line = world({ maxStaleness: "5s" });
  const [a, b] = [line.make(), line.make()];
  await b.getOrSet("k", () => 1);
  for (let second = 0; second < 12; second++) {
    await line.platform.advance(1_000);
    await a.set(`other ${second}`, 1);
    await b.get("k");
  }
  expect(b.stats().syncs).toBe(2);
  await Promise.all([a.close(), b.close()]);
});

test("a heartbeat tells those who missed something without knowing it", async () => {
  const line = world();
  const [a, b] = [line.make({ bus: line.bus({ heartbeat: "5s" }) }), line.make()];
  for (const cache of [a, b]) await cache.getOrSet("k", () => 1);
  await heldBack(line, () => a.delete("k"));
  expect(await b.get("k")).toBe(1); // within maxStaleness
  await line.platform.advance(10_000);
  expect(await b.get("k")).toBe(undefined);
  await Promise.all([a.close(), b.close()]);
});

test("an instance at rest asks nothing, and takes no turns", async () => {
  const line = world();
  const [a, b] = [line.make({ bus: line.bus({ heartbeat: "5s" }) }), line.make()];
  await b.getOrSet("k", () => 1);
  await line.platform.advance(120_000);
  const { syncs } = b.stats();
  const sent = line.sent.length;
  await heldBack(line, () => a.delete("lost"));
  for (let index = 0; index < 10; index++) await a.delete(`k${index}`);
  await line.platform.advance(300_000);
  expect(b.stats().syncs).toBe(syncs);
  expect(line.sent.length).toBeLessThan(sent + 40); // those of a, for a minute after its last write
  const { hits } = b.stats();
  expect(await b.get("k")).toBe(1);
  expect(b.stats().hits.store).toBe(hits.store + 1); // memory was not trusted any more
  await Promise.all([a.close(), b.close()]);
});

test("what is found stale while the subscription comes up may be served, unless it was invalidated meanwhile", async () => {
  const line = world();
  const store = memoryStore();
  let held: Promise<void> | undefined;
  const slow: Store = {
    ...store,
    connect(options) {
      const connection = store.connect(options);
      return {
        ...connection,
        async read(...given) {
          const reply = await connection.read(...given);
          await held;
          return reply;
        },
      };
    },
  };
  const a = line.make({ store });
  for (const isMissed of [false, true]) {
    await a.set("k", 1, { ttl: "1s", staleIfError: "1h" });
    await line.platform.advance(2_000);
    const b = line.make({ store: slow });
    let answer = (): void => undefined;
    held = new Promise((resolve) => (answer = resolve));
    const reading = b.getOrSet("k", () => new Promise<number>(() => undefined), {
      hardTimeout: 50,
      staleIfError: "1h",
    });
    await line.platform.advance(0);
    line.tellState(false);
    await heldBack(line, async () => (isMissed ? a.delete("k") : undefined));
    line.tellState(true);
    await line.platform.advance(0);
    answer();
    const outcome = reading.catch((error: unknown) => error);
    await line.platform.advance(50);
    expect(await outcome).toEqual(isMissed ? expect.any(TimeoutError) : 1);
    await b.close();
  }
  await a.close();
});

test("a bus that cannot be opened, or fails, harms no read and no write", async () => {
  const broken = createBus("broken", () => {
    throw new Error("no such thing here");
  });
  const errors: unknown[] = [];
  const line = world({ bus: broken });
  const cache = line.make();
  cache.on("error", ({ operation, error }) => errors.push(`${operation}: ${String(error)}`));
  expect(await cache.getOrSet("k", () => 1)).toBe(1);
  await cache.set("k", 2);
  await line.platform.advance(0);
  expect(await cache.get("k")).toBe(2);
  expect(errors).toEqual(["bus: Error: no such thing here", "publish: Error: no such thing here"]);
  const closing = cache.close();
  await line.platform.advance(2_000);
  await closing;
  expect(line.platform.timers).toBe(0);
});

test("without a store, a cache that was cut off starts with an empty memory, and what was loading then is not kept", async () => {
  const line = world({ store: undefined });
  const [a, b] = [line.make(), line.make()];
  await b.getOrSet("k", () => 1);
  let finish = (_: number): void => undefined;
  const loading = b.getOrSet("slow", () => new Promise<number>((resolve) => (finish = resolve)));
  await line.platform.advance(1);
  line.tellState(false);
  await heldBack(line, () => a.delete("slow"));
  line.tellState(true);
  finish(1);
  expect(await loading).toBe(1);
  expect([await b.get("k"), await b.get("slow")]).toEqual([undefined, undefined]);
  await Promise.all([a.close(), b.close()]);
});

test("where connections end with their request, it publishes and does not listen", async () => {
  const line = world();
  const platform = { ...line.platform, connectionsOutliveRequests: false };
  const [a, b] = [line.make({ platform }), line.make()];
  for (const cache of [a, b]) await cache.getOrSet("k", () => 1);
  await a.set("k", 2);
  await line.platform.advance(0);
  expect(await b.get("k")).toBe(2);
  await b.set("k", 3);
  await line.platform.advance(0);
  expect(await a.get("k")).toBe(2); // until its next question
  await Promise.all([a.close(), b.close()]);
});
