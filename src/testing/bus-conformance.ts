// The conformance suite of buses: every promise of the bus contract, each as a sentence that a bus keeps or breaks.
import { busDriver } from "./bus-driver.ts";
import type { BusDriver, BusFixture } from "./bus-driver.ts";
import { check, checkEqual } from "./expect.ts";

/** One promise of the bus contract. */
export interface BusCase {
  /** The behaviour, as a sentence. */
  readonly name: string;
  /** Whether the fixture must be able to cut connections. */
  readonly cuts: boolean;
  /** Resolves if the bus behaves so, rejects with an Error that says what it did instead. */
  run(make: () => Promise<BusFixture>): Promise<void>;
}

function busCase(name: string, steps: (driver: BusDriver) => Promise<void>, cuts = false): BusCase {
  return {
    name,
    cuts,
    async run(make) {
      const driver = busDriver(await make());
      try {
        await steps(driver);
      } finally {
        await driver.close();
      }
    },
  };
}

/** Long enough for what must not come. */
const A_WHILE_MS = 150;
const QUICK = { retryQueue: { retryInterval: "50ms" }, breaker: { cooldown: "50ms" } } as const;
const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `key ${index}`);

/**
 * The cases for a bus, independent of each other and of any test framework. Each makes its own fixture, joins by the name
 * "conformance", and leaves again. They wait up to ten seconds for what must come, and 150 ms for what must not.
 */
