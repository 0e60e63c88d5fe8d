// The demo's HTTP client: every request has an end, and knows when it began.
import { Agent, request } from "node:http";
import { connect } from "node:net";

/** An edge as the driver reaches it. */
export function createClient(name, url) {
  const agent = new Agent({ keepAlive: true });

  /**
   * Sends one request. Resolves with status, headers, body, and when it was sent and answered; rejects after `limitMs`.
   */
  const send = (path, { method = "GET", limitMs = 15_000 } = {}) =>
    new Promise((resolve, reject) => {
      const sentAt = performance.now();
      const outgoing = request(new URL(path, url), { method, agent }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk) => (body += chunk));
        response.on("error", fail).on("end", () => {
          clearTimeout(timer);
          const { statusCode: status, headers } = response;
          resolve({ status, headers, body, sentAt, tookMs: performance.now() - sentAt });
        });
      });
      const fail = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      const timer = setTimeout(() => outgoing.destroy(new Error(`${path}: no answer in ${limitMs} ms`)), limitMs);
      outgoing.on("error", fail).end();
    });

  return {
    name,
    url,
    send,
    /** Like `send`, and rejects for anything but 200. */
    async get(path, options) {
      const answer = await send(path, options);
      if (answer.status !== 200) throw new Error(`${name} ${path}: ${answer.status} ${answer.body.trim()}`);
      return answer;
    },
    /** Sends a GET and reads no answer. Returns how to disconnect, with a reset, as a client does that is gone. */
    begin(path) {
      const socket = connect(Number(url.port), url.hostname);
      socket.on("error", () => socket.destroy());
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
      return { disconnect: () => void socket.resetAndDestroy() };
    },
    close: () => agent.destroy(),
  };
}
