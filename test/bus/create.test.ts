// createBus: what is around every transport.
import { expect, test } from "vitest";
import type { BusOptions } from "../../src/bus/options.ts";
import { createBus } from "../../src/bus/create.ts";
import { decodeFrame, encodeFrame } from "../../src/bus/frame.ts";
import { message, recorder, wire } from "./harness.ts";

/** Two connections over one wire. */
function pair(options: BusOptions = {}, hasLog = true) {
  const world = wire();
  const join = (more: BusOptions = {}) => {
    const seen = recorder(world.platform, hasLog);
    const connection = world.bus({ ...options, ...more }).connect(seen.port);
    connection.open();
    const close = async (): Promise<void> => {
      seen.close();
      await connection.close();
    };
    return { ...seen, ...connection, close };
  };
  const [a, b] = [join(), join()];
  a.told.length = b.told.length = 0;
  return { ...world, join, a, b, end: () => Promise.all([a.close(), b.close()]) };
}

test("what one tells, the others apply, and it itself does not", async () => {
  const { a, b, end, platform } = pair();
  await a.tell(message([{ key: "k" }]));
  expect([a.told, b.told]).toEqual([[], ["k@1"]]);
  await end();
  expect(platform.timers).toBe(0);
});

test("what is told in one tick goes in one frame, and what comes while that is under way in the next", async () => {
  const { a, words, end } = pair();
  const first = [1, 2, 3].map((seq) => a.tell(message([{ key: `k${seq}`, seq }])));
  await Promise.resolve();
  await Promise.resolve();
  const second = [4, 5].map((seq) => a.tell(message([{ key: `k${seq}`, seq }])));
  await Promise.all([...first, ...second]);
  expect(words()).toEqual([["k1@1 k2@2 k3@3"], ["k4@4 k5@5"]]);
  await end();
});

test("a frame that comes again changes nothing", async () => {
  const { a, b, sent, deliver, state, end } = pair();
  state.copies = () => 2;
  await a.tell(message([{ key: "k" }]));
  await deliver(sent[0]!.bytes);
  expect(b.told).toEqual(["k@1"]);
  await end();
});

test("repeats are recognised as long as dedupe.ttl and dedupe.maxSize say", async () => {
  const { a, b, sent, deliver, platform, end } = pair({ dedupe: { maxSize: 2, ttl: "10s" }, heartbeat: "1d" });
  for (const seq of [1, 2, 3]) await a.tell(message([{ key: "k", seq }]));
  b.told.length = 0;
  await deliver(sent[1]!.bytes);
  expect(b.told).toEqual([]);
  await deliver(sent[0]!.bytes); // the oldest of three is forgotten
  expect(b.told).toEqual(["k@1"]);
  await platform.advance(10_000);
  await deliver(sent[2]!.bytes);
  expect(b.told).toEqual(["k@1", "k@3"]);
  await end();
});

test("a frame that never came is noticed by the number of the next, and by the heartbeat", async () => {
  const { a, b, state, platform, end } = pair();
  await a.tell(message([{ key: "a", seq: 1 }]));
  state.copies = () => 0;
  await a.tell(message([{ key: "b", seq: 2 }]));
  state.copies = () => 1;
  await a.tell(message([{ key: "c", seq: 3 }]));
  expect(b.told).toEqual(["a@1", "c@3", "catch up all"]);
  await platform.advance(50);
  expect(b.told).toEqual(["a@1", "c@3", "catch up all", "catch up 0"]); // for its seq, too
  await end();
});

test("without a log, whoever missed something forgets all, and so does whoever was cut off", async () => {
  const { a, b, state, tellState, end } = pair({}, false);
  for (const copies of [1, 0, 1]) {
    state.copies = () => copies;
    await a.tell(message([{ key: "k" }], "e"));
  }
  expect(b.told).toEqual(["k@1", "k@1", "forget"]);
  tellState(false);
  tellState(true);
  expect(b.told.slice(3)).toEqual(["down", "up", "forget"]);
  await end();
});

test("what could not be published is sent again, in order, the last of each key, and then what came after", async () => {
  const { a, b, state, words, platform, end } = pair({ retryQueue: { retryInterval: "1s" }, heartbeat: "1d" });
  state.fails = true;
  await a.tell(message([{ key: "a", seq: 1 }]));
  for (const [key, seq] of [
    ["b", 2],
    ["c", 3],
    ["b", 4],
  ] as const)
    void a.tell(message([{ key, seq }]));
  void a.tell(message([{ key: "b", seq: 5, expire: true }]));
  await platform.advance(900);
  expect(words()).toEqual([["a@1"]]);
  state.fails = false;
  await platform.advance(1_100);
  expect(words()).toEqual([["a@1"], ["a@1"], ["c@3 b@4 b@5"]]);
  expect(b.told.filter((told) => told.includes("@"))).toEqual(["a@1", "c@3", "b@4", "b@5"]);
  expect(a.errors).toEqual(["publish: Error: the wire is cut"]);
  await end();
});

