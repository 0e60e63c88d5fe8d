// An HTTP server of node:http around a fetch handler, as the page on server-sent events shows it.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";

export interface FetchServer {
  readonly port: number;
  readonly url: string;
  /** Cuts what there is and stops listening. */
  close(): Promise<void>;
}

/** Starts a server on loopback, on a port of its own or a given one; whoever starts it closes it. */
export async function serveFetch(
  handler: (request: Request) => Promise<Response> | Response,
  port = 0,
): Promise<FetchServer> {
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/", headers } = incoming;
    const body = method === "GET" || method === "HEAD" ? {} : { body: Readable.toWeb(incoming), duplex: "half" };
    const init = { method, headers: headers as Record<string, string>, ...body } as RequestInit; // no header comes twice
    const response = await handler(new Request(new URL(url, "http://hub"), init));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    // Whoever leaves ends the stream, too.
    if (response.body) await pipeline(Readable.fromWeb(response.body as NodeStream), outgoing);
    else outgoing.end();
  };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve));
  const at = (server.address() as AddressInfo).port; // it listens
  return {
    port: at,
    url: `http://127.0.0.1:${at}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
