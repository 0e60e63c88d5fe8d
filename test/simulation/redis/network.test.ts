// The simulated way to a Redis: what a client hears of a connection that is lost, and when.
import { afterEach, expect, test } from "vitest";
import { baseOf, encodeSteps } from "../../../src/store/redis/requests.ts";
import { lines } from "../../../src/store/redis/text.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { createDraw } from "../draw.ts";
import { createHistory } from "../history.ts";
import { createLife } from "../life.ts";
import type { NetworkOptions } from "../network.ts";
import { createObserver } from "../observer.ts";
import { plainPlan } from "../plain.ts";
import { createServer, type Server } from "../server/server.ts";
import { real } from "../subject.ts";
import { createLine } from "./line.ts";
import { createListening } from "./listening.ts";

const subject = await real();
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const closing: Server[] = [];
afterEach(() => closing.splice(0).forEach((server) => server.close()));

/** An instance and a server, between which nothing fails by itself. */
function open(seed: number) {
  const base = virtualPlatform({ settle });
  const plan = plainPlan({ seed, store: "redis", instances: [{}], ops: [] });
  const history = createHistory(base.monotonic, false);
  const server = createServer({ subject, kind: "redis", partitions: 1, limits: {}, seed, base });
  closing.push(server);
  const own = createDraw(seed);
  const life = createLife({ base, name: "A", draw: own, skewMs: 0, worker: false, onRejected: () => undefined });
  const options: NetworkOptions = {
    plan,
    base,
    server,
    history,
    observer: createObserver(history, plan),
    underWay: new Set(),
    downUntil: 0,
    stalledUntil: 0,
    fullUntil: 0,
    cuts: new Map(),
    healed: () => true,
    enters: () => undefined,
  };
  return { base, server, life, own, options };
}

const INFO = [
  "EVAL",
  subject.script,
  ...encodeSteps(
    baseOf("isocache:1:", "simulated", 0),
    ["1\n?", "", `b${lines("", "e".repeat(22), "first")}`],
    [{ operation: "info" }],
    { maxTags: 1, maxLogRecords: 1 },
  ),
];

/** What the client hears, in order, of one command whose connection `lose` takes away. */
async function heard(seed: number, http: boolean, lose: (opened: ReturnType<typeof open>) => void): Promise<string[]> {
  const opened = open(seed);
  const { base, life, own, options } = opened;
  const line = createLine(options, life, { own, http, asked: () => undefined });
  const order: string[] = [];
  line.onLost(() => void order.push("lost"));
  line.send(INFO).then(
    () => order.push("answered"),
    () => order.push("rejected"),
  );
  lose(opened);
  await base.advance(1_000);
  return order;
}

test.each<[string, (opened: ReturnType<typeof open>) => void]>([
  ["is cut", ({ options }) => options.cuts.forEach((cuts) => cuts.forEach((cut) => cut()))],
  ["ends with its server", ({ server }) => server.restart()],
])(
  "who had a connection that %s hears of it first, and then of the command: rejected, or sent again",
  async (_, lose) => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) orders.add((await heard(seed, false, lose)).join());
    expect([...orders].sort()).toEqual(["lost,answered", "lost,rejected"]);
  },
);

test("over HTTP there is nothing to be cut, and the next process answers", async () => {
  expect(await heard(1, true, ({ server }) => server.restart())).toEqual(["answered"]);
});

test("who listens hears what is published, but for what came while the connection was lost", async () => {
  const { base, server, life, own, options } = open(1);
  const told: (string | boolean)[] = [];
  options.cuts.set(life, []);
  const subscribe = subject.createSubscriber((events) => createListening(options, life, own, events));
  const subscription = subscribe("c", {
    message: (text) => void told.push(text),
    state: (up) => void told.push(up),
  });
  const publish = async (text: string): Promise<void> => {
    server.redis!.send(["PUBLISH", "c", text]); // it is one
    await base.advance(100);
  };
  await base.advance(100);
  await publish("heard");
  options.cuts.get(life)!.forEach((cut) => cut()); // set above
  server.redis!.send(["PUBLISH", "c", "lost"]);
  await base.advance(100);
  await publish("heard again");
  await subscription.close();
  await publish("too late");
  expect(told).toEqual([true, "heard", false, true, "heard again"]);
});
