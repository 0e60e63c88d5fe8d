// createBus: a bus out of a transport, with what every bus needs around it.
import { OptionError, TimeoutError } from "../errors.ts";
import { PROTOCOL } from "../store/wire.ts";
import type { Bus, BusConnection, BusMessage, BusPort, BusTransport, OpenTransport } from "./contract.ts";
import { encodeFrame } from "./frame.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createIntake } from "./intake.ts";
import { resolveBus, type BusOptions, type ResolvedBus } from "./options.ts";
import { createOutbox } from "./outbox.ts";
import { createReceiver } from "./receiver.ts";
import { createSigner } from "./sign.ts";

/**
 * Makes a bus of a transport: repeats are dropped, failed messages sent again, frames signed, losses noticed. `kind` names it
 * in events and messages. Does no I/O. Throws an OptionError that names option and value.
 */
export function createBus(kind: string, open: OpenTransport, options: BusOptions = {}): Bus {
  if (typeof open !== "function") throw new OptionError("createBus: open is not a function that gives a transport");
  const resolved = resolveBus(options);
  return { kind, connect: (port) => connect(open, resolved, port) };
}

function connect(open: OpenTransport, options: ResolvedBus, port: BusPort): BusConnection {
  const { platform } = port;
  const channel = `isocache:${PROTOCOL}:${encodeURIComponent(port.name)}`;
  const { sign, heartbeatMs, publishTimeoutMs } = options;
  const signer = sign && createSigner({ ...sign, channel });
  let { source } = options;
  let transport: BusTransport | undefined;
  let isOpen = false;
  /** How to give up each frame that is being sent. Undefined: nothing is sent any more. */
  let sending: Set<() => void> | undefined = new Set();

  const sourceOf = (): string => (source ??= Math.floor(platform.random() * 2 ** 52).toString(36));
  const transportOf = (): BusTransport =>
    (transport ??= open({ channel, source: sourceOf(), platform, report: (error) => port.report("bus", error) }));

  const publish = async (messages: readonly BusMessage[], number: number): Promise<void> => {
    const plain = encodeFrame({ source: sourceOf(), number, sentAt: platform.now(), messages });
    const frame = signer ? await signer.sign(plain) : plain;
    const ending = new AbortController();
    let timer: unknown;
    let giveUp = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (!sending) return resolve();
        giveUp = () => {
          ending.abort();
          resolve();
        };
        sending.add(giveUp);
        timer = platform.setTimeout(() => {
          ending.abort();
          reject(new TimeoutError(`publish: no answer within ${publishTimeoutMs} ms`));
        }, publishTimeoutMs);
        transportOf().publish(frame, ending.signal).then(resolve, reject);
      });
    } finally {
      platform.clearTimeout(timer);
      sending?.delete(giveUp);
    }
  };

  const outbox = createOutbox(port, options, publish);
  const receiver = createReceiver(port);
  // A heartbeat has the number of the frame before it: who has not seen that one missed it.
  const heartbeat = createHeartbeat(port, heartbeatMs, (message) => publish([message], outbox.number), receiver.missed);
  const intake = createIntake(port, options, signer, sourceOf, {
    heard: heartbeat.heard,
    missed: receiver.missed,
    message(message) {
      if (message.kind === "heartbeat") heartbeat.beat(message);
      receiver.take(message);
    },
  });

  return {
    open() {
      if (isOpen || port.isClosed()) return;
      isOpen = true;
      if (!(options.subscribe ?? platform.connectionsOutliveRequests ?? true)) return;
      heartbeat.start();
      let wasUp = false;
      const state = (isUp: boolean): void => {
        if (isUp === wasUp || port.isClosed()) return;
        wasUp = isUp;
        port.told(isUp ? "up" : "down");
        if (isUp) receiver.missed(); // whatever was said before
      };
      try {
        transportOf().subscribe({ frame: intake, state });
      } catch (error) {
        port.report("bus", error); // reads go on without it
      }
    },
    tell: outbox.add,
    confirmed: receiver.confirmed,
    async close() {
      await outbox.close();
      // A heartbeat that is on its way, or was about to be sent.
      const left = sending;
      sending = undefined;
      for (const giveUp of left ?? []) giveUp();
      await transport?.close();
    },
  };
}
