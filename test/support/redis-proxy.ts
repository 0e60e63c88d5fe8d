// A TCP proxy in front of Redis: counts the commands that go through, and stalls, delays, cuts or loses answers.
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { respReader, textOf } from "./resp.ts";
import type { Reply } from "./resp.ts";

/** How often each command was sent, by its name in upper case. */
export type Counts = Readonly<Record<string, number>>;

export interface ProxiedConnection {
  /** Counted from 1, in the order of connecting. */
  readonly id: number;
  readonly isOpen: boolean;
  readonly counts: Counts;
}

export interface RedisProxy {
  /** What a client connects to, instead of Redis itself. */
  readonly url: string;
  readonly port: number;
  /** All connections since the start or the last reset, those that have ended included. */
  connections(): readonly ProxiedConnection[];
  /** The commands of all connections since the start or the last reset. */
  counts(): Counts;
  /** Forgets what was counted, and the connections that have ended. */
  reset(): void;
  /** Holds what clients send (`"requests"`), what Redis answers (`"answers"`), or both, until `resume`. Nothing is lost. */
  stall(what?: "requests" | "answers" | "both"): void;
  resume(): void;
  /** Every piece, in both directions, arrives this much later; 0 ends that. */
  delay(ms: number): void;
  /** Lets the next command of that name through and cuts its connection instead of passing on any further answer. */
  loseAnswerOf(name: string): void;
  /** Cuts all connections. */
  cut(): void;
  /** Cuts what connects from now on at once; `accept` ends that. Connections that there are stay. */
  refuse(): void;
  accept(): void;
  /** Cuts everything and stops listening. */
  close(): Promise<void>;
}

interface Faults {
  delayMs: number;
  readonly losing: Set<string>;
}

/** Passes pieces on in their order, late or not before it is opened. */
interface Pipe {
  push(piece: Buffer): void;
  hold(): void;
  open(): void;
}

function pipe(to: Socket, faults: Faults): Pipe {
  const held: { readonly piece: Buffer; readonly dueAt: number }[] = [];
  let isHeld = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    while (!isHeld && held.length > 0 && held[0]!.dueAt <= performance.now()) to.write(held.shift()!.piece);
    if (!isHeld && held.length > 0) timer = setTimeout(flush, held[0]!.dueAt - performance.now() + 1);
  };
  to.on("close", () => clearTimeout(timer));
  return {
    push(piece) {
      held.push({ piece, dueAt: performance.now() + faults.delayMs });
      flush();
    },
    hold: () => (isHeld = true),
    open() {
      isHeld = false;
      flush();
    },
  };
}

interface Tracked {
  readonly id: number;
  readonly counts: Map<string, number>;
  readonly client: Socket;
  readonly requests: Pipe;
  readonly answers: Pipe;
}

const nameOf = (command: Reply): string | undefined =>
  command.type === "array" ? textOf(command.items?.[0] ?? command)?.toUpperCase() : undefined;

function track(id: number, client: Socket, server: Socket, faults: Faults): Tracked {
  const counts = new Map<string, number>();
  const requests = pipe(server, faults);
  const answers = pipe(client, faults);
  const read = respReader();
  let isLosing = false;
  client.on("data", (piece) => {
    for (const name of read(piece).map(nameOf)) {
      if (name === undefined) continue;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (faults.losing.delete(name)) isLosing = true;
    }
    requests.push(piece);
  });
  server.on("data", (piece) => {
    if (isLosing) client.destroy();
    else answers.push(piece);
  });
  client.on("error", () => server.destroy()).on("close", () => server.destroy());
  server.on("error", () => client.destroy()).on("close", () => client.destroy());
  return { id, counts, client, requests, answers };
}

function sum(all: readonly ReadonlyMap<string, number>[]): Counts {
  const total: Record<string, number> = {};
  for (const [name, count] of all.flatMap((counts) => [...counts])) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** Starts a proxy to a `redis://host:port`; whoever starts it closes it. Inline commands are not understood. */
export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const faults: Faults = { delayMs: 0, losing: new Set() };
  const stalled = { requests: false, answers: false };
  let tracked: Tracked[] = [];
  let last = 0;
  let isRefusing = false;
  const server = createServer({ noDelay: true }, (client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(targetPort || 6379), noDelay: true });
    const connection = track(++last, client, upstream, faults);
    if (stalled.requests) connection.requests.hold();
    if (stalled.answers) connection.answers.hold();
    tracked.push(connection);
  });
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const url = new URL(target); // with its password, if any
  url.hostname = "127.0.0.1";
  url.port = String(port);
  const isOpen = ({ client }: Tracked): boolean => !client.destroyed;
  const cut = (): void => tracked.forEach(({ client }) => client.destroy());
  return {
    url: url.href,
    port,
    connections: () => tracked.map((each) => ({ id: each.id, isOpen: isOpen(each), counts: sum([each.counts]) })),
    counts: () => sum(tracked.map(({ counts }) => counts)),
    reset() {
      tracked = tracked.filter(isOpen);
      for (const { counts } of tracked) counts.clear();
    },
    stall(what = "both") {
      if (what !== "answers") stalled.requests = true;
      if (what !== "requests") stalled.answers = true;
      for (const { requests, answers } of tracked) {
        if (stalled.requests) requests.hold();
        if (stalled.answers) answers.hold();
      }
    },
    resume() {
      stalled.requests = stalled.answers = false;
      for (const { requests, answers } of tracked) {
        requests.open();
        answers.open();
      }
    },
    delay: (ms) => (faults.delayMs = ms),
    loseAnswerOf: (name) => faults.losing.add(name.toUpperCase()),
    cut,
    refuse: () => (isRefusing = true),
    accept: () => (isRefusing = false),
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