test("a full queue drops the oldest with an error event, and the others notice", async () => {
  const { a, b, state, platform, end } = pair({ retryQueue: { maxSize: 2 }, heartbeat: "1d" });
  await a.tell(message([{ key: "first", seq: 1 }]));
  state.fails = true;
  void a.tell(message([{ key: "a", seq: 2 }]));
  await platform.advance(1);
  for (const seq of [3, 4, 5]) void a.tell(message([{ key: `k${seq}`, seq }]));
  await platform.advance(1);
  expect(a.errors.at(-1)).toBe("publish: BusError: 1 invalidations were not published: the retry queue is full");
  state.fails = false;
  b.told.length = 0;
  await platform.advance(2_000);
  expect(b.told).toEqual(expect.arrayContaining(["a@2", "k4@4", "k5@5", "catch up all"]));
  expect(b.told).not.toContain("k3@3");
  await end();
});

test("without a retry queue what fails is dropped with an error event", async () => {
  const { a, b, state, words, platform, end } = pair({ retryQueue: { enabled: false }, heartbeat: "1d" });
  state.fails = true;
  await a.tell(message([{ key: "a", seq: 1 }]));
  state.fails = false;
  await platform.advance(5_000);
  await a.tell(message([{ key: "b", seq: 2 }]));
  expect(words()).toEqual([["a@1"], ["b@2"]]);
  expect(b.told[0]).toBe("b@2");
  expect(a.errors.at(-1)).toBe("publish: BusError: 1 invalidations were not published: the retry queue is not enabled");
  await end();
});

test("after failureThreshold failures nothing is sent for the cool-down, then one frame, then all", async () => {
  const { a, state, sent, words, platform, end } = pair({
    breaker: { failureThreshold: 3, cooldown: "10s" },
    retryQueue: { retryInterval: "100ms" },
    heartbeat: "1d",
  });
  state.fails = true;
  await a.tell(message([{ key: "a", seq: 1 }]));
  await platform.advance(5_000);
  expect(sent.length).toBe(3);
  await platform.advance(7_000);
  expect(sent.length).toBe(4); // half-open: it fails again
  state.fails = false;
  void a.tell(message([{ key: "b", seq: 2 }]));
  await platform.advance(5_000);
  expect(sent.length).toBe(4);
  await platform.advance(7_000);
  expect(words().slice(4)).toEqual([["a@1"], ["b@2"]]);
  await end();
});

test("a publish that never answers ends with publishTimeout", async () => {
  const { a, state, platform, end } = pair({ publishTimeout: "200ms", heartbeat: "1d" });
  state.fails = "hangs";
  const telling = a.tell(message([{ key: "a" }]));
  await platform.advance(200);
  await telling;
  expect(a.errors).toEqual(["publish: TimeoutError: publish: no answer within 200 ms"]);
  const ended = end(); // with a last attempt
  await platform.advance(200);
  await ended;
  expect(platform.timers).toBe(0);
});

test("closing sends what is waiting once more, and ends", async () => {
  const { a, state, words, platform, end } = pair({ heartbeat: "1d" });
  state.fails = true;
  await a.tell(message([{ key: "a" }]));
  state.fails = false;
  await end();
  expect(words()).toEqual([["a@1"], ["a@1"]]);
  expect([state.closed, platform.timers]).toEqual([2, 0]);
});

test("closing gives up a heartbeat that is not answered, and leaves no timer", async () => {
  const { a, b, state, sent, platform, end } = pair({ heartbeat: "5s" });
  state.fails = "hangs";
  while (sent.length === 0) await platform.advance(10);
  await end();
  expect([state.closed, platform.timers]).toEqual([2, 0]);
  expect([a.errors, b.errors]).toEqual([[], []]);
});

test("closing ends although whoever sends was cut off, and sends what that one has left", async () => {
  for (const passedMs of [0, 5_000]) {
    const { a, b, state, platform, words } = pair({ heartbeat: "1d" });
    // See below: timers of the request that sends never fire.
    const { setTimeout } = platform;
    let isCut = true;
    Object.assign(platform, {
      setTimeout(callback: () => void, ms: number) {
        const isMine = isCut;
        return setTimeout(() => isMine || callback(), ms);
      },
    });
    state.fails = "hangs";
    void a.tell(message([{ key: "a", seq: 1 }]));
    await platform.advance(passedMs);
    isCut = false;
    state.fails = false;
    await platform.run(Promise.all([a.close(), b.close()]), 10_000);
    expect(words()).toEqual(passedMs > 0 ? [["a@1"], ["a@1"]] : [["a@1"]]);
    expect(state.closed).toBe(2);
  }
});

