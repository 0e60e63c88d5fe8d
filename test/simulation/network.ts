// The network between an instance and the store: it delays, loses, repeats and fails messages as the schedule says.
import { StoreError } from "../../src/errors.ts";
import type { CallOptions, StoreConnection } from "../../src/store/contract.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import type { FaultName } from "./faults.ts";
import type { History } from "./history.ts";
import { requests, type Life, type Phase, type Request } from "./life.ts";
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
  /** True once all faults are over. */
  healed(): boolean;
  enters(phase: Phase, life: Life, request: Request | undefined, lastsMs: number): void;
}

interface Fate {
  readonly there: number;
  readonly back: number;
  readonly lost: boolean;
  readonly answerLost: boolean;
  readonly failsBefore: boolean;
  readonly failsAfter: boolean;
  readonly repeatedAfter: number | undefined;
}

function drawFate(network: NetworkPlan, draw: Draw, healed: boolean, struck: (fault: FaultName) => void): Fate {
  const happens = (probability: number, fault: FaultName): boolean => {
    const does = draw.chance(probability) && !healed;
    if (does) struck(fault);
    return does;
  };
  const delay = (): number => draw.int(...(happens(network.slow, "message slow") ? network.slowDelay : network.delay));
  return {
    there: delay(),
    back: delay(),
    lost: happens(network.loseRequest, "request lost"),
    answerLost: happens(network.loseAnswer, "answer lost"),
    failsBefore: happens(network.errorBefore, "store error"),
    failsAfter: happens(network.errorAfter, "error after the effect"),
    repeatedAfter: happens(network.repeat, "message repeated") ? delay() : undefined,
  };
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

  /** The instance gets an answer that it waits for. */
  const hear = (name: Operation, sent: object, sentAt: number, request: Request | undefined): void => {
    const { key, write } = sent as { key?: string; write?: { key?: string } }; // of a read or a commit; of a write
    const about = key ?? write?.key;
    life.heardSince = Math.max(life.heardSince, sentAt);
    if (about !== undefined) life.touched.set(about, base.monotonic());
    if (name === "read" && request !== undefined) request.lastRead = "answered";
  };

  const call = (name: Operation, partition: number, sent: object, outer: CallOptions): Promise<object> => {
    const request = requests.getStore();
    const draw = request?.draw ?? own;
    const fate = drawFate(plan.network, draw, options.healed(), history.struck);
    const sentAt = base.monotonic();
    const number = ++calls;
    const believed = known;
    if (name === "write") observer.sends(life, sent, request);
    history.note(life.name, () => `${name} ${showMessage(sent)} sent${showFate(fate)}`);
    if (name === "commit") options.enters("commit", life, request, fate.there + fate.back);
    return new Promise((resolve, reject) => {
      const inner = new AbortController();
      outer.signal?.addEventListener("abort", () => {
        if (name === "read" && request !== undefined) request.lastRead = "failed";
        life.troubles.push({ from: sentAt, until: base.monotonic() + plan.storeTimeoutMs });
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
          if (moved === undefined && !outer.signal?.aborted) hear(name, sent, sentAt, request);
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
        if (first) options.underWay.add(fail);
        // A client learns of another number when a message arrives, but the instance only by the answer to that.
        const mine = client.partitions === believed ? client : server.connect(believed);
        const send = mine[name] as unknown as Send; // each operation gets what it takes
        const onHeld = (): void => void (first && answer(() => outer.onHeld?.()));
        send(partition, server.meddle(name, partition, sent), { signal: inner.signal, onHeld }).then(
          (reply) => {
            options.underWay.delete(fail);
            if (incarnation !== server.incarnation) return;
            if (!("moved" in reply)) observer.executed({ name, partition, sent, reply, at: executed, life, request });
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
        const now = base.monotonic();
        if (options.healed() || now >= Math.max(options.downUntil, options.stalledUntil)) return execute(first);
        if (now < options.downUntil) {
          history.struck("store down");
          return draw.chance(0.5) ? fail() : undefined;
        }
        history.struck("store stalled");
        base.setTimeout(() => arrive(first), options.stalledUntil - now);
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

const showFate = ({ there, back, repeatedAfter, ...flags }: Fate): string => {
  const named = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []));
  return ` (${[`${there}+${back} ms`, ...named, ...(repeatedAfter === undefined ? [] : ["repeated"])].join(", ")})`;
};
