// Single-flight that survives, in real workerd: leaders that vanish, fail, answer early or hang; objects lost in mid-load (P6).
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startSurvivalWorkerd, until } from "./survival-workerd.ts";
import type { Answer, Scene, SurvivalWorkerd } from "./survival-workerd.ts";

/** No answer from memory or store takes this long, even on a busy machine. */
const QUICK_MS = 1_500;
/** Nobody waits longer for somebody else's load where the lease is 1 s: two of them, and a time-out of the store. */
const PATIENCE_MS = 3_000;
/** A leader that is dead is taken to be so by then: it was silent for 2.5 s, which is looked at once a second. */
const SILENCE_MS = 3_500;
/** What a busy machine adds. */
const MARGIN_MS = 4_000;

const isolates = ["edge1", "edge2"] as const;
const strong = { strong: "" };
const texts = (answers: readonly Answer[]): Set<string> => new Set(answers.map(({ text }) => text));
const slowestMs = (answers: readonly Answer[]): number => Math.max(...answers.map(({ tookMs }) => tookMs));
const since = (startedAt: number): number => Math.round(performance.now() - startedAt);
const both = async (first: Promise<Answer[]>, second: Promise<Answer[]>): Promise<Answer[]> =>
  (await Promise.all([first, second])).flat();

/** A leader in edge1 with joiners, and one that waits for it in edge2 with joiners of its own: one load, not yet answered. */
async function stampede(scene: Scene, joiners = 5) {
  const release = scene.hold();
  const leader = scene.raw("edge1");
  await scene.loading(1);
  const follower = scene.raw("edge2");
  await until(async () => (await scene.calls())["read"], 2);
  const here = await scene.gather("edge1", joiners);
  const there = await scene.gather("edge2", joiners);
  return { release, leader, follower, here: here.answers, there: there.answers };
}

/** The key is not poisoned: both isolates answer quickly and alike, and the origin is not asked. Returns the value. */
async function expectKept(scene: Scene, text: string = expect.any(String)): Promise<string> {
  const loads = scene.loads();
  const answers = await Promise.all(isolates.map((isolate) => scene.ask(isolate)));
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, text });
  expect(texts(answers).size).toBe(1);
  expect(slowestMs(answers)).toBeLessThan(QUICK_MS);
  expect(scene.loads()).toBe(loads);
  return answers[0]!.text; // there are two
}