test("one that does not subscribe tells others, hears nothing, and takes no turns", async () => {
  const { join, b, platform, sent, end } = pair();
  const c = join({ subscribe: false });
  await c.tell(message([{ key: "k" }]));
  await b.tell(message([{ key: "l", seq: 2 }]));
  expect([b.told, c.told]).toEqual([["k@1"], []]);
  await end();
  const before = sent.length;
  await platform.advance(60_000);
  expect([sent.length - before, platform.timers]).toEqual([0, 0]);
  await c.close();
});

test("instances take turns: about one heartbeat in a period, however many there are", async () => {
  const { join, sent, words, platform, a, b, end } = pair({ heartbeat: "5s" });
  const more = Array.from({ length: 18 }, () => join());
  a.state.applied = 7;
  await platform.advance(100_000);
  expect(sent.length).toBeGreaterThanOrEqual(20);
  expect(sent.length).toBeLessThan(60);
  expect(new Set(words().flat())).toEqual(new Set(["heartbeat 0@7", "heartbeat 0@0"]));
  expect(b.told).toContain("catch up 0"); // told by a that it is behind
  await Promise.all(more.map(({ close }) => close()));
  await end();
  expect(platform.timers).toBe(0);
});

test("without a log, and where nobody hears itself, those who are at rest do not fall silent for each other", async () => {
  const { a, b, state, platform, end } = pair({ heartbeat: "5s" }, false);
  state.echo = false;
  await platform.advance(100_000);
  await a.tell(message([{ key: "k" }], "e"));
  expect([a.told, b.told]).toEqual([[], ["k@1"]]);
  await end();
});

test("one that hears nothing for two heartbeats says so, and catches up when it hears again", async () => {
  const { a, b, state, platform, end } = pair({ heartbeat: "5s" });
  state.copies = () => 0;
  await platform.advance(20_000);
  expect(b.told.filter((told) => told === "silent")).toEqual(["silent"]);
  b.told.length = 0;
  state.copies = () => 1;
  await a.tell(message([{ key: "k" }]));
  expect(b.told).toEqual(["up", "catch up all", "k@1"]);
  await end();
});

test("records of an epoch that is not known wait until the store has told of it", async () => {
  const { a, b, platform, end } = pair({ heartbeat: "1d" });
  await a.tell(message([{ key: "k" }], "next"));
  await a.tell(message([{ key: "l" }], "next", 1));
  await platform.advance(60);
  expect(b.told).toEqual(["catch up 0"]); // about one epoch it asks once
  b.state.epoch = "next";
  b.confirmed(0);
  expect(b.told).toEqual(["catch up 0", "k@1"]);
  await end();
});

test("frames of another protocol, of nobody's, and cut ones are dropped with an error event", async () => {
  const { b, deliver, end } = pair();
  const frame = encodeFrame({ source: "x", number: 1, sentAt: 0, messages: [message([{ key: "k" }])] });
  await deliver(Uint8Array.of(9, ...frame.subarray(1)));
  await deliver(frame.subarray(0, -1));
  await deliver(new Uint8Array());
  expect(b.errors).toHaveLength(3);
  expect(b.errors[0]).toContain("protocol 9");
  expect(b.told.every((told) => told === "catch up all")).toBe(true);
  await end();
});

test("with a secret, frames that are not signed with it are dropped, and so are old ones that are sent again", async () => {
  const secret = "a secret of length";
  const { a, b, join, sent, deliver, platform, end } = pair({ sign: { secret }, heartbeat: "1d" });
  await a.tell(message([{ key: "k" }]));
  expect(b.told).toEqual(["k@1"]);
  const foreign = join({ sign: { secret: "another secret of length" } });
  const plain = join({ sign: undefined });
  await foreign.tell(message([{ key: "x" }]));
  await plain.tell(message([{ key: "y" }]));
  expect(b.told.filter((told) => told.includes("@"))).toEqual(["k@1"]);
  expect(b.errors).toHaveLength(2);
  expect(b.errors.join()).not.toContain(secret);
  await platform.advance(300_001);
  await deliver(sent[0]!.bytes);
  expect(b.errors.at(-1)).toContain("sign.maxAge");
  await Promise.all([foreign.close(), plain.close()]);
  await end();
});

