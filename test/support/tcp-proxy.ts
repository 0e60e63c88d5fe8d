// A TCP proxy in front of a server: stalls, delays and cuts connections, and lets a test look at what goes through.
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** Looks at one connection. */
export interface Inspector {
  /** What the client sends, before it is passed on. */
  request(piece: Buffer): void;
  /** What the server answers; true: it is lost, and the connection is cut instead. */
  answer(piece: Buffer): boolean;
}

export interface TcpConnection {
  /** Counted from 1, in the order of connecting. */
  readonly id: number;
  readonly isOpen: boolean;
}

export interface TcpProxy {
  readonly port: number;
  /** All connections since the start or the last `forget`, those that have ended included. */
  connections(): readonly TcpConnection[];
  /** Forgets the connections that have ended. */
  forget(): void;
  /** Holds what clients send (`"requests"`), what the server answers (`"answers"`), or both, until `resume`. Nothing is lost. */
  stall(what?: "requests" | "answers" | "both"): void;
  resume(): void;
  /** Every piece, in both directions, arrives this much later; 0 ends that. */
  delay(ms: number): void;
  /** Cuts all connections. */
  cut(): void;
  /** Cuts what connects from now on at once; `accept` ends that. Connections that there are stay. */
  refuse(): void;
  accept(): void;
  /** Cuts everything and stops listening. */
  close(): Promise<void>;
}

/** Passes pieces on in their order, late or not before it is opened. */
interface Pipe {
  push(piece: Buffer): void;
  hold(): void;
  open(): void;
}

function pipe(to: Socket, delayMs: () => number): Pipe {
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
      held.push({ piece, dueAt: performance.now() + delayMs() });
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
  readonly client: Socket;
  readonly requests: Pipe;
  readonly answers: Pipe;
}

/** Starts a proxy on a port of its own; whoever starts it closes it. `inspect` is called for each connection, by its number. */
export async function startTcpProxy(
  server: { readonly host: string; readonly port: number },
  inspect?: (id: number) => Inspector,
): Promise<TcpProxy> {
  const stalled = { requests: false, answers: false };
  let tracked: Tracked[] = [];
  let last = 0;
  let delayMs = 0;
  let isRefusing = false;
  const listener = createServer({ noDelay: true }, (client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const upstream = connect({ ...server, noDelay: true });
    const connection: Tracked = {
      id: ++last,
      client,
      requests: pipe(upstream, () => delayMs),
      answers: pipe(client, () => delayMs),
    };
    const inspector = inspect?.(connection.id);
    client.on("data", (piece) => {
      inspector?.request(piece);
      connection.requests.push(piece);
    });
    upstream.on("data", (piece) => {
      if (inspector?.answer(piece)) client.destroy();
      else connection.answers.push(piece);
    });
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    if (stalled.requests) connection.requests.hold();
    if (stalled.answers) connection.answers.hold();
    tracked.push(connection);
  });
  await new Promise<void>((resolve, reject) => listener.on("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo; // a TCP server that listens has one
  const isOpen = ({ client }: Tracked): boolean => !client.destroyed;
  const cut = (): void => tracked.forEach(({ client }) => client.destroy());
  return {
    port,
    connections: () => tracked.map((each) => ({ id: each.id, isOpen: isOpen(each) })),
    forget: () => void (tracked = tracked.filter(isOpen)),
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
    delay: (ms) => void (delayMs = ms),
    cut,
    refuse: () => void (isRefusing = true),
    accept: () => void (isRefusing = false),
    close() {
      cut();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