describe.each(["2024-01-01", "2026-10-23"])("the whole cache at compatibility date %s", (date) => {
  let workerd: SurvivalWorkerd;
  beforeAll(async () => {
    workerd = await startSurvivalWorkerd(date);
  });
  afterAll(() => workerd?.stop());

  describe.each(["imported", "bound"])("with waitUntil %s", (way) => {
    test("a load goes on when the clients of its leader and of the one who waits for it are gone", async () => {
      const scene = workerd.scene(way, "cut");
      const { release, leader, follower, here, there } = await stampede(scene);
      await workerd.cut("edge1", leader);
      await workerd.cut("edge2", follower);
      release();
      expect(texts(await both(here, there))).toEqual(new Set([`${scene.key} 1`]));
      expect(scene.abandoned()).toBe(0);
      await expectKept(scene, `${scene.key} 1`);
    });

    test("a load goes on when its leader has answered early, and fills both tiers", async () => {
      const scene = workerd.scene(way, "early");
      const release = scene.hold();
      await scene.leaveEarly("edge1");
      const joiners = await scene.gather("edge1", 5);
      const followers = await scene.gather("edge2", 5);
      release();
      expect(texts(await both(joiners.answers, followers.answers))).toEqual(new Set([`${scene.key} 1`]));
      await expectKept(scene, `${scene.key} 1`);
    });

    test("a loader that throws fails its callers, and the next request loads anew", async () => {
      const scene = workerd.scene(way, "throws");
      const release = scene.hold({ status: 500 });
      const joiners = await scene.gather("edge1", 5);
      await scene.loading(1);
      const followers = await scene.gather("edge2", 5);
      release();
      for (const answer of await both(joiners.answers, followers.answers)) {
        const text = expect.stringMatching(/^LoaderError: .* the origin answered 500$/) as string;
        expect(answer).toMatchObject({ status: 502, text });
      }
      expect(scene.loads()).toBe(2); // edge2 was given the lease, and tried for itself
      scene.behave({});
      expect((await scene.ask("edge1")).text).toBe(`${scene.key} 3`);
      await expectKept(scene, `${scene.key} 3`);
    });

    test("a loader that throws has the stale value served in both isolates, within staleIfError", async () => {
      const scene = workerd.scene(way, "stale");
      await scene.ask("edge1");
      await expectKept(scene, `${scene.key} 1`);
      await scene.ask("edge1", "expire");
      const release = scene.hold({ status: 500 });
      const joiners = await scene.gather("edge1", 5, strong);
      await scene.loading(2);
      const followers = await scene.gather("edge2", 5, strong);
      release();
      const answers = await both(joiners.answers, followers.answers);
      expect(texts(answers)).toEqual(new Set([`${scene.key} 1`]));
      expect(scene.loads()).toBe(2); // the back-off is for both
    });

    test("an object evicted in mid-load takes the value from nobody but itself", async () => {
      const scene = workerd.scene(way, "evicted");
      const release = scene.hold();
      const joiners = await scene.gather("edge1", 5);
      await scene.loading(1);
      await scene.evict(); // workerd waits for held reads first: nobody has one
      const followers = await scene.gather("edge2", 5);
      await scene.loading(2); // with the object the lease is gone, and nobody waits for it
      release();
      expect(texts(await joiners.answers)).toEqual(new Set([`${scene.key} 1`]));
      expect(texts(await followers.answers)).toEqual(new Set([`${scene.key} 2`]));
      await expectKept(scene, `${scene.key} 2`);
    });

    test("an object reset in mid-load fails nobody, stores nothing, and the next request loads anew", async () => {
      const scene = workerd.scene(way, "reset");
      const { release, here, there } = await stampede(scene);
      await scene.reset();
      await scene.loading(2); // those in edge2 were held by the object: they share a load of their own
      release();
      expect(texts(await here)).toEqual(new Set([`${scene.key} 1`]));
      expect(texts(await there)).toEqual(new Set([`${scene.key} 2`]));
      expect((await scene.ask("edge1")).text).toBe(`${scene.key} 3`);
      await expectKept(scene, `${scene.key} 3`);
    });

    test.each(["before", "after"] as const)(
      "an invalidation whose object is reset %s it is done rejects, holds here at once, and is done in the end",
      async (when) => {
        const scene = workerd.scene(way, `write-lost-${when}`);
        const old = `${scene.key} 1`;
        await scene.ask("edge1");
        await expectKept(scene, old);
        await scene.resetOn("write", when);
        const text = expect.stringMatching(/^StoreError/) as string;
        expect(await scene.ask("edge1", "delete")).toMatchObject({ status: 502, text });
        expect((await scene.ask("edge1")).text).not.toBe(old);
        await until(async () => (await scene.ask("edge2", "read", strong)).text === old, false);
        await scene.ask("edge1", "read", strong);
        await expectKept(scene);
      },
    );

    test("an invalidation is seen in the other isolate by a strong read at once, by any after maxStaleness", async () => {
      const scene = workerd.scene(way, "coherence");
      await scene.ask("edge1");
      await expectKept(scene, `${scene.key} 1`);
      const { hits } = await scene.stats("edge2");
      await scene.ask("edge2");
      expect((await scene.stats("edge2")).hits.memory).toBe(hits.memory + 1); // or the rest would prove nothing
      await scene.ask("edge1", "delete");
      expect((await scene.ask("edge2", "read", strong)).text).toBe(`${scene.key} 2`);
      await expectKept(scene, `${scene.key} 2`);
      await scene.ask("edge2", "delete");
      await new Promise((resolve) => setTimeout(resolve, 550));
      expect((await scene.ask("edge1")).text).toBe(`${scene.key} 3`);
    });

    test("a hundred keys in one call cost two calls of the object, and are loaded once for two isolates", async () => {
      const scene = workerd.scene(way, "many");
      const all = (loads: number): string => `100 times ${scene.key} ${loads}`;
      const release = scene.hold();
      const leading = scene.ask("edge1", "read-many");
      await scene.loading(1);
      const before = (await scene.calls())["batch"] ?? 0;
      const following = scene.ask("edge2", "read-many");
      await until(async () => ((await scene.calls())["batch"] ?? 0) > before, true);
      release();
      expect(texts([await leading, await following])).toEqual(new Set([all(1)]));
      const { batch = 0 } = await scene.calls();
      expect((await scene.ask("edge1", "read-many")).text).toBe(all(1));
      expect((await scene.calls())["batch"]).toBe(batch);
      await scene.ask("edge1", "delete-many");
      expect((await scene.ask("edge1", "read-many")).text).toBe(all(2));
      expect((await scene.calls())["batch"]).toBe(batch + 3);
      await until(async () => (await scene.ask("edge2", "read-many")).text, all(2));
      expect(scene.loads()).toBe(2);
    });

    test("many keys are loaded on though the client of the one who loads them is gone", async () => {
      const scene = workerd.scene(way, "many-cut");
      const release = scene.hold();
      const leader = scene.raw("edge1", "read-many");
      await scene.loading(1);
      const here = scene.ask("edge1", "read-many");
      const there = scene.ask("edge2", "read-many");
      await workerd.cut("edge1", leader);
      release();
      expect(texts([await here, await there])).toEqual(new Set([`100 times ${scene.key} 1`]));
      expect(scene.loads()).toBe(1);
    });

    test("a hundred readers in two isolates cost one load and three calls of the object", async () => {
      const scene = workerd.scene(way, "crowd");
      const { release, here, there } = await stampede(scene, 49);
      release();
      expect(texts(await both(here, there))).toEqual(new Set([`${scene.key} 1`]));
      expect(await scene.calls()).toEqual({ read: 2, commit: 1 });
      expect(await scene.stats("edge1")).toMatchObject({ loads: 1, roundTrips: 2 });
      expect(await scene.stats("edge2")).toMatchObject({ loads: 0, roundTrips: 1 });
      await expectKept(scene, `${scene.key} 1`);
    });
  });

  describe.concurrent.each(["imported", "bound", "unextended"])("a leader that hangs, waitUntil %s", (way) => {
    test("is replaced in both isolates after two leases and a time-out at most, and hangs alone", async () => {
      const scene = workerd.scene(way, "hangs");
      scene.hold();
      const leader = scene.raw("edge1");
      await scene.loading(1);
      scene.behave({});
      const joiners = await scene.gather("edge1", 5);
      const followers = await scene.gather("edge2", 5);
      const answers = await both(joiners.answers, followers.answers);
      for (const { status } of answers) expect(status).toBe(200);
      expect(slowestMs(answers)).toBeLessThan(PATIENCE_MS + MARGIN_MS);
      expect(scene.loads()).toBeLessThanOrEqual(3); // the one that hangs, and one an isolate
      await expectKept(scene);
      leader.cut();
      expect(await leader.text).toBe("");
    });

    test("does not hold up the other isolate for longer although its lease is renewed, nor those who come later", async () => {
      const scene = workerd.scene(way, "hangs-afar");
      scene.hold();
      const leader = scene.raw("edge1");
      await scene.loading(1);
      scene.behave({});
      const followers = await scene.gather("edge2", 5);
      const answers = await followers.answers;
      expect(texts(answers)).toEqual(new Set([`${scene.key} 2`]));
      expect(slowestMs(answers)).toBeLessThan(PATIENCE_MS + MARGIN_MS);
      const { text, tookMs } = await scene.ask("edge1"); // takes the lease over, and stores
      expect(text).toBe(`${scene.key} 3`);
      expect(tookMs).toBeLessThan(PATIENCE_MS + MARGIN_MS);
      await expectKept(scene, `${scene.key} 3`);
      leader.cut();
    });
  });

  describe.concurrent("a request that nothing prolongs", () => {
    test("leading a load is replaced by a joiner that goes on with its lease when its client is gone", async () => {
      const scene = workerd.scene("unextended", "cut");
      const { leader, follower, here, there } = await stampede(scene);
      scene.behave({});
      await workerd.cut("edge1", leader);
      await workerd.cut("edge2", follower);
      const cutAt = performance.now();
      expect(texts(await both(here, there))).toEqual(new Set([`${scene.key} 2`]));
      expect(since(cutAt)).toBeLessThan(SILENCE_MS + MARGIN_MS);
      expect(scene.abandoned()).toBe(1); // the leader was really gone
      expect(scene.loads()).toBe(2);
      await expectKept(scene, `${scene.key} 2`);
    });

    test("leading a load is replaced by a follower when its lease ends before that", async () => {
      const scene = workerd.scene("unextended", "impatient");
      const { release, leader, here, there } = await stampede(scene);
      scene.behave({});
      await workerd.cut("edge1", leader);
      release(); // for followers that were so slow to gather that they load already
      const cutAt = performance.now();
      const answers = await both(here, there);
      for (const { status } of answers) expect(status).toBe(200);
      expect(since(cutAt)).toBeLessThan(PATIENCE_MS + MARGIN_MS);
      expect(texts(answers)).not.toContain(`${scene.key} 1`);
      expect(scene.abandoned()).toBe(1);
      expect(scene.loads()).toBeLessThanOrEqual(3);
      await expectKept(scene);
    });

    test("has its invalidation done by the next requests of its isolate", async () => {
      const scene = workerd.scene("unextended", "write-lost-before");
      await scene.ask("edge1");
      await scene.resetOn("write", "before");
      expect(await scene.ask("edge1", "delete")).toMatchObject({ status: 502 });
      const isSeen = async (): Promise<boolean> => {
        expect((await scene.ask("edge1")).text).not.toBe(`${scene.key} 1`);
        return (await scene.ask("edge2", "read", strong)).text !== `${scene.key} 1`;
      };
      await until(isSeen, true);
      await expectKept(scene);
    });

    test("leading a load is replaced when it has answered early", async () => {
      const scene = workerd.scene("unextended", "early");
      scene.hold();
      await scene.leaveEarly("edge1");
      const leftAt = performance.now();
      scene.behave({});
      const joiners = await scene.gather("edge1", 5);
      const followers = await scene.gather("edge2", 5);
      expect(texts(await both(joiners.answers, followers.answers))).toEqual(new Set([`${scene.key} 2`]));
      expect(since(leftAt)).toBeLessThan(SILENCE_MS + MARGIN_MS);
      expect(scene.abandoned()).toBe(1);
      await expectKept(scene, `${scene.key} 2`);
    });
  });

  test("nothing was thrown or rejected that nobody caught", async () => {
    // What is done on purpose shows that it would have been seen.
    await workerd.fetch("edge1", "/throw");
    await until(() => workerd.uncaught.length > 0, true);
    expect(workerd.uncaught).toEqual([expect.stringContaining("on purpose")]);
    const places = [
      ["edge1", ""],
      ["edge2", ""],
      ["edge1", "/object"], // where all objects are
    ] as const;
    for (const [isolate, where] of places) {
      const unhandled = async (): Promise<unknown> => (await workerd.fetch(isolate, `${where}/unhandled`)).json();
      expect(await unhandled()).toEqual([]);
      await workerd.fetch(isolate, `${where}/reject`);
      await until(unhandled, ["Error: on purpose"]);
    }
  });
});
