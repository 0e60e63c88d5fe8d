// Runs one schedule: real caches and a real store on one virtual clock, until all faults are over and everything has ended.
import type { Cache } from "../../src/cache.ts";
import { virtualPlatform, type VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { perform } from "./calls.ts";
import { checkEnd, checkTimers, limitOf } from "./check-end.ts";
import { createDraw, mix } from "./draw.ts";
import { createHistory, type History, type Moment } from "./history.ts";
import { createLife, requests, type Life, type Request } from "./life.ts";
import { connect, type NetworkOptions } from "./network.ts";
import { createObserver } from "./observer.ts";
import type { EntryPlan, Fault, Op, Plan } from "./plan.ts";
import { createServer, type Server } from "./server.ts";
import { real, type Subject } from "./subject.ts";

/** An operation under way. */
export interface Call {
  readonly op: Op;
  readonly life: Life;
  readonly request: Request;
  readonly begun: Moment;
  ended?: Moment;
}

export interface World {
  readonly plan: Plan;
  readonly base: VirtualPlatform;
  readonly history: History;
  readonly server: Server;
  readonly calls: Call[];
  /** All there were, dead ones too. */
  readonly lives: Life[];
  /** Those that are running, by instance. */
  readonly running: { readonly life: Life; readonly cache: Cache }[];
  /** Begins a new life of an instance. */
  start(instance: number): void;
  healed: boolean;
  /** The caches are being closed. */
  ending: boolean;
}

/** Faults and operations go on this long after their span: what was begun late meets faults, too. */
const AFTERMATH_MS = 150;
/** After the faults: retries come at most every 5 s. */
const RECOVERY_MS = 15_000;
/** No loader is slower. */
const LOADERS_END_MS = 6_000;

/** A turn of the event loop: unlike a number of awaited promises, it is certain to let all microtasks run; it takes 2 µs. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function createWorld(plan: Plan, subject: Subject, traced: boolean): World {
  const base = virtualPlatform({ settle });
  const history = createHistory(base.monotonic, traced);
  const server = createServer(subject, plan, base);
  const observer = createObserver(history, plan);
  const network: NetworkOptions = { plan, base, server, history, observer, healed: () => world.healed };
  const onRejected = (error: unknown): void =>
    history.violate("rest", `waitUntil was given a rejection: ${String(error)}`);
  const world: World = {
    plan,
    base,
    history,
    server,
    calls: [],
    lives: [],
    running: [],
    healed: false,
    ending: false,
    start(instance) {
      const { memory, maxEntries, values, skewMs, heldReads } = plan.instances[instance]!; // ops name those there are
      const draw = createDraw(mix(plan.seed, 1_000 + world.lives.length));
      const name = "ABCDEFGH".charAt(instance) + (world.running[instance] === undefined ? "" : world.lives.length);
      const life = createLife({ base, name, draw, skewMs, onRejected });
      const cache = subject.createCache({
        name: "simulated",
        memory: memory && { maxEntries, values },
        store: { kind: "simulated", connect: () => connect(network, life, draw, heldReads) },
        platform: life.platform,
        maxStaleness: plan.maxStalenessMs,
        storeTimeout: plan.storeTimeoutMs,
        lease: plan.leaseMs,
        failureBackoff: plan.failureBackoffMs,
      });
      cache.on("hit", (hit) => {
        const request = requests.getStore();
        if (request !== undefined) request.hit = hit;
      });
      world.lives.push(life);
      world.running[instance] = { life, cache };
    },
  };
  plan.instances.forEach((_, instance) => world.start(instance));
  return world;
}

function begin(world: World, op: Op): void {
  const { plan, base } = world;
  const { life, cache } = world.running[op.instance]!; // see start
  const request: Request = { op, draw: createDraw(mix(plan.seed, op.id)), cancelled: false };
  life.deliver(request, () => {
    const call: Call = { op, life, request, begun: world.history.moment() };
    world.calls.push(call);
    perform(world, cache, call);
  });
  if (op.cancelAfter === undefined) return;
  base.setTimeout(() => {
    world.history.note(life.name, () => `#${op.id} is cancelled`);
    request.cancelled = life.cancelled = true;
  }, op.cancelAfter);
}

function strike(world: World, { kind, instance, ms, key }: Fault): void {
  const { base, server, history } = world;
  const { life, cache } = world.running[instance]!; // see start
  history.note("FAULT", () => `${kind} ${life.name} ${key} ${ms}`);
  switch (kind) {
    case "restartEmpty":
      return server.restart();
    case "evictEntry":
      return server.evictEntry(key);
    case "evictLease":
      return server.evictLease(key);
    case "storeDown":
      return void (server.downUntil = base.monotonic() + ms);
    case "storeClock":
      return server.jump(ms);
    case "kill":
      life.dead = true;
      return world.start(instance);
    case "close":
      life.closedEarly = true;
      void cache.close();
      return world.start(instance);
    case "freeze":
    case "suspend":
      return life.freeze(ms, kind === "suspend");
    case "wallClock":
      return life.jump(ms);
  }
}

const QUICK: EntryPlan = {
  ttl: 1_000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  tags: [],
  memory: true,
  store: true,
  strong: false,
};

/** One read of every key by every instance, when nothing fails any more: each must find its way. */
function lastReads({ plan, running }: World): Op[] {
  const keys = new Map(plan.ops.map(({ path, key }) => [[...path, key].join("/"), { path, key }]));
  return running.flatMap((_, instance) =>
    [...keys.values()].map(({ path, key }, index): Op => {
      const entry = { ...QUICK, strong: (instance + index) % 2 === 0 };
      const loader = { kind: "value", ms: 5, deaf: false } as const;
      return { id: 10_000 + 100 * instance + index, at: 0, instance, path, kind: "getOrSet", key, entry, loader };
    }),
  );
}

/** Lets time pass until nothing is open that has to end, at most until the slowest call must have ended. */
async function finish(world: World): Promise<void> {
  const { base, calls, history, lives } = world;
  const open = (): boolean =>
    lives.some((life) => life.isFrozen()) ||
    calls.some(
      (call) => !call.ended && !call.life.dead && !call.request.cancelled && limitOf(world, call) !== undefined,
    ) ||
    history.invalidations.some(({ rejected, done }) => rejected !== undefined && done.size < world.plan.partitions);
  const longest = Math.max(0, ...calls.map((call) => limitOf(world, call) ?? 0));
  const endsAt = base.monotonic() + RECOVERY_MS + longest;
  while (base.monotonic() < endsAt && open()) await base.advance(1_000);
}

/** Runs a schedule; the history says what was violated. The same plan always takes the same course. */
export async function simulate(plan: Plan, subject: Subject = real, traced = false): Promise<History> {
  const world = createWorld(plan, subject, traced);
  const { base, history } = world;
  const unhandled = (error: unknown): void => history.violate("rest", `unhandled rejection: ${String(error)}`);
  process.on("unhandledRejection", unhandled);
  try {
    for (const op of plan.ops) base.setTimeout(() => begin(world, op), op.at);
    for (const fault of plan.faults) base.setTimeout(() => strike(world, fault), fault.at);
    await base.advance(plan.spanMs + AFTERMATH_MS);
    world.healed = true;
    history.note("FAULT", () => "none any more");
    await base.advance(2 * plan.storeTimeoutMs);
    await finish(world);
    for (const op of lastReads(world)) begin(world, op);
    await base.advance(100);
    await finish(world);
    history.note("END", () => "all instances are closed");
    world.ending = true;
    for (const { cache } of world.running) await cache.close();
    await base.advance(0);
    checkTimers(world);
    await base.advance(LOADERS_END_MS);
    checkEnd(world);
  } finally {
    process.off("unhandledRejection", unhandled);
  }
  return history;
}
