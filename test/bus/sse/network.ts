// A hub and its clients in virtual time, with a network between them that a test cuts, and answers of its own instead.
import { sseBus, sseHub } from "../../../src/bus/sse.ts";
import type { SseBusOptions, SseFetch, SseHubOptions } from "../../../src/bus/sse.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { recorder } from "../harness.ts";

/** A request as the network saw it. */
export interface Seen {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly init: RequestInit;
}

export function network(hubOptions: SseHubOptions = {}) {
  const platform = virtualPlatform();
  const makeHub = () => sseHub({ platform, ...hubOptions });
  let hub = makeHub();
  const seen: Seen[] = [];
  const breaks = new Set<() => void>();
  const state = {
    isDown: false,
    /** What answers in the hub's place, if it is set. */
    answer: undefined as ((seen: Seen) => Promise<Response> | Response) | undefined,
  };

  /** The same answer, of which the stream can be broken. */
  const breakable = (response: Response): Response => {
    if (!response.body) return response;
    const reader = response.body.getReader();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        breaks.add(() => {
          controller.error(new TypeError("terminated"));
          void reader.cancel();
        });
      },
      async pull(controller) {
        const part = await reader.read();
        if (part.done) controller.close();
        else controller.enqueue(part.value);
      },
      cancel: () => reader.cancel(),
    });
    return new Response(body, response);
  };

  const fetch: SseFetch = async (url, init) => {
    const request = new Request(url, init);
    seen.push({ at: platform.monotonic(), method: request.method, url, headers: request.headers, init });
    if (state.isDown) throw new TypeError("fetch failed");
    if (state.answer) return state.answer(seen.at(-1)!);
    return breakable(await hub.fetch(request));
  };

  return {
    platform,
    seen,
    state,
    /** Those that were to open a stream. */
    attempts: () => seen.filter(({ method }) => method === "GET"),
    /** Breaks all streams. */
    cut() {
      for (const each of breaks) each();
      breaks.clear();
    },
    async restartHub() {
      await hub.close();
      hub = makeHub();
    },
    closeHub: () => hub.close(),
    /** A cache's use of a bus there, as what it was told. */
    async join(options: SseBusOptions = {}) {
      const port = recorder(platform);
      const bus = sseBus("http://hub.test/events?x=1", { fetch, heartbeat: "1h", ...options }).connect(port.port);
      bus.open();
      await platform.advance(0);
      const close = async (): Promise<void> => {
        port.close();
        await bus.close();
      };
      return { ...port, ...bus, close };
    },
  };
}

/** An answer that is a stream of these pieces, and goes on without end unless it is said to end. */
export function streamOf(pieces: readonly (string | Uint8Array)[], ends = false): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      if (ends) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

export const HELLO = "id: other-7\nevent: reset\ndata: 15000\n\n";
