// A caller that leaves: its own promise rejects, others go on, and a load that nobody waits for is told so.
import { describe, expect, test } from "vitest";
import type { LoaderContext } from "../../src/index.ts";
import { createWorld, deferred, errorOf, sleep, watch } from "./world.ts";

/** A loader that says when its own signal fires, and then fails or (`deaf`) goes on until it is let go. */
function createListening() {
  const end = deferred();
  const loader = {
    calls: 0,
    aborted: 0,
    deaf: false,
    let: end.resolve,
    load: ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((resolve, reject) => {
        const mine = ++loader.calls;
        void end.promise.then(() => resolve(`value ${mine}`));
        signal.addEventListener("abort", () => {
          loader.aborted++;
          if (!loader.deaf) reject(signal.reason as Error);
        });
      }),
  };
  return loader;
}

const reason = new Error("the client went away");

test("a signal that has fired already begins nothing, in any operation", async () => {
  const world = createWorld();
  const { cache, link } = world.instance();
  const signal = AbortSignal.abort(reason);
  const { load, ...loader } = createListening();
  await world.run(cache.set("hit", 1));
  link.count();
  for (const call of [
    cache.getOrSet("k", load, { signal }),
    cache.getOrSet("hit", () => 2, { signal }),
    cache.get("hit", { signal }),
    cache.getEntry("k", { signal }),
    cache.has("k", { signal }),
    cache.set("k", 1, { signal }),
    cache.namespace("n", { signal }).getOrSet("k", load),
  ]) {
    expect(await errorOf(call)).toBe(reason);
  }
  expect([link.count(), loader.calls]).toEqual([{}, 0]);
});

describe("a caller whose signal fires", () => {
  test("rejects with its reason at once; others get the value", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const loader = createListening();
    const controller = new AbortController();
    const leaves = watch(cache.getOrSet("k", loader.load, { signal: controller.signal }));
    const stays = watch(cache.getOrSet("k", loader.load));
    await world.advance(10);
    controller.abort(reason);
    await world.advance(0);
    expect([leaves.error, stays.state]).toEqual([reason, "pending"]);
    await world.advance(5_000);
    loader.let();
    await world.advance(2_000);
    expect([stays.value, loader.aborted, loader.calls]).toEqual(["value 1", 0, 1]);
  });

  test("as the only one ends the load at once; nothing is stored, and the next caller loads anew", async () => {
    const world = createWorld();
    const { cache, errors } = world.instance();
    const loader = createListening();
    const controller = new AbortController();
    const call = watch(cache.getOrSet("k", loader.load, { signal: controller.signal }));
    await world.advance(10);
    controller.abort(reason);
    await world.advance(0);
    expect([call.error, loader.aborted]).toEqual([reason, 1]);
    const next = watch(cache.getOrSet("k", loader.load));
    loader.let();
    await world.advance(50);
    expect([next.value, loader.calls, errors]).toEqual(["value 2", 2, []]);
  });

  test("does not let who comes next share a load that is about to fail for that", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const controller = new AbortController();
    const load = ({ signal }: LoaderContext): Promise<string> =>
      new Promise((_, reject) => {
        const fail = (): void => reject(signal.reason as Error);
        signal.addEventListener("abort", () => void sleep(world.platform, 100).then(fail));
      });
    watch(cache.getOrSet("k", load, { signal: controller.signal }));
    await world.advance(10);
    controller.abort(reason);
    expect(await world.run(cache.getOrSet("k", () => "next"))).toBe("next");
  });

  test("as the last of several ends the load within a second", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const loader = createListening();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => watch(cache.getOrSet("k", loader.load, { signal })));
    await world.advance(10);
    for (const controller of controllers) controller.abort(reason);
    await world.advance(1_000);
    expect([...calls.map(({ error }) => error), loader.aborted]).toEqual([reason, reason, 1]);
  });

  test("keeps a load going if another joins before it was ended", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const loader = createListening();
    const controllers = [new AbortController(), new AbortController()];
    for (const { signal } of controllers) watch(cache.getOrSet("k", loader.load, { signal }));
    await world.advance(10);
    for (const controller of controllers) controller.abort(reason);
    const joins = watch(cache.getOrSet("k", loader.load));
    await world.advance(3_000);
    loader.let();
    await world.advance(1_000);
    expect([joins.value, loader.aborted, loader.calls]).toEqual(["value 1", 0, 1]);
  });

  test("before its loader ran never runs it, and leaves no lease behind", async () => {
    const world = createWorld();
    const [a, b] = [world.instance(), world.instance()];
    const loader = createListening();
    const controller = new AbortController();
    a.link.once("read", { kind: "delay", ms: 100 });
    const call = watch(a.cache.getOrSet("k", loader.load, { signal: controller.signal }));
    await world.advance(60);
    controller.abort(reason);
    await world.advance(100);
    expect([call.error, loader.calls]).toEqual([reason, 0]);
    const next = watch(b.cache.getOrSet("k", () => "b"));
    await world.advance(0);
    expect(next.value).toBe("b");
  });

  test("does not keep a loader that pays no heed from filling the cache", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const loader = createListening();
    loader.deaf = true;
    const controller = new AbortController();
    watch(cache.getOrSet("k", loader.load, { signal: controller.signal }));
    await world.advance(10);
    controller.abort(reason);
    loader.let();
    await world.advance(10);
    expect(await world.run(cache.get("k"))).toBe("value 1");
  });

  test("does not make the fleet back off, as a failed load would", async () => {
    const world = createWorld();
    const { cache } = world.instance({ staleIfError: "1h" });
    await world.run(cache.set("k", "old", { ttl: "1s" }));
    await world.advance(2_000);
    const loader = createListening();
    const controller = new AbortController();
    watch(cache.getOrSet("k", loader.load, { signal: controller.signal }));
    await world.advance(10);
    controller.abort(reason);
    await world.advance(10);
    expect(await world.run(cache.getOrSet("k", () => "new"))).toBe("new");
  });

  test("that waits for the store rejects at once in reads without a loader, too", async () => {
    const world = createWorld();
    const { cache, link } = world.instance();
    link.always("all", "hang");
    const controller = new AbortController();
    const call = watch(cache.get("k", { signal: controller.signal }));
    await world.advance(10);
    controller.abort(reason);
    await world.advance(0);
    expect(call.error).toBe(reason);
    await world.advance(5_000);
  });

  test("leaves no listener on a signal that lives on", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    let listeners = 0;
    const { signal } = new AbortController();
    const counting = {
      addEventListener: () => listeners++,
      removeEventListener: () => listeners--,
      throwIfAborted: () => signal.throwIfAborted(),
      aborted: false,
    } as unknown as AbortSignal; // as far as the cache uses it
    await world.run(cache.getOrSet("k", () => 1, { signal: counting }));
    await world.run(cache.get("other", { signal: counting }));
    expect(listeners).toBe(0);
  });
});

