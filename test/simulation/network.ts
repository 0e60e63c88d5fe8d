// The network between an instance and the store: it delays, loses, repeats and fails messages as the schedule says.
import { StoreError } from "../../src/errors.ts";
import type { BatchReply, BatchRequest, CallOptions, StoreConnection } from "../../src/store/contract.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import type { FaultName } from "./faults.ts";
import type { History } from "./history.ts";
import { partFor, requests, type Life, type Phase, type Request } from "./life.ts";
import type { Observer, Operation } from "./observer.ts";
import type { InstancePlan, NetworkPlan, Plan } from "./plan.ts";
import type { Server } from "./server/server.ts";
import { showMessage } from "./show.ts";

/** An operation of the store, whatever its request and answer. */
type Send = (partition: number, request: object, call: CallOptions) => Promise<object>;

export interface NetworkOptions {
  readonly plan: Plan;
  readonly base: VirtualPlatform;
  readonly server: Server;
  readonly history: History;
  readonly observer: Observer;
  /** How to fail each call that the store has not answered, should its process end. */
  readonly underWay: Set<() => void>;
  /** In true time: until then the store refuses or swallows what arrives; until then it leaves it lying. */
  downUntil: number;
  stalledUntil: number;
  /** Until then a Redis refuses what grows. */
  fullUntil: number;
  /** Of a Redis: how to cut the connections of an instance. */
  readonly cuts: Map<Life, (() => void)[]>;
  /** True once all faults are over. */
  healed(): boolean;
  enters(phase: Phase, life: Life, request: Request | undefined, lastsMs: number): void;
}

/** What becomes of a message. */
export interface Fate {
  readonly there: number;
  readonly back: number;
  readonly lost: boolean;
  readonly answerLost: boolean;
  readonly failsBefore: boolean;
  readonly failsAfter: boolean;
  readonly repeatedAfter: number | undefined;
  /** Of a batch: so many of its items are done, the first time and when it is repeated. */
  readonly items: readonly [first: number, repeated: number];
}

const ALL = [Infinity, Infinity] as const;

export function drawFate(
  network: NetworkPlan,
  draw: Draw,
  healed: boolean,
  struck: (fault: FaultName) => void,
  length: number | undefined,
): Fate {
  const happens = (probability: number, fault: FaultName): boolean => {
    const does = draw.chance(probability) && !healed;
    if (does) struck(fault);
    return does;
  };
  const delay = (): number => draw.int(...(happens(network.slow, "message slow") ? network.slowDelay : network.delay));
  const fate = {
    there: delay(),
    back: delay(),
    lost: happens(network.loseRequest, "request lost"),
    answerLost: happens(network.loseAnswer, "answer lost"),
    failsBefore: happens(network.errorBefore, "store error"),
    failsAfter: happens(network.errorAfter, "error after the effect"),
    repeatedAfter: happens(network.repeat, "message repeated") ? delay() : undefined,
    items: ALL,
  };
  if (length === undefined) return fate;
  if (fate.lost || fate.answerLost) struck("batch lost");
  if (fate.repeatedAfter !== undefined) struck("batch repeated");
  // A store answers as many as it likes, at least one; and it may end when it has done some.
  const rate = fate.failsAfter ? 0.5 : network.cut;
  const some = (): number => (!healed && draw.chance(rate) ? draw.int(1, length) : Infinity);
  const items = [some(), some()] as const;
  if (items[0] < length) struck(fate.failsAfter ? "batch failed half-way" : "batch answered in part");
  return { ...fate, items };
}

