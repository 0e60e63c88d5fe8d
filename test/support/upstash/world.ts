// What the tests of the REST server share: a server with a prefix for keys, and requests to it.
import { onTestFinished } from "vitest";
import { ownPrefix } from "../own-keys.ts";
import { service } from "../services.ts";
import { startUpstash } from "./server.ts";
import type { UpstashOptions } from "./server.ts";

export const redis = service("redis");

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Instead of the right one. */
  readonly token?: string;
}

/** A server in front of the shared Redis, closed when the test is over. */
export async function world(options: Partial<UpstashOptions> = {}) {
  const server = await startUpstash({ redis: redis.url, ...options });
  onTestFinished(() => server.close());
  const send = (path: string, { method, headers, body, token = server.token }: Sent = {}): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: body as BodyInit }), // bytes and strings are
    });
  /** Status and JSON. */
  const ask = async (path: string, sent?: Sent): Promise<[number, unknown]> => {
    const response = await send(path, sent);
    return [response.status, await response.json()];
  };
  /** A command in the body: status and JSON. */
  const run = (command: readonly unknown[], sent: Sent = {}): Promise<[number, unknown]> =>
    ask("/", { ...sent, body: JSON.stringify(command) });
  return { server, prefix: ownPrefix(redis.url), send, ask, run };
}

/** The next events of a stream, until there are `count`; the reader stays open. */
export function events(response: Response): (count: number) => Promise<string[]> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader(); // an event stream has a body
  onTestFinished(() => reader.cancel().catch(() => undefined)); // the server may have cut it already
  let text = "";
  return async (count) => {
    while (text.split("\n\n").length <= count) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`);
      text += value;
    }
    const found = text.split("\n\n");
    text = found.slice(count).join("\n\n");
    return found.slice(0, count);
  };
}
