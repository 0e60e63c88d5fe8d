// The default platform reads the globals when it is asked, and only then.
import { afterEach, expect, test, vi } from "vitest";
import { defaultPlatform } from "../src/default-platform.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("fake timers that come after its creation are what it uses", async () => {
  const platform = defaultPlatform();
  vi.useFakeTimers({ now: 1_000 });
  const fired: string[] = [];
  platform.setTimeout(() => fired.push("soon"), 10);
  platform.clearTimeout(platform.setTimeout(() => fired.push("never"), 20));
  const started = platform.monotonic();
  await vi.advanceTimersByTimeAsync(30);
  expect(fired).toEqual(["soon"]);
  expect(platform.now()).toBe(1_030);
  expect(platform.monotonic() - started).toBe(30);
});

test("a delay beyond 2^31 ms does not fire at once", async () => {
  vi.useFakeTimers();
  const platform = defaultPlatform();
  let fired = false;
  platform.setTimeout(() => (fired = true), 2 ** 40);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fired).toBe(false);
});

test("random numbers are uniform in [0, 1) and carry 53 bits", () => {
  const { random } = defaultPlatform();
  const draws = Array.from({ length: 2_000 }, random);
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
  expect(new Set(draws).size).toBe(draws.length);
  expect(draws.some((draw) => !Number.isInteger(draw * 2 ** 52))).toBe(true);
  expect(Math.abs(draws.reduce((sum, draw) => sum + draw, 0) / draws.length - 0.5)).toBeLessThan(0.05);
});
