// Upstash's REST protocol in front of a real Redis, for tests and examples. README.md says what is known and what guessed.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { errorAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { createExecutor } from "./executor.ts";
import { createFaults, drops, pass } from "./faults.ts";
import type { Fault, FaultOptions } from "./faults.ts";
import { readRequest, tokenOf } from "./request.ts";
import type { Asked, Received } from "./request.ts";
import { streamMessages } from "./subscription.ts";

export interface UpstashOptions {
  /** Such as `redis://127.0.0.1:6379`. */
  readonly redis: string;
  /** 0, the default: one that is free. */
  readonly port?: number;
  /** `"test-token"` by default. */
  readonly token?: string;
  /** A token that may only read; none by default. */
  readonly readOnlyToken?: string;
  /**
   * Whether scripts may say that they lock their keys alone, as on Upstash; true by default. Else Redis refuses them, as it
   * does behind a proxy.
   */
  readonly keyLocking?: boolean;
  /** The largest body; 10 MiB by default. */
  readonly maxRequestBytes?: number;
}

/** A request as it came, and what it asked for; undefined where the token was wrong. */
export interface SeenRequest extends Received {
  readonly asked: Asked | undefined;
}

export interface UpstashServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** How often each command was sent to Redis, by its name in upper case; those of pipelines and transactions, too. */
  counts(): Readonly<Record<string, number>>;
  /** Their sum: what would be billed. */
  billed(): number;
  /** Every request since the start or the last reset. */
  requests(): readonly SeenRequest[];
  /** Forgets what was counted and seen, and ends all faults. */
  reset(): void;
  fault(fault: Fault, options?: FaultOptions): void;
  /** Cuts the event streams that are open; clients may subscribe again. */
  cutSubscriptions(): void;
  /** Cuts all connections and refuses new ones; what Redis was asked for runs on. */
  stopAccepting(): Promise<void>;
  /** Listens again on the same port. */
  startAccepting(): Promise<void>;
  close(): Promise<void>;
}

const UNAUTHORIZED = "WRONGPASS invalid or missing auth token";

async function receive(incoming: IncomingMessage): Promise<Received> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer); // no encoding is set
  const { method = "", url = "", headers } = incoming;
  return { method, target: url, headers, body: Buffer.concat(pieces) };
}

function write(response: ServerResponse, { status, headers, body }: Answer, struck: readonly Fault[]): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, "content-length": body.length });
  if (!drops(struck, "half")) response.end(body);
  else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** Starts the server; whoever starts it closes it. Redis need not be there yet. */
export async function startUpstash(options: UpstashOptions): Promise<UpstashServer> {
  const { redis, token = "test-token", readOnlyToken, keyLocking = true, maxRequestBytes = 10 * 1024 * 1024 } = options;
  const executor = createExecutor(redis, keyLocking);
  const faults = createFaults();
  let seen: SeenRequest[] = [];
  const streams = new Set<ServerResponse>();
  let syncToken = 0;

  const run = async (asked: Exclude<Asked, { kind: "subscription" }>, isReadOnly: boolean): Promise<Answer> => {
    try {
      return await executor.run(asked, isReadOnly);
    } catch (error) {
      return errorAnswer(`ERR the database is out of reach: ${String(error)}`, 503);
    }
  };

  const answer = async (asked: Asked, isReadOnly: boolean, response: ServerResponse): Promise<void> => {
    const struck = faults.take(asked);
    await pass(struck, "request");
    if (drops(struck, "request")) return void response.destroy();
    const canned = struck.find((fault) => fault.kind === "answer");
    if (canned !== undefined) {
      return write(response, { headers: {}, ...canned, body: Buffer.from(canned.body) }, struck);
    }
    if (asked.kind === "subscription") {
      executor.count(asked.command);
      streams.add(response);
      response.on("close", () => streams.delete(response));
      return streamMessages(redis, asked.command, response);
    }
    const outcome = await run(asked, isReadOnly);
    await pass(struck, "answer");
    if (drops(struck, "answer")) return void response.destroy();
    response.setHeader("upstash-sync-token", String(++syncToken).padStart(12, "0"));
    write(response, outcome, struck);
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await receive(incoming);
    const given = tokenOf(received);
    const isReadOnly = given !== undefined && given === readOnlyToken;
    if (given !== token && !isReadOnly) {
      seen.push({ ...received, asked: undefined });
      return write(response, errorAnswer(UNAUTHORIZED, 401), []);
    }
    const sizes = `Limit: ${maxRequestBytes} bytes, Actual: ${received.body.length} bytes`;
    const asked: Asked =
      received.body.length > maxRequestBytes
        ? { kind: "refused", status: 400, error: `ERR max request size exceeded. ${sizes}` }
        : readRequest(received);
    seen.push({ ...received, asked });
    await answer(asked, isReadOnly, response);
  };

  const server = createServer((incoming, response) => {
    // A client that is gone, or a subscription without Redis: there is nobody to tell but by cutting.
    handle(incoming, response).catch(() => response.destroy());
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one

  const stopAccepting = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    token,
    counts: executor.counts,
    billed: () => Object.values(executor.counts()).reduce((sum, count) => sum + count, 0),
    requests: () => seen,
    reset() {
      executor.reset();
      faults.clear();
      seen = [];
    },
    fault: faults.add,
    cutSubscriptions: () => streams.forEach((stream) => stream.destroy()),
    stopAccepting,
    startAccepting: () => listen(port),
    async close() {
      if (server.listening) await stopAccepting();
      executor.close();
    },
  };
}
