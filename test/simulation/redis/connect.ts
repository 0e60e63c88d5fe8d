// The connection of one life of an instance to a Redis: the store's own client, and the network between it and the server.
import { AsyncLocalStorage } from "node:async_hooks";
import type { BatchReply, CallOptions, StoreConnection } from "../../../src/store/contract.ts";
import type { Draw } from "../draw.ts";
import { plainPreludes } from "../../../src/store/redis/preludes.ts";
import { requests, type Life } from "../life.ts";
import { giveUp, hear, itemsOf, keyIn, upTo, type Asked, type NetworkOptions } from "../network.ts";
import { partFor } from "../life.ts";
import type { Operation } from "../observer.ts";
import type { InstancePlan } from "../plan.ts";
import { CACHE, remembers } from "../server/redis.ts";
import type { Subject } from "../subject.ts";
import { createLine } from "./line.ts";
import { createListening } from "./listening.ts";

/** What a client over HTTP may spend on one read that waits. */
const HTTP = { publishes: true, pollBudget: 8 };

/**
 * Requests end on a worker: it speaks HTTP, and listens to nothing. All others have a connection, which can be lost; unless
 * the schedule is calm: where HTTP began an epoch, the first connection begins another one, to know its server.
 */
export function connectRedis(
  options: NetworkOptions,
  life: Life,
  own: Draw,
  { heldReads, partitions, worker }: Pick<InstancePlan, "heldReads" | "partitions" | "worker">,
  subject: Subject,
): StoreConnection {
  const { plan, base, history, observer } = options;
  const asking = new AsyncLocalStorage<Asked>();
  const http = worker || (plan.calm && plan.instances.some((each) => each.worker));
  const line = createLine(options, life, { own, http, asked: () => asking.getStore() });
  const transport = http
    ? { preludes: plainPreludes, incarnation: false, send: line.send }
    : {
        preludes: plainPreludes,
        incarnation: true,
        send: line.send,
        onLost: line.onLost,
        subscribe: subject.createSubscriber((events) => createListening(options, life, own, events)),
      };
  const connection = subject
    .storeOver("redis", () => transport, { partitions, ...remembers(plan.limits) }, http ? HTTP : {})
    .connect({ name: CACHE, platform: life.platform });

  const call = async (name: Operation, partition: number, sent: object, outer: CallOptions): Promise<object> => {
    const asked: Asked = { name, sent, sentAt: base.monotonic(), request: requests.getStore() };
    for (const item of itemsOf(name, sent)) {
      if (item.name === "write") observer.sends(life, item.request, partFor(asked.request, keyIn(item.request)));
    }
    const leave = (): void => giveUp(life, asked, base.monotonic() + plan.storeTimeoutMs);
    outer.signal?.addEventListener("abort", leave);
    const send = connection[name] as (partition: number, sent: object, outer: CallOptions) => Promise<object>; // each gets what it takes
    const reply = await asking.run(asked, () =>
      name === "info" ? connection.info(partition, outer) : send(partition, sent, outer),
    );
    // Of what a Redis refuses, nobody is told by a signal.
    if ("replies" in reply && (reply as BatchReply).replies.some((each) => "error" in each)) {
      giveUp(life, asked, base.monotonic());
    }
    if ("moved" in reply) history.struck("number of partitions disputed");
    else if (!outer.signal?.aborted) {
      const told = "replies" in reply ? upTo(sent, (reply as BatchReply).replies.length) : sent;
      hear(life, { ...asked, sent: told }, base.monotonic());
    }
    return reply;
  };

  const operation = (name: Operation): never =>
    ((partition: number, sent: object, outer: CallOptions) => call(name, partition, sent, outer)) as never; // see send
  return {
    get partitions() {
      return connection.partitions;
    },
    heldReadsPerRequest: heldReads,
    read: operation("read"),
    commit: operation("commit"),
    renew: operation("renew"),
    release: operation("release"),
    write: operation("write"),
    batch: operation("batch"),
    changesSince: operation("changesSince"),
    info: (partition, outer) => call("info", partition, {}, outer) as ReturnType<StoreConnection["info"]>, // its reply
    close: () => connection.close(),
  };
}
