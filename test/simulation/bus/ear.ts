// What one instance hears of the hub, and since when: the checker "prompt" goes by it.
import type { BusTransportEvents } from "../../../src/bus/contract.ts";
import { decodeFrame } from "../../../src/bus/frame.ts";
import type { VirtualPlatform } from "../../../src/testing/virtual-platform.ts";
import type { History } from "../history.ts";
import type { Life } from "../life.ts";

/** A partition's log has come so far, as the instance was told then. */
export interface Told {
  readonly partition: number;
  readonly seq: number;
  readonly at: number;
}

export interface Ear {
  /** Since when it has been told that it hears everything. Undefined: it may miss something, and knows it. */
  upSince: number | undefined;
  /** The hub sends it what it gets. */
  isIn: boolean;
  /** Counts its connections: what is on its way over an older one is lost. */
  line: number;
  deafUntil: number;
  /** Frames sent to it, and the latest of them that has come. */
  sent: number;
  latest: number;
  readonly told: Told[];
  up(): void;
  /** The hub has gone. */
  cut(): void;
  frame(bytes: Uint8Array): void;
  close(): void;
}

export interface EarOptions {
  readonly life: Life;
  readonly events: BusTransportEvents;
  readonly base: VirtualPlatform;
  readonly history: History;
}

export function createEar({ life, events, base, history }: EarOptions): Ear {
  let isClosed = false;
  const say = (isUp: boolean): void => {
    const { line } = ear;
    life.deliver(undefined, () => {
      if (isClosed || line !== ear.line) return;
      history.note(life.name, () => `hears ${isUp ? "everything" : "nothing"} from now on`);
      if (isUp) ear.upSince = base.monotonic();
      events.state(isUp);
    });
  };
  const ear: Ear = {
    upSince: undefined,
    isIn: false,
    line: 0,
    deafUntil: -Infinity,
    sent: 0,
    latest: 0,
    told: [],
    up: () => say(true),
    cut() {
      ear.upSince = undefined;
      ear.isIn = false;
      ear.line++;
      // Nothing comes between; whoever is frozen hears it late.
      life.deliver(undefined, () => void (isClosed || events.state(false)));
    },
    frame(bytes) {
      if (life.isFrozen()) history.struck("frame waited for a frozen instance");
      life.deliver(undefined, () => {
        if (isClosed) return;
        history.note(life.name, () => `hears ${showFrame(bytes)}`);
        ear.told.push(...positionsIn(bytes, base.monotonic()));
        void events.frame(bytes);
      });
    },
    close: () => void (isClosed = true),
  };
  return ear;
}

function read(bytes: Uint8Array): ReturnType<typeof decodeFrame> | undefined {
  try {
    return decodeFrame(bytes);
  } catch {
    return undefined;
  }
}

const positionsIn = (bytes: Uint8Array, at: number): Told[] =>
  (read(bytes)?.messages ?? []).flatMap((message) =>
    message.kind === "heartbeat"
      ? message.positions.map(({ partition, seq }) => ({ partition, seq, at }))
      : message.records.map(({ seq }) => ({ partition: message.partition, seq, at })),
  );

function showFrame(bytes: Uint8Array): string {
  const frame = read(bytes);
  if (frame === undefined) return `${bytes.length} bytes that are no frame`;
  const what = frame.messages.map((message) =>
    message.kind === "heartbeat"
      ? `heartbeat ${message.positions.map(({ partition, seq }) => `${partition}@${seq}`).join(" ")}`
      : message.records.map(({ seq, key, tags }) => `${key ?? `#${tags?.join(",")}`}@${seq}`).join(" "),
  );
  return `frame ${frame.number} of ${frame.source.slice(0, 4)}: ${what.join("; ")}`;
}