describe("with other options", () => {
  test("one who timed out has not left: the load goes on when the other leaves", async () => {
    const world = createWorld();
    const { cache } = world.instance();
    const loader = createListening();
    const controller = new AbortController();
    const times = watch(cache.getOrSet("k", loader.load, { hardTimeout: "50ms" }));
    watch(cache.getOrSet("k", loader.load, { signal: controller.signal }));
    await world.advance(60);
    controller.abort(reason);
    await world.advance(2_000);
    loader.let();
    await world.advance(10);
    expect(times.error).toMatchObject({ code: "ISOCACHE_TIMEOUT" });
    expect([await world.run(cache.get("k")), loader.aborted]).toEqual(["value 1", 0]);
  });

  test("a reload in the background has no callers, and goes on", async () => {
    const world = createWorld();
    const { cache } = world.instance({ staleWhileRevalidate: "1h" });
    await world.run(cache.set("k", "old", { ttl: "1s" }));
    await world.advance(2_000);
    const loader = createListening();
    const controller = new AbortController();
    expect(await world.run(cache.getOrSet("k", loader.load, { signal: controller.signal }))).toBe("old");
    controller.abort(reason);
    await world.advance(2_000);
    loader.let();
    await world.advance(10);
    expect([await world.run(cache.get("k")), loader.aborted]).toEqual(["value 1", 0]);
  });
});

test("a caller that has left before it is known that there is something stale reloads nothing", async () => {
  const world = createWorld();
  const { cache, link } = world.instance({ maxStaleness: 100 });
  const load = world.loader("new");
  await world.run(cache.set("k", "old", { ttl: 50, staleWhileRevalidate: "1h" }));
  await world.advance(1_000);
  const question = link.hold("changesSince", "way back");
  const controller = new AbortController();
  const call = errorOf(cache.getOrSet("k", load, { signal: controller.signal }));
  await world.advance(10);
  controller.abort(reason);
  expect(await world.run(call)).toBe(reason);
  question.open();
  await world.advance(1_000);
  expect(load.calls).toBe(0);
});
