// A store behind a network that a test owns: slow, lossy, held up, cut off, restarted, and counted by operation.
import type { Answer, CallOptions, ConnectOptions, Moved, Store, StoreConnection } from "../../src/store/contract.ts";

export type Operation = "read" | "commit" | "renew" | "release" | "write" | "batch" | "changesSince";

/**
 * What happens to a request. `fail`: it is not done, and that is known at once. `lose`: it is done, but the answer is
 * lost. `hang`: it is not done, and nobody says so. `delay`: both ways take half of `ms`. `moved`: the store refuses it,
 * because it has another number of partitions by now.
 */
export type Fault =
  | { readonly kind: "fail" | "lose" | "hang" | "moved" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "gate"; readonly before: Promise<void>; readonly after: Promise<void> };

/** Requests that a test holds up, until it lets them go. */
export interface Gate {
  open(): void;
}

/** One instance's way to the store. */
export interface Link {
  /** For `createCache`; to be connected once. */
  readonly store: Store;
  /** Every request sent: what it was, to which partition, with what. */
  readonly sent: readonly { readonly operation: Operation; readonly partition: number; readonly request: object }[];
  /** Value bytes that came back. */
  readonly valueBytes: number;
  /** Requests since the last time this was asked, by operation: only those that occurred. */
  count(): Partial<Record<Operation, number>>;
  /** Does this to every such request (on one partition, if it is given) from now on. */
  always(operation: Operation | "all", fault: Fault | Fault["kind"], partition?: number): void;
  /** Does this to the next such request alone. */
  once(operation: Operation, fault: Fault | Fault["kind"]): void;
  /** Holds up the next such request on its way there, or its answer on its way back. */
  hold(operation: Operation, on: "way there" | "way back"): Gate;
  /** Everything from now on is done as asked, at once. */
  heal(): void;
}

export interface Network {
  link(options?: LinkOptions): Link;
  /** The store is another one from now on, for every link; requests under way still reach the old one. */
  replace(store: Store): void;
  /** A way around all faults, for a test that looks into the store or damages it. */
  direct(): StoreConnection;
}

export interface LinkOptions {
  readonly heldReadsPerRequest?: number;
  /** Called for every request: says later whether the one who asked can still take the answer. */
  readonly listener?: () => () => boolean;
}

const never = (): Promise<never> => new Promise(() => undefined);

/** `connection`: how the store is connected to, whatever the caches say: their names and platforms do not matter. */
export function createNetwork(first: Store, connection: ConnectOptions): Network {
  let store = first;
  const reconnects = new Set<() => void>();
  return {
    link: (options = {}) => createLink(() => store, connection, options, reconnects),
    replace(next) {
      store = next;
      for (const reconnect of reconnects) reconnect();
    },
    direct: () => store.connect(connection),
  };
}

function createLink(
  current: () => Store,
  connection: ConnectOptions,
  options: LinkOptions,
  reconnects: Set<() => void>,
): Link {
  const { platform } = connection;
  const sent: { operation: Operation; partition: number; request: object }[] = [];
  const standing: { operation: Operation | "all"; fault: Fault; partition: number | undefined }[] = [];
  const queued: { operation: Operation; fault: Fault }[] = [];
  const timers = new Set<unknown>();
  let counted = 0;
  let valueBytes = 0;

  const faultOf = (operation: Operation, partition: number): Fault | undefined => {
    const index = queued.findIndex((each) => each.operation === operation);
    if (index >= 0) return queued.splice(index, 1)[0]!.fault;
    return standing.findLast(
      (each) =>
        (each.operation === operation || each.operation === "all") &&
        (each.partition === undefined || each.partition === partition),
    )?.fault;
  };

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = platform.setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  const pass = async <Reply>(fault: Fault | undefined, send: () => Answer<Reply>): Promise<Reply | Moved> => {
    switch (fault?.kind) {
      case undefined:
        return send();
      case "fail":
        throw new Error("network: connection refused");
      case "hang":
        return never();
      case "moved":
        return { moved: true };
      case "lose":
        await send();
        throw new Error("network: connection reset");
      case "delay": {
        await wait(fault.ms / 2);
        const reply = await send();
        await wait(fault.ms / 2);
        return reply;
      }
      case "gate": {
        await fault.before;
        const reply = await send();
        await fault.after;
        return reply;
      }
    }
  };

  const connect = (): StoreConnection => {
    let inner = current().connect(connection);
    const reconnect = (): void => {
      inner = current().connect(connection);
    };
    reconnects.add(reconnect);
    const through =
      <Request extends object, Reply>(
        operation: Operation,
        send: (to: StoreConnection) => (partition: number, request: Request, call: CallOptions) => Answer<Reply>,
      ) =>
      async (partition: number, request: Request, call: CallOptions): Promise<Reply | Moved> => {
        sent.push({ operation, partition, request });
        const listens = options.listener?.();
        const fault = faultOf(operation, partition);
        try {
          const reply = await pass(fault, () => send(inner)(partition, request, call));
          if (listens?.() === false) return await never();
          const entry = "entry" in (reply as object) ? (reply as { entry?: { bytes?: Uint8Array } }).entry : undefined;
          valueBytes += entry?.bytes?.length ?? 0;
          return reply;
        } catch (error) {
          if (listens?.() === false) return never();
          throw error;
        }
      };
    return {
      get partitions() {
        return inner.partitions;
      },
      heldReadsPerRequest: options.heldReadsPerRequest ?? inner.heldReadsPerRequest,
      read: through("read", (to) => to.read),
      commit: through("commit", (to) => to.commit),
      renew: through("renew", (to) => to.renew),
      release: through("release", (to) => to.release),
      write: through("write", (to) => to.write),
      batch: through("batch", (to) => to.batch),
      changesSince: through("changesSince", (to) => to.changesSince),
      info: (partition, call) => inner.info(partition, call),
      async close() {
        reconnects.delete(reconnect);
        for (const timer of timers) platform.clearTimeout(timer);
        await inner.close();
      },
    };
  };

  const faultFrom = (fault: Fault | Fault["kind"]): Fault =>
    typeof fault === "string" ? ({ kind: fault } as Fault) : fault; // kinds that need more are given as objects

  return {
    store: { kind: "network", connect },
    sent,
    get valueBytes() {
      return valueBytes;
    },
    count() {
      const counts: Partial<Record<Operation, number>> = {};
      for (const { operation } of sent.slice(counted)) counts[operation] = (counts[operation] ?? 0) + 1;
      counted = sent.length;
      return counts;
    },
    always: (operation, fault, partition) => void standing.push({ operation, fault: faultFrom(fault), partition }),
    once: (operation, fault) => void queued.push({ operation, fault: faultFrom(fault) }),
    hold(operation, on) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => void (open = resolve));
      const [before, after] = on === "way there" ? [opened, Promise.resolve()] : [Promise.resolve(), opened];
      queued.push({ operation, fault: { kind: "gate", before, after } });
      return { open: () => open() };
    },
    heal() {
      standing.length = 0;
      queued.length = 0;
    },
  };
}
