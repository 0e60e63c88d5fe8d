// The network between an instance and the store: it delays, loses, repeats and fails messages as the schedule says.
import { StoreError } from "../../src/errors.ts";
import type { CallOptions, StoreConnection } from "../../src/store/contract.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import type { History } from "./history.ts";
import { requests, type Life } from "./life.ts";
import type { Observer, Operation } from "./observer.ts";
import type { NetworkPlan, Plan } from "./plan.ts";
import type { Server } from "./server.ts";
import { showMessage } from "./show.ts";

/** An operation of the store, whatever its request and answer. */
type Send = (partition: number, request: object, call: CallOptions) => Promise<object>;

export interface NetworkOptions {
  readonly plan: Plan;
  readonly base: VirtualPlatform;
  readonly server: Server;
  readonly history: History;
  readonly observer: Observer;
  /** True once all faults are over. */
  healed(): boolean;
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

function drawFate(network: NetworkPlan, draw: Draw, healed: boolean): Fate {
  const delay = (): number => draw.int(...(!healed && draw.chance(network.slow) ? network.slowDelay : network.delay));
  const happens = (probability: number): boolean => draw.chance(probability) && !healed;
  return {
    there: delay(),
    back: delay(),
    lost: happens(network.loseRequest),
    answerLost: happens(network.loseAnswer),
    failsBefore: happens(network.errorBefore),
    failsAfter: happens(network.errorAfter),
    repeatedAfter: happens(network.repeat) ? delay() : undefined,
  };
}

/** The connection of one life of an instance. */
export function connect(options: NetworkOptions, life: Life, own: Draw, heldReads: number): StoreConnection {
  const { plan, base, server, history, observer } = options;

  const call = (name: Operation, partition: number, sent: object, outer: CallOptions): Promise<object> => {
    const request = requests.getStore();
    const draw = request?.draw ?? own;
    const fate = drawFate(plan.network, draw, options.healed());
    const sentAt = base.monotonic();
    if (name === "write") observer.sends(life, sent, request);
    history.note(life.name, () => `${name} ${showMessage(sent)} sent${showFate(fate)}`);
    return new Promise((resolve, reject) => {
      const inner = new AbortController();
      outer.signal?.addEventListener("abort", () => {
        life.troubles.push({ from: sentAt, until: base.monotonic() + plan.storeTimeoutMs });
        if (!fate.answerLost) base.setTimeout(() => inner.abort(), fate.there);
      });
      const answer = (settle: () => void): void => {
        if (!fate.answerLost) base.setTimeout(() => life.deliver(request, settle), fate.back);
      };
      const fail = (): void => answer(() => reject(new StoreError("connection reset")));
      const onHeld = (): void => answer(() => outer.onHeld?.());
      const before = server.connection;
      const arrive = (first: boolean): void => {
        const reached = server.connection;
        if (!first && reached !== before) return; // what is under way to a store ends with it
        if (base.monotonic() < server.downUntil && !options.healed()) return draw.chance(0.5) ? fail() : undefined;
        if (fate.failsBefore) return fail();
        const send = reached[name] as unknown as Send; // each operation gets what it takes
        const executed = history.moment();
        send(partition, server.meddle(name, partition, sent), {
          signal: inner.signal,
          onHeld: first ? onHeld : () => undefined,
        }).then(
          (reply) => {
            if (reached !== server.connection && base.monotonic() !== executed.at) return fail();
            observer.executed(name, partition, sent, reply, executed, life);
            if (!first) return;
            if (fate.failsAfter) fail();
            else answer(() => resolve(reply));
          },
          (error: unknown) => void (first && answer(() => reject(error as Error))), // as the store rejected
        );
      };
      if (!fate.lost) base.setTimeout(() => arrive(true), fate.there);
      const { repeatedAfter } = fate;
      if (repeatedAfter !== undefined) base.setTimeout(() => arrive(false), fate.there + repeatedAfter);
    });
  };

  const operation = (name: Operation): never =>
    ((partition: number, sent: object, outer: CallOptions) => call(name, partition, sent, outer)) as never; // see Send
  return {
    partitions: plan.partitions,
    heldReadsPerRequest: heldReads,
    read: operation("read"),
    commit: operation("commit"),
    renew: operation("renew"),
    release: operation("release"),
    write: operation("write"),
    changesSince: operation("changesSince"),
    info: operation("info"),
    close: () => Promise.resolve(),
  };
}

const showFate = ({ there, back, repeatedAfter, ...flags }: Fate): string => {
  const named = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []));
  return ` (${[`${there}+${back} ms`, ...named, ...(repeatedAfter === undefined ? [] : ["repeated"])].join(", ")})`;
};
