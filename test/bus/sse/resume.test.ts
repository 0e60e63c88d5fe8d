// A client whose stream ends: it goes on where it was, or knows that it cannot.
import { expect, test } from "vitest";
import { message } from "../harness.ts";
import { network } from "./network.ts";

test("a stream that ends is resumed without a loss, and nobody notices", async () => {
  const { join, cut, platform, attempts, closeHub } = network();
  const [a, b] = [await join(), await join()];
  await platform.run(a.tell(message([{ key: "before" }])));
  expect(b.told).toEqual(["up", "catch up all", "before@1"]);
  const since = attempts().length;
  cut();
  await a.tell(message([{ key: "meanwhile", seq: 2 }]));
  await platform.advance(100);
  await platform.run(a.tell(message([{ key: "after", seq: 3 }])));
  await platform.advance(10_000);
  expect(b.told).toEqual(["up", "catch up all", "before@1", "meanwhile@2", "after@3"]);
  expect(attempts().length - since).toBe(2);
  expect([...a.errors, ...b.errors]).toEqual([]);
  await Promise.all([a.close(), b.close(), closeHub()]);
  expect(platform.timers).toBe(0);
});

test("one that cannot be opened again within a second is down, and still loses nothing", async () => {
  const { join, cut, state, platform, closeHub } = network();
  const [a, b] = [await join({ retryQueue: { retryInterval: "100ms" } }), await join()];
  state.isDown = true;
  cut();
  void a.tell(message([{ key: "k" }]));
  await platform.advance(50);
  expect(b.told).toEqual(["up", "catch up all"]);
  await platform.advance(200);
  expect(b.told).toEqual(["up", "catch up all", "down"]);
  await platform.advance(30_000);
  state.isDown = false;
  await platform.advance(30_000);
  expect(b.told).toEqual(["up", "catch up all", "down", "up", "catch up all", "k@1"]);
  expect(b.errors).toEqual(["bus: BusError: sseBus: subscribe: the hub is out of reach"]);
  await Promise.all([a.close(), b.close(), closeHub()]);
});

test("one that takes a second to open again is down", async () => {
  const { join, cut, state, platform, closeHub } = network();
  const a = await join();
  state.answer = () => new Promise(() => undefined);
  cut();
  await platform.advance(1_000);
  expect(a.told).toEqual(["up", "catch up all", "down"]);
  await Promise.all([a.close(), closeHub()]);
  expect(platform.timers).toBe(0);
});

test("where the hub's history does not reach back, the client catches up from the log", async () => {
  const { join, cut, platform, closeHub } = network({ history: { maxEvents: 1 } });
  const [mute, b] = [await join({ subscribe: false }), await join()];
  cut();
  for (const seq of [1, 2]) await platform.run(mute.tell(message([{ key: `k${seq}`, seq }])), 40);
  await platform.advance(1_000);
  expect(b.told).toEqual(["up", "catch up all", "down", "up", "catch up all"]);
  await platform.run(mute.tell(message([{ key: "k3", seq: 3 }])));
  expect(b.told.slice(5)).toContain("k3@3");
  await Promise.all([mute.close(), b.close(), closeHub()]);
});

test("after a restart of the hub the client catches up, although the numbers begin again", async () => {
  const { join, restartHub, platform, closeHub } = network();
  const [a, b] = [await join(), await join()];
  await platform.run(a.tell(message([{ key: "before" }])));
  await restartHub();
  await platform.advance(1_000);
  await platform.run(a.tell(message([{ key: "after", seq: 2 }])));
  expect(b.told).toEqual(["up", "catch up all", "before@1", "down", "up", "catch up all", "after@2"]);
  await Promise.all([a.close(), b.close(), closeHub()]);
  expect(platform.timers).toBe(0);
});

test("attempts come at growing, jittered steps of at most 10 s, and soon again after a stream that was up for long", async () => {
  const { join, cut, state, platform, attempts, closeHub } = network();
  const a = await join();
  const gaps = async (forMs: number): Promise<number[]> => {
    const since = attempts().length;
    const from = platform.monotonic();
    await platform.advance(forMs);
    const times = [
      from,
      ...attempts()
        .slice(since)
        .map(({ at }) => at),
    ];
    return times.slice(1).map((at, index) => at - times[index]!);
  };
  state.isDown = true;
  cut();
  const steps = await gaps(120_000);
  steps.forEach((gap, index) => {
    const most = Math.min(100 * 2 ** index, 10_000);
    expect(gap).toBeGreaterThanOrEqual(most / 2);
    expect(gap).toBeLessThanOrEqual(most);
  });
  expect(new Set(steps.slice(-5)).size).toBe(5);
  state.isDown = false;
  await platform.advance(10_000);
  cut(); // too soon
  expect((await gaps(20_000))[0]).toBeGreaterThan(3_000);
  cut();
  expect((await gaps(200))[0]).toBeLessThanOrEqual(100);
  await Promise.all([a.close(), closeHub()]);
  expect(platform.timers).toBe(0);
});

test("frames of one's own come back and are not taken for others'", async () => {
  const { join, platform, closeHub } = network();
  const a = await join();
  await platform.run(a.tell(message([{ key: "k" }])));
  await platform.advance(10);
  expect(a.told).toEqual(["up", "catch up all"]);
  await Promise.all([a.close(), closeHub()]);
});

test("closing while a stream is about to be resumed leaves no timer", async () => {
  const { join, cut, platform, attempts, closeHub } = network();
  const a = await join();
  cut();
  await platform.advance(1);
  await a.close();
  await closeHub();
  expect(platform.timers).toBe(0);
  expect(attempts()).toHaveLength(1);
});