/** The connection of one life of an instance. */
export function connect(
  options: NetworkOptions,
  life: Life,
  own: Draw,
  { heldReads, partitions }: Pick<InstancePlan, "heldReads" | "partitions">,
): StoreConnection {
  const { plan, base, server, history, observer } = options;
  /** The number of partitions as far as the instance has heard, and a client that goes by it. */
  let client = server.connect(partitions);
  let known = client.partitions;
  let calls = 0;
  let latest = 0;
  const now = (): number => base.monotonic();

  const call = (name: Operation, partition: number, sent: object, outer: CallOptions): Promise<object> => {
    const request = requests.getStore();
    const draw = request?.draw ?? own;
    const items = itemsOf(name, sent);
    const length = name === "batch" ? items.length : undefined;
    const fate = drawFate(plan.network, draw, options.healed(), history.struck, length);
    const sentAt = base.monotonic();
    const number = ++calls;
    const believed = known;
    for (const item of items) {
      if (item.name === "write") observer.sends(life, item.request, partFor(request, keyIn(item.request)));
    }
    history.note(life.name, () => `${name} ${showMessage(sent)} sent${showFate(fate)}`);
    if (items.some((item) => item.name === "commit")) options.enters("commit", life, request, fate.there + fate.back);
    return new Promise((resolve, reject) => {
      const inner = new AbortController();
      outer.signal?.addEventListener("abort", () => {
        giveUp(life, { name, sent, sentAt, request }, now() + plan.storeTimeoutMs);
        if (!fate.answerLost) base.setTimeout(() => inner.abort(), fate.there);
      });
      const answer = (settle: () => void): void => {
        if (!fate.answerLost) base.setTimeout(() => life.deliver(request, settle), fate.back);
      };
      const fail = (): void => answer(() => reject(new StoreError("connection reset")));
      const succeed = (reply: object, { partitions }: StoreConnection): void => {
        const moved = "moved" in reply ? partitions : undefined;
        if (moved !== undefined) history.struck("number of partitions disputed");
        answer(() => {
          if (moved !== undefined && moved !== known) client = server.connect((known = moved));
          const told = "replies" in reply ? upTo(sent, (reply as BatchReply).replies.length) : sent;
          if (moved === undefined && !outer.signal?.aborted) hear(life, { name, sent: told, sentAt, request }, now());
          resolve(reply);
        });
      };
      const before = server.incarnation;

      const execute = (first: boolean): void => {
        const { incarnation } = server;
        if (!first && incarnation !== before) return; // what is under way to a store ends with it
        if (fate.failsBefore) return fail();
        if (number < latest) history.struck("message overtaken");
        latest = Math.max(latest, number);
        const executed = history.moment();
        // What the process held ends with it: its client hears of that soon, too.
        const executing = upTo(sent, fate.items[first ? 0 : 1]);
        if (first) options.underWay.add(fail);
        // A client learns of another number when a message arrives, but the instance only by the answer to that.
        const mine = client.partitions === believed ? client : server.connect(believed);
        const send = mine[name] as unknown as Send; // each operation gets what it takes
        const onHeld = (): void => void (first && answer(() => outer.onHeld?.()));
        send(partition, server.meddle(name, partition, executing), { signal: inner.signal, onHeld }).then(
          (reply) => {
            options.underWay.delete(fail);
            if (incarnation !== server.incarnation) return;
            if (!("moved" in reply)) {
              observer.executed({ name, partition, sent: executing, reply, at: executed, life, request });
            }
            if (!first) return;
            if (fate.failsAfter) fail();
            else succeed(reply, mine);
          },
          (error: unknown) => {
            options.underWay.delete(fail);
            if (first) answer(() => reject(error as Error)); // as the store rejected
          },
        );
      };
      const arrive = (first: boolean): void => {
        if (options.healed() || now() >= Math.max(options.downUntil, options.stalledUntil)) return execute(first);
        if (now() < options.downUntil) {
          history.struck("store down");
          return draw.chance(0.5) ? fail() : undefined;
        }
        history.struck("store stalled");
        base.setTimeout(() => arrive(first), options.stalledUntil - now());
      };
      if (!fate.lost) base.setTimeout(() => arrive(true), fate.there);
      const { repeatedAfter } = fate;
      if (repeatedAfter !== undefined) base.setTimeout(() => arrive(false), fate.there + repeatedAfter);
    });
  };

  const operation = (name: Operation): never =>
    ((partition: number, sent: object, outer: CallOptions) => call(name, partition, sent, outer)) as never; // see Send
  return {
    get partitions() {
      return known;
    },
    heldReadsPerRequest: heldReads,
    read: operation("read"),
    commit: operation("commit"),
    renew: operation("renew"),
    release: operation("release"),
    write: operation("write"),
    batch: operation("batch"),
    changesSince: operation("changesSince"),
    info: operation("info"),
    close: () => Promise.resolve(),
  };
}

/** What one request asks for: of a batch, all of its items. */
export const itemsOf = (
  name: Operation,
  sent: object,
): readonly { readonly name: Operation; readonly request: object }[] =>
  name === "batch"
    ? (sent as BatchRequest).items.map(({ operation, request }) => ({ name: operation, request }))
    : [{ name, request: sent }];

/** The key that a read, a commit and the like, or a write is about. */
export function keyIn(request: object): string | undefined {
  const { key, write } = request as { key?: string; write?: { key?: string } };
  return key ?? write?.key;
}

/** A call of an instance, for one of its requests. */
export interface Asked {
  readonly name: Operation;
  readonly sent: object;
  readonly sentAt: number;
  readonly request: Request | undefined;
}

/** The instance gets an answer that it waits for. */
export function hear(life: Life, { name, sent, sentAt, request }: Asked, now: number): void {
  life.heardSince = Math.max(life.heardSince, sentAt);
  for (const item of itemsOf(name, sent)) {
    const about = keyIn(item.request);
    if (about !== undefined) life.touched.set(about, now);
    const part = partFor(request, about);
    if (item.name === "read" && part !== undefined) part.lastRead = "answered";
  }
}

/** The instance waits no more; it may not have asked again until then. */
export function giveUp(life: Life, { name, sent, sentAt, request }: Asked, until: number): void {
  for (const item of itemsOf(name, sent)) {
    const part = partFor(request, keyIn(item.request));
    if (item.name === "read" && part !== undefined) part.lastRead = "failed";
  }
  life.troubles.push({ from: sentAt, until });
}

/** The same with the first of its items only, if it is a batch. */
export const upTo = (sent: object, count: number): object =>
  "items" in sent && count < Infinity ? { ...sent, items: (sent as BatchRequest).items.slice(0, count) } : sent;

export const showFate = ({ there, back, repeatedAfter, items, ...flags }: Fate): string => {
  const named = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []));
  const more = [repeatedAfter === undefined ? [] : ["repeated"], items[0] === Infinity ? [] : [`first ${items[0]}`]];
  return ` (${[`${there}+${back} ms`, ...named, ...more.flat()].join(", ")})`;
};