test("a signed frame that comes again is dropped, even when more came since than are remembered", async () => {
  const { a, b, sent, deliver, platform, end } = pair({
    sign: { secret: "a secret of length", maxAge: "1m" },
    dedupe: { maxSize: 2, ttl: "1s" },
    heartbeat: "1d",
  });
  for (const seq of [1, 2, 3, 4]) await a.tell(message([{ key: "k", seq }]));
  await platform.advance(2_000);
  b.told.length = 0;
  for (const { bytes } of sent) await deliver(bytes);
  expect(b.told).toEqual([]);
  await end();
});

test("secrets can be changed while instances run: one that knows both hears both", async () => {
  const [old, next] = ["the old secret 1234", "the new secret 1234"];
  const { a, join, end } = pair({ sign: { secret: old } });
  const b = join({ sign: { secret: next, previous: old } });
  b.told.length = 0;
  await a.tell(message([{ key: "k" }]));
  expect(b.told).toEqual(["k@1"]);
  await b.close();
  await end();
});

test("10,000 keys at once go in frames that fit, each once and in order", async () => {
  const { a, b, sent, end } = pair();
  const records = Array.from({ length: 10_000 }, (_, index) => ({
    key: `key ${index} ${"x".repeat(index % 50)}`,
    seq: index + 1,
  }));
  await a.tell(message(records));
  expect(b.told).toEqual(records.map(({ key, seq }) => `${key}@${seq}`));
  expect(Math.max(...sent.map(({ bytes }) => bytes.length))).toBeLessThan(65_536);
  await end();
});

test("10,000 tags of one invalidation, too large for a frame, make the others ask the log", async () => {
  const { a, b, words, platform, end } = pair({ heartbeat: "1d" });
  const tags = Array.from({ length: 10_000 }, (_, index) => `#tag of some length ${index}`);
  await a.tell(message([{ tags }]));
  await platform.advance(60);
  expect([words(), b.told]).toEqual([[["heartbeat 0@1"]], ["catch up 0"]]);
  await end();
});

test("wrong options are OptionErrors that name them", () => {
  const wrong: readonly [object, string][] = [
    [{ sauce: "x" }, "sauce: unknown option"],
    [{ source: "" }, "source"],
    [{ heartbeat: "0ms" }, "heartbeat"],
    [{ concurrency: 0 }, "concurrency"],
    [{ subscribe: 1 }, "subscribe"],
    [{ retryQueue: { maxSize: 0 } }, "maxSize"],
    [{ retryQueue: { maxsize: 1 } }, "maxsize: unknown option"],
    [{ breaker: { failureThreshold: 0.5 } }, "failureThreshold"],
    [{ dedupe: { ttl: "soon" } }, "ttl"],
    [{ sign: { secret: "short" } }, "secret"],
    [{ sign: {} }, "sign.secret"],
  ];
  for (const [options, name] of wrong) {
    expect(() => createBus("x", () => ({}) as never, options as BusOptions)).toThrow(name);
  }
  expect(() => createBus("x", () => ({}) as never, { sign: { secret: "short" } })).not.toThrow("short:");
  expect(() => createBus("x", {} as never)).toThrow(expect.objectContaining({ code: "ISOCACHE_OPTION" }));
  expect(() => createBus("x", () => ({}) as never, { retryQueue: { maxSize: Infinity } })).not.toThrow();
});

test("its source can be told, and is the same for ever; without, it is random", async () => {
  const { a, join, sent, end } = pair({ heartbeat: "1d" });
  const c = join({ source: "worker-1" });
  await c.tell(message([{ key: "k" }]));
  await a.tell(message([{ key: "l" }]));
  const [told, random] = sent.map(({ bytes }) => decodeFrame(bytes).source);
  expect(told).toBe("worker-1");
  expect(random).toMatch(/^[0-9a-z]{6,12}$/);
  await c.close();
  await end();
});

test("whoever sent and was cut off is replaced by the next one who tells, who does not wait for ever", async () => {
  const { a, state, words, platform, end } = pair({ heartbeat: "1d" });
  // As on Workers, where the timers of a cancelled request never fire, and its promises never settle.
  const { setTimeout } = platform;
  Object.assign(platform, {
    setTimeout: (callback: () => void, ms: number) => setTimeout(() => isCut || callback(), ms),
  });
  let isCut = true;
  state.fails = "hangs";
  void a.tell(message([{ key: "a", seq: 1 }]));
  await platform.advance(2_000);
  isCut = false;
  state.fails = false;
  await a.tell(message([{ key: "b", seq: 2 }]));
  expect(words()).toEqual([["a@1"], ["a@1"], ["b@2"]]);
  await end();
});