export const busConformance: readonly BusCase[] = [
  busCase(
    "what one publishes comes to all others that listen, once, and not to itself",
    async ({ join, until, fixture }) => {
      const [a, b, c] = [await join(), await join(), await join()];
      await a.tell("k");
      await until(() => b.heard.length > 0 && c.heard.length > 0, "the message");
      await fixture.advance(A_WHILE_MS);
      checkEqual([a.heard, b.heard, c.heard], [[], ["e 0 1 k"], ["e 0 1 k"]], "heard");
      checkEqual([...a.errors, ...b.errors, ...c.errors], [], "errors");
    },
  ),
  busCase("what one publishes one after the other comes in this order", async ({ join, until }) => {
    const [a, b] = [await join(), await join()];
    for (const key of keys(50)) await a.tell(key);
    await until(() => b.heard.length >= 50, "50 messages");
    checkEqual(
      b.heard,
      keys(50).map((key, index) => `e 0 ${index + 1} ${key}`),
      "heard",
    );
  }),
  busCase("5,000 invalidations of one tick come, each once", async ({ join, until }) => {
    const [a, b] = [await join(), await join()];
    await Promise.all(keys(5_000).map((key) => a.tell(key)));
    await until(() => b.heard.length >= 5_000, "5,000 messages");
    checkEqual(
      b.heard,
      keys(5_000).map((key, index) => `e 0 ${index + 1} ${key}`),
      "heard",
    );
  }),
  busCase("keys and tags of any characters come as they are, expiries as expiries", async ({ join, until }) => {
    const [a, b] = [await join(), await join()];
    const strange = '\u0000\r\n\r\ndata: \u{1f600} \u2028 é " \\ % {} * >';
    await a.tell(strange);
    await a.tell("", { key: strange, expire: true });
    await a.bus.tell({
      kind: "records",
      partition: 3,
      partitions: 4,
      epoch: "f",
      records: [{ seq: 9, nonce: "n", expire: true, agoMs: 5, tags: [`#/${strange}`, "@"] }],
    });
    await until(() => b.heard.length >= 3, "3 messages");
    checkEqual(b.heard, [`e 0 1 ${strange}`, `~e 0 2 ${strange}`, `~f 3 9 ##/${strange},@`], "heard");
  }),
  busCase("a frame of 64 KiB comes as it is", async ({ join, until }) => {
    const [a, b] = [await join(), await join()];
    const key = "x".repeat(60_000);
    await a.tell(key);
    await until(() => b.heard.length > 0, "the message");
    checkEqual(b.heard, [`e 0 1 ${key}`], "heard");
  }),
  busCase("caches of another name hear nothing", async ({ join, until, fixture }) => {
    const [a, b, other] = [await join(), await join(), await join({}, "conformance 2")];
    await a.tell("k");
    await until(() => b.heard.length > 0, "the message");
    await fixture.advance(A_WHILE_MS);
    checkEqual(other.heard, [], "heard");
  }),
  busCase("all hear each other when all speak at once", async ({ join, until }) => {
    const users = [await join(), await join(), await join(), await join()];
    await Promise.all(users.flatMap((user, index) => keys(25).map((key) => user.tell(`${index} ${key}`))));
    await until(() => users.every(({ heard }) => heard.length >= 75), "75 messages each");
    check(
      users.every(({ heard }) => new Set(heard).size === 75),
      "each heard each message once",
    );
  }),
  busCase("one that does not subscribe reaches the others, and hears nothing", async ({ join, until, fixture }) => {
    const [mute, b] = [await join({ subscribe: false }), await join()];
    await b.tell("from b");
    await mute.tell("from the other");
    await until(() => b.heard.length > 0, "the message");
    await fixture.advance(A_WHILE_MS);
    checkEqual([mute.heard, b.heard], [[], ["e 0 1 from the other"]], "heard");
  }),
  busCase("signed frames come to those who know the secret", async ({ join, until, fixture }) => {
    const sign = { secret: "the secret of this case" };
    const [a, b, c] = [
      await join({ sign }),
      await join({ sign }),
      await join({ sign: { secret: "another secret of it" } }),
    ];
    await a.tell("k");
    await until(() => b.heard.length > 0 && c.errors.length > 0, "the message");
    await fixture.advance(A_WHILE_MS);
    checkEqual([b.heard, c.heard], [["e 0 1 k"], []], "heard");
  }),
  busCase("heartbeats come, from one in turn", async ({ join, until }) => {
    const [a, b] = [await join({ heartbeat: "50ms" }), await join({ heartbeat: "1h" })];
    await until(() => a.missed >= 3, "the turns of one"); // it asks the log each time
    const { missed } = b;
    await a.tell("k");
    await until(() => b.heard.length > 0, "the message");
    checkEqual([b.missed - missed, b.heard], [0, ["e 0 1 k"]], "what the other missed and heard");
  }),
  busCase("whoever has left hears nothing, and the others go on", async ({ join, until, fixture }) => {
    const [a, b, c] = [await join(), await join(), await join()];
    await b.close();
    await a.tell("k");
    await until(() => c.heard.length > 0, "the message");
    await fixture.advance(A_WHILE_MS);
    checkEqual(b.heard, [], "heard");
    await b.close(); // again
  }),
  busCase(
    "after a cut each is told that it may have missed something, and hears again",
    async ({ join, until, fixture }) => {
      const [a, b] = [await join(QUICK), await join(QUICK)];
      const before = b.missed;
      await fixture.cut!(); // the case is left out where there is none
      await until(() => b.states.at(-1) === "down" && a.states.at(-1) === "down", "down");
      await fixture.restore!();
      await until(() => b.states.at(-1) === "up" && a.states.at(-1) === "up", "up");
      check(b.missed > before, "it was told that it may have missed something");
      await a.tell("k");
      await until(() => b.heard.length > 0, "the message");
    },
    true,
  ),
  busCase(
    "what is told during a cut comes afterwards, or is known to be missing",
    async ({ join, until, fixture }) => {
      const [a, b] = [await join(QUICK), await join(QUICK)];
      await fixture.cut!();
      await a.tell("lost"); // failed, and is tried again
      await fixture.restore!();
      await until(() => b.states.at(-1) === "up", "up");
      const { missed } = b;
      await until(() => b.heard.includes("e 0 1 lost") || b.missed > missed || missed > 1, "the message");
      await until(() => a.states.at(-1) === "up", "up");
      await a.tell("next");
      await until(() => b.heard.includes("e 0 2 next"), "the next message");
    },
    true,
  ),
  busCase(
    "whoever leaves during a cut leaves at once",
    async ({ join, until, fixture }) => {
      const [a, b] = [await join(QUICK), await join(QUICK)];
      await fixture.cut!();
      await a.tell("k");
      let isOver = false;
      const leaving = Promise.all([a.close(), b.close()]).then(() => (isOver = true));
      await until(() => isOver, "the end");
      await leaving;
    },
    true,
  ),
];
