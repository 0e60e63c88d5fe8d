// The simulated way of frames from one instance to the others: it delays, loses, repeats, garbles and fails them as the schedule
// says. What instances make of frames is the real bus.
import type { Bus, BusTransport, BusTransportEvents } from "../../../src/bus/contract.ts";
import { decodeFrame } from "../../../src/bus/frame.ts";
import type { VirtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { createDraw, mix } from "../draw.ts";
import { PARTS } from "../draw-plan.ts";
import type { FaultName } from "../faults.ts";
import type { History } from "../history.ts";
import { requests, type Life } from "../life.ts";
import type { BusPlan } from "../plan.ts";
import type { Subject } from "../subject.ts";
import { createEar, type Ear } from "./ear.ts";

export interface HubOptions {
  readonly seed: number;
  readonly bus: BusPlan;
  readonly base: VirtualPlatform;
  readonly history: History;
  readonly subject: Subject;
  /** True once all faults are over. */
  healed(): boolean;
}

export interface Hub {
  /** The real bus, for one life of an instance, over this hub. */
  busOf(life: Life): Bus;
  /** What an instance has heard. Undefined: it does not listen. */
  earOf(life: Life): Ear | undefined;
  /** It takes nothing for so long, and all that listen are told. */
  down(ms: number): void;
  /** Another process in its place: what is on its way is lost, and whoever listens has to come again. */
  restart(): void;
  /** For so long an instance hears nothing, and nobody tells it. */
  deafen(life: Life, ms: number): void;
  /** For so long every other frame comes as something that is no frame. */
  garble(ms: number): void;
}

export function createHub({ seed, bus, base, history, subject, healed }: HubOptions): Hub {
  const draw = createDraw(mix(seed, PARTS.hub));
  const ears = new Map<Life, Ear>();
  let downUntil = 0;
  let garbledUntil = 0;
  const now = (): number => base.monotonic();

  const happens = (probability: number, fault: FaultName): boolean => {
    const does = draw.chance(probability) && !healed();
    if (does) history.struck(fault);
    return does;
  };
  const delay = (): number => draw.int(...(happens(bus.slow, "frame slow") ? bus.slowDelay : bus.delay));
  const later = (callback: () => void): void => void base.setTimeout(callback, delay());

  /** What reads as another frame could be told by its signature alone: here it never does, as if it had a checksum. */
  const garbled = (frame: Uint8Array): Uint8Array => {
    const other = frame.map((byte) => (draw.chance(0.2) ? byte ^ (1 << draw.int(0, 7)) : byte));
    return isFrame(other) ? frame.subarray(0, draw.int(0, frame.length - 1)) : other;
  };

  const send = (ear: Ear, frame: Uint8Array): void => {
    const { line } = ear;
    const number = ++ear.sent;
    later(() => {
      if (line !== ear.line) return history.struck("frame lost with its hub");
      if (now() < ear.deafUntil) return history.struck("subscription lost silently");
      if (number < ear.latest) history.struck("frame overtaken");
      ear.latest = Math.max(ear.latest, number);
      const isGarbled = now() < garbledUntil && happens(0.5, "frame garbled");
      ear.frame(isGarbled ? garbled(frame) : frame.slice());
    });
  };

  const spread = (frame: Uint8Array, from: Life): void => {
    const isBeat = decodeFrame(frame).messages.every(({ kind }) => kind === "heartbeat");
    for (const [life, ear] of ears) {
      if (!ear.isIn || (life === from && !bus.echoes)) continue;
      // In a schedule that must be prompt, it is heartbeats that find out.
      if (!(isBeat && bus.prompt) && happens(bus.lose, "frame lost")) continue;
      send(ear, frame);
      if (happens(bus.repeat, "frame repeated")) send(ear, frame);
    }
  };

  /** Listens as soon as the hub is there, and is told so a little later. */
  const join = (ear: Ear): void => {
    const line = ++ear.line;
    later(() => {
      if (line !== ear.line) return;
      const leftMs = downUntil - now();
      if (leftMs > 0) return void base.setTimeout(() => line === ear.line && join(ear), leftMs);
      ear.isIn = true;
      later(() => line === ear.line && ear.up());
    });
  };

  const cut = (): void => {
    for (const ear of ears.values()) {
      ear.cut();
      join(ear);
    }
  };

  const transportOf = (life: Life): BusTransport => ({
    publish: (frame, signal) =>
      new Promise((resolve, reject) => {
        const request = requests.getStore();
        signal.addEventListener("abort", () => reject(new Error("given up")));
        const answer = (settle: () => void): void => later(() => life.deliver(request, settle));
        const fail = (): void => answer(() => reject(new Error("the hub failed")));
        later(() => {
          if (now() < downUntil && !healed()) {
            history.struck("hub down");
            return draw.chance(0.5) ? fail() : undefined;
          }
          if (happens(bus.failBefore, "publish failed")) return fail();
          spread(frame, life);
          if (happens(bus.hang, "publish never answered")) return;
          if (happens(bus.failAfter, "published and failed")) return fail();
          answer(() => resolve());
        });
      }),
    subscribe(events: BusTransportEvents) {
      const ear = createEar({ life, events, base, history });
      ears.set(life, ear);
      join(ear);
    },
    async close() {
      ears.get(life)?.close();
      ears.delete(life);
    },
  });

  return {
    busOf(life) {
      const { heartbeatMs, publishTimeoutMs, retryQueue, breaker, dedupe } = bus;
      const options = { heartbeat: heartbeatMs, publishTimeout: publishTimeoutMs, retryQueue, breaker, dedupe };
      const { kind, connect } = subject.createBus("simulated", () => transportOf(life), options);
      return {
        kind,
        connect(port) {
          const connection = connect(port);
          // What listens works for the instance, not for the request that came first.
          return { ...connection, open: () => requests.run(undefined, connection.open) };
        },
      };
    },
    earOf: (life) => ears.get(life),
    down(ms) {
      downUntil = now() + ms;
      cut();
    },
    restart: cut,
    deafen(life, ms) {
      const ear = ears.get(life);
      if (ear) ear.deafUntil = now() + ms;
    },
    garble: (ms) => void (garbledUntil = now() + ms),
  };
}

function isFrame(bytes: Uint8Array): boolean {
  try {
    decodeFrame(bytes);
    return true;
  } catch {
    return false;
  }
}
