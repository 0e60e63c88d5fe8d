// maxStaleness: 0: every hit asks, also one within the millisecond of an answer.
import { expect, test } from "vitest";
import { createCache, memoryStore } from "../../src/index.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";

test("with maxStaleness: 0 a hit sees what was acknowledged within the same millisecond", async () => {
  const virtual = virtualPlatform();
  // The wall clock stands on one millisecond, and the monotonic one goes on within it.
  let micros = 0;
  const platform = { ...virtual, monotonic: () => virtual.monotonic() + ++micros / 1_000 };
  const store = memoryStore();
  const here = createCache({ store, platform: virtual });
  const there = createCache({ store, platform, maxStaleness: 0 });
  await here.set("k", "one");
  expect(await there.get("k")).toBe("one");
  await here.delete("k");
  expect(await there.get("k")).toBe(undefined);
  expect(virtual.now()).toBe(virtualPlatform().now()); // all of it in one millisecond
  await Promise.all([here.close(), there.close()]);
});
