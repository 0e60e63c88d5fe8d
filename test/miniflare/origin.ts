// An HTTP origin on loopback that counts what it is asked, and is slow, silent or broken when told to.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** How the origin answers a path from now on. */
export interface OriginBehaviour {
  readonly status?: number;
  readonly body?: string;
  /** Answers after this long. */
  readonly delayMs?: number;
  /** Answers after this too; a promise that never settles: never. */
  readonly until?: Promise<unknown>;
}

/** A running origin. */
export interface Origin {
  readonly url: string;
  /** How often a path was asked for. */
  count(path: string): number;
  /** How many of those who asked for a path went away before they had an answer. */
  abandoned(path: string): number;
  /** The default is 200 at once, with the path and the number of the request as its body. */
  behave(path: string, behaviour: OriginBehaviour): void;
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function startOrigin(): Promise<Origin> {
  const counts = new Map<string, number>();
  const abandoned = new Map<string, number>();
  const behaviours = new Map<string, OriginBehaviour>();
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const { status = 200, body = `${path} ${count}`, delayMs = 0, until } = behaviours.get(path) ?? {};
    response.on("close", () => {
      if (!response.writableFinished) abandoned.set(path, (abandoned.get(path) ?? 0) + 1);
    });
    const answer = (): void => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        response.writeHead(status).end(body);
      }, delayMs);
      timers.add(timer);
    };
    if (until === undefined) answer();
    else void until.then(answer);
  });
  server.keepAliveTimeout = 120_000; // workerd finds out too late that a connection was closed
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a server that listens on a port has one

  return {
    url: `http://127.0.0.1:${port}`,
    count: (path) => counts.get(path) ?? 0,
    abandoned: (path) => abandoned.get(path) ?? 0,
    behave: (path, behaviour) => void behaviours.set(path, behaviour),
    stop() {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
