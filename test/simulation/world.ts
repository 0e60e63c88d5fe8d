// Runs one schedule: real caches and a real store on one virtual clock, until all faults are over and everything has ended.
import type { Cache } from "../../src/cache-types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Platform } from "../../src/platform.ts";
import { virtualPlatform, type VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import { createHub, type Hub } from "./bus/hub.ts";
import { perform } from "./calls.ts";
import { isRefused } from "./checks/admission.ts";
import { checkAgreement, checkLoadedOnce, hasRoom } from "./checks/convergence.ts";
import { checkClosed, checkInstances, checkStore } from "./checks/growth.ts";
import { checkThrough, partitionsOf } from "./checks/loud-writes.ts";
import { checkEnded, limitOf } from "./checks/no-hang.ts";
import { checkOneLoad } from "./checks/one-load.ts";
import { createDraw, mix } from "./draw.ts";
import { PARTS } from "./draw-plan.ts";
import { createHistory, type History, type Moment } from "./history.ts";
import {
  createLife,
  createRequest,
  partFor,
  requests,
  storedKeyOf,
  type Life,
  type Phase,
  type Request,
} from "./life.ts";
import type { Carried } from "./loaders.ts";
import { connect, type NetworkOptions } from "./network.ts";
import { connectRedis } from "./redis/connect.ts";
import { createObserver } from "./observer.ts";
import { PLAIN_ENTRY, PLAIN_LOADER, PLAIN_OP } from "./plain.ts";
import { partsOf, type Op, type Plan } from "./plan.ts";
import { createServer, type Server } from "./server/server.ts";
import { slowCodec } from "./slow-codec.ts";
import { schedule } from "./strike.ts";
import type { Subject } from "./subject.ts";

/** An operation under way, on one key: a call for many is one for each of them. */
export interface Call {
  readonly op: Op;
  readonly life: Life;
  readonly request: Request;
  readonly begun: Moment;
  /** How long its instance had been frozen by then. */
  readonly frozenMs: number;
  ended?: Moment;
  /** Its caller's signal fired, and it rejected with that. */
  left?: boolean;
  /** The number of the value that a read returned. */
  returned?: number | undefined;
}

export interface World {
  readonly plan: Plan;
  readonly base: VirtualPlatform;
  readonly history: History;
  readonly server: Server;
  readonly network: NetworkOptions;
  /** Undefined: there is no bus. */
  readonly hub: Hub | undefined;
  readonly calls: Call[];
  /** Of those that end. */
  readonly longestLoadMs: number;
  /** All there were, dead ones too. */
  readonly lives: Life[];
  /** Those that are running, by instance. */
  readonly running: { readonly life: Life; readonly cache: Cache }[];
  /** Begins a new life of an instance. */
  start(instance: number): void;
  /** A phase of an operation begins, which lasts so long: whoever is to die in it, will. */
  enters(phase: Phase, life: Life, request: Request | undefined, lastsMs: number): void;
  engineOf(platform: Platform): Engine;
  healed: boolean;
  /** The caches are being closed. */
  ending: boolean;
}

/** Faults and operations go on this long after their span: what was begun late meets faults, too. */
const AFTERMATH_MS = 150;
/** After the faults: retries come at most every 5 s. */
const RECOVERY_MS = 15_000;
/** A load that hangs keeps its lease alive for a minute, and is joined for a minute. */
const HUNG_MS = 75_000;
/** What is to be published is given up after some attempts' time. */
const CLOSE_MS = 10_000;
const HOUR_MS = 3_600_000;
/** No loader is slower. */
const LOADERS_END_MS = 6_000;

/** A turn of the event loop: unlike a number of awaited promises, it is certain to let all microtasks run; it takes 2 µs. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function createWorld(plan: Plan, subject: Subject, traced: boolean): World {
  const base = virtualPlatform({ settle });
  const history = createHistory(base.monotonic, traced);
  const { store: kind, limits, seed } = plan;
  const server = createServer({
    subject,
    kind,
    partitions: plan.instances[0]!.partitions,
    limits,
    seed,
    base,
  });
  const onRejected = (error: unknown): void =>
    history.violate("well-behaved", `waitUntil was given a rejection: ${String(error)}`);
  const world: World = {
    plan,
    base,
    history,
    server,
    network: {
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
      healed: () => world.healed,
      enters: (...args) => world.enters(...args),
    },
    hub: plan.bus && createHub({ seed, bus: plan.bus, base, history, subject, healed: () => world.healed }),
    calls: [],
    longestLoadMs: Math.max(...plan.ops.map(({ loader }) => (loader.kind === "hang" ? 0 : loader.ms))),
    lives: [],
    running: [],
    healed: false,
    ending: false,
    engineOf: (platform) => subject.engines.get(platform)!, // each life has made its cache
    start(instance) {
      const own = plan.instances[instance]!; // ops name those there are
      const { memory, maxEntries, maxBytes, values, skewMs, worker, strict, maxConcurrentLoads, validates } = own;
      const draw = createDraw(mix(seed, PARTS.life + world.lives.length));
      const name = "ABCDEFGH".charAt(instance) + (world.running[instance] === undefined ? "" : world.lives.length);
      const life = createLife({ base, name, draw, skewMs, worker, onRejected });
      if (Math.abs(skewMs) === 3_600_000) history.struck("clock an hour off");
      const isRight = (value: unknown): boolean => {
        if (world.healed || value === null || value === undefined) return true;
        const isRight = !isRefused(value as Carried); // nothing else is kept
        if (!isRight) history.struck("value refused");
        return isRight;
      };
      const cache = subject.createCache({
        name: "simulated",
        memory: memory && { maxEntries, maxBytes, values },
        store: {
          kind: "simulated",
          connect: () =>
            kind === "redis"
              ? connectRedis(world.network, life, draw, own, subject)
              : connect(world.network, life, draw, own),
        },
        bus: world.hub?.busOf(life),
        platform: life.platform,
        maxStaleness: plan.maxStalenessMs,
        storeTimeout: plan.storeTimeoutMs,
        lease: plan.leaseMs,
        failureBackoff: plan.failureBackoffMs,
        codec:
          plan.encodeMs > 0
            ? slowCodec(subject.jsonCodec(), { base, life, draw, maxMs: () => (world.healed ? 0 : plan.encodeMs) })
            : undefined,
        storeBreaker: plan.breaker,
        onStoreError: strict ? "throw" : "load",
        maxConcurrentLoads,
        memoryTtl: own.memoryTtl,
        validate: validates ? isRight : undefined,
      });
      cache.on("error", ({ operation, error }) => {
        if (operation === "publish" && /were not published/.test(String(error)))
          history.struck("bus breaker or queue gave up");
      });
      cache.on("breaker", ({ partition, state }) => {
        const now = base.monotonic();
        if (state === "open") {
          history.struck("breaker opened");
          life.troubles.push({ from: now, until: Infinity, open: partition });
        } else if (state === "closed") {
          for (const trouble of life.troubles)
            if (trouble.open === partition) trouble.until = Math.min(trouble.until, now);
        }
      });
      const readerOf = (key: string): Request | undefined => {
        const request = requests.getStore();
        return request && partFor(request, storedKeyOf({ path: request.op.path, key }));
      };
      cache.on("hit", (hit) => {
        const request = readerOf(hit.key);
        if (request === undefined) return;
        request.hit = hit;
        request.foundAt = history.moment();
      });
      cache.on("miss", ({ key }) => {
        const request = readerOf(key);
        if (request !== undefined) request.foundAt = history.moment();
      });
      world.lives.push(life);
      world.running[instance] = { life, cache };
    },
    enters(phase, life, request, lastsMs) {
      const withinMs = (ms: number): number => Math.min(ms, Math.max(0, lastsMs - 1));
      const doomed = life.doom.get(phase);
      if (doomed !== undefined) {
        life.doom.delete(phase);
        base.setTimeout(() => doomed.die(), withinMs(doomed.afterMs));
      }
      const cancel = request?.op.cancel;
      if (cancel?.in !== phase) return;
      base.setTimeout(() => {
        if (request !== undefined && !request.over) history.struck(`cancelled in mid-${phase}`);
        cancelRequest(world, life, request);
      }, withinMs(cancel.afterMs));
    },
  };
  server.onReset(() => {
    for (const fail of world.network.underWay) fail();
    world.network.underWay.clear();
  });
  plan.instances.forEach((_, instance) => world.start(instance));
  return world;
}

function cancelRequest({ history }: World, life: Life, request: Request | undefined): void {
  if (request === undefined || request.over) return;
  history.note(life.name, () => `#${request.op.id} is cancelled`);
  history.struck("request cancelled");
  request.over = request.cancelled = life.cancelled = true;
}

function begin(world: World, op: Op): void {
  const { plan, base, history } = world;
  const { life, cache } = world.running[op.instance]!; // see start
  const draw = createDraw(mix(plan.seed, op.id));
  const request = createRequest(op, draw, base.monotonic());
  const go = (): void => {
    const begun = history.moment();
    const calls = partsOf(op).map((part): Call => {
      const mine = partFor(request, storedKeyOf(part))!; // there is a request
      return { op: part, life, request: mine, begun, frozenMs: life.frozenMs };
    });
    world.calls.push(...calls);
    perform(world, cache, op, calls);
  };
  life.deliver(request, () => {
    request.begunAt = base.monotonic();
    if (op.burnMs === 0) return go();
    history.struck("clock stood still");
    life.freeze(op.burnMs, false);
    life.resume(request, go);
  });
  if (op.cancel?.in === "request") base.setTimeout(() => cancelRequest(world, life, request), op.cancel.afterMs);
}

const nameOf = ({ path, key }: Pick<Op, "path" | "key">): string => [...path, key].join("/");

/** Of a flood of keys, a few are enough. */
const MAX_KEYS = 20;

function keysOf({ ops }: Plan): Map<string, Pick<Op, "path" | "key">> {
  const keys = new Map(ops.flatMap(partsOf).map(({ path, key }) => [nameOf({ path, key }), { path, key }]));
  return new Map([...keys].slice(0, MAX_KEYS));
}

/** A read of every key by every instance. */
function roundOfReads({ plan, running }: World, round: number): Op[] {
  const keys = keysOf(plan);
  return running.flatMap((_, instance) =>
    [...keys.values()].map(({ path, key }, index): Op => {
      // In the first round nothing is kept, and all ask the store: each epoch it has forgotten costs another one.
      const entry = {
        ...PLAIN_ENTRY,
        ttl: round === 1 ? 0 : 36_000_000,
        strong: round === 1 || (instance + index) % 2 === 0,
      };
      const id = 10_000 * round + 100 * instance + index;
      return { ...PLAIN_OP, id, at: 0, instance, path, kind: "getOrSet", key, entry, loader: PLAIN_LOADER };
    }),
  );
}

/** Lets time pass until nothing is open that has to end, at most until the slowest call must have ended. */
async function finish(world: World): Promise<void> {
  const { base, calls, history, lives, plan } = world;
  const open = (): boolean =>
    lives.some((life) => life.isFrozen()) ||
    calls.some(
      (call) => !call.ended && !call.life.dead && !call.request.cancelled && limitOf(world, call) !== undefined,
    ) ||
    history.invalidations.some(
      ({ op, rejected, done }) => rejected !== undefined && done.size < partitionsOf(world, op),
    );
  const longest = Math.max(0, ...calls.map((call) => limitOf(world, call) ?? 0));
  // They are retried one after the other.
  const retries = history.invalidations.filter(({ rejected }) => rejected !== undefined).length;
  const endsAt = base.monotonic() + RECOVERY_MS + longest + retries * 3 * (plan.network.delay[1] + 1);
  while (base.monotonic() < endsAt && open()) await base.advance(1_000);
}

/** Nothing fails any more: each must find its way; and after one has cleared the cache, all must agree. */
async function converge(world: World): Promise<void> {
  const { base, history, plan, lives } = world;
  const round = async (ops: readonly Op[]) => {
    const before = new Map(history.loads);
    const from = world.calls.length;
    for (const op of ops) begin(world, op);
    await base.advance(100);
    await finish(world);
    return { calls: world.calls.slice(from), before };
  };
  if (plan.breaker) {
    // Where it is open, the first read finds the store again, and the others do without.
    await base.advance(1.1 * plan.breaker.cooldown + 2 * plan.storeTimeoutMs);
    await round(roundOfReads(world, 1));
  }
  await round(roundOfReads(world, 1));
  if (lives.some(({ cancelled }) => cancelled)) {
    // Writes of requests that were cancelled go on with the first that meets them, when nobody else seems to retry them.
    await base.advance(RECOVERY_MS);
    await round(roundOfReads(world, 1));
    await base.advance(RECOVERY_MS);
  }
  await base.advance(lives.some(({ hung }) => hung.length > 0) ? HUNG_MS : LOADERS_END_MS);
  if (!hasRoom(world, keysOf(plan).size)) return;
  if (plan.store === "redis" && plan.faults.some(({ kind }) => kind === "failOver")) {
    // Over HTTP nobody tells that it was another server: an instance that holds a record which that one lost may find out only
    // when it asks what has changed since, and then begins an epoch.
    for (const number of [4, 5]) {
      await round(roundOfReads(world, number));
      await base.advance(plan.maxStalenessMs + 1);
    }
  }
  await round([
    { ...PLAIN_OP, id: 9_999, at: 0, instance: 0, kind: "clear", entry: PLAIN_ENTRY, loader: PLAIN_LOADER },
  ]);
  await base.advance(plan.maxStalenessMs + 1);
  const second = await round(roundOfReads(world, 2));
  checkLoadedOnce(world, second.calls, second.before);
  await base.advance(plan.maxStalenessMs + 1);
  const third = await round(roundOfReads(world, 3));
  checkAgreement(world, third.calls, third.before);
}

/** Runs a schedule; the history says what was violated. The same plan always takes the same course. */
export async function simulate(plan: Plan, subject: Subject, traced = false): Promise<History> {
  const world = createWorld(plan, subject, traced);
  const { base, history } = world;
  const unhandled = (error: unknown): void => history.violate("well-behaved", `unhandled rejection: ${String(error)}`);
  process.on("unhandledRejection", unhandled);
  try {
    for (const op of plan.ops) base.setTimeout(() => begin(world, op), op.at);
    schedule(world);
    await base.advance(plan.spanMs + AFTERMATH_MS);
    world.healed = true;
    for (const life of world.lives) life.doom.clear();
    history.note("FAULT", () => "none any more");
    await base.advance(2 * plan.storeTimeoutMs);
    await finish(world);
    if (plan.calm) checkOneLoad(history);
    await converge(world);
    checkInstances(world);
    history.note("END", () => "all instances are closed");
    world.ending = true;
    for (const { life, cache } of world.running) {
      await base
        .run(cache.close(), CLOSE_MS)
        .catch(() => history.violate("no hang", `close() of ${life.name} never ends`));
    }
    await base.advance(0);
    checkClosed(world);
    await base.advance(LOADERS_END_MS);
    // A Durable Object counts what it has anew, once an hour.
    if (plan.store === "object") await base.advance(2 * HOUR_MS);
    checkStore(world);
    for (const call of world.calls) checkEnded(world, call);
    checkThrough(world);
    checkClosed(world);
  } finally {
    process.off("unhandledRejection", unhandled);
    world.server.close();
  }
  return history;
}
