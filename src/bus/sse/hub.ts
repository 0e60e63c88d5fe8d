// sseHub: a fetch handler that takes frames by POST and fans them out as server-sent events.
import { MAX_FRAME_BYTES } from "../frame.ts";
import { createGuard } from "./bearer.ts";
import { readBody } from "./body.ts";
import { createChannel, type Channel } from "./channel.ts";
import { resolveHub, type SseHubOptions } from "./hub-options.ts";
import { BYTES, EVENT_STREAM, isWord, MAX_CHANNEL_LENGTH, RESET, RESUMED, toBase64 } from "./protocol.ts";

/** A hub. Both methods work detached. */
export interface SseHub {
  /**
   * Answers a request, whatever its path: GET opens a stream of the channel that the query names, POST publishes to it. Never
   * rejects; what is wrong with a request is told by the status and a short text.
   */
  fetch(request: Request): Promise<Response>;
  /** Ends all streams; requests are answered with 503 from now on. Idempotent. */
  close(): Promise<void>;
}

/** A request's body comes within this time. */
const BODY_MS = 10_000;

const encoder = new TextEncoder();
const event = (id: string, fields: string): Uint8Array => encoder.encode(`id: ${id}\n${fields}\n\n`);

function refusal(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  const common = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response(`${text}\n`, { status, headers: { ...common, ...headers } });
}

const accepts = (header: string | null): boolean =>
  header === null || /text\/event-stream|text\/\*|\*\/\*/i.test(header);

/**
 * Makes the hub of `sseBus`: one for all instances, in a server process of Node, Bun or Deno, or in a Durable Object. It
 * keeps the last events of each channel in memory, from which clients resume. Does no I/O and sets no timer; there are timers
 * only while there are subscribers. Throws an OptionError that names a wrong option.
 */
export function sseHub(options: SseHubOptions = {}): SseHub {
  const { platform, keepAliveMs, maxEvents, maxBytes, maxChannels, maxSubscribers, ...rest } = resolveHub(options);
  const isAllowed = createGuard([rest.token, rest.previousToken]);
  /** In the order in which they were used. */
  const channels = new Map<string, Channel>();
  const stops = new Set<() => void>();
  let incarnation = "";
  /** No event of any channel has a larger number. */
  let newest = 0;
  let subscribers = 0;
  let timer: unknown;
  let isClosed = false;

  const idOf = (number: number): string => {
    incarnation ||= Math.floor(platform.random() * 2 ** 52).toString(36);
    return `${incarnation}-${number}`;
  };

  const tick = (): void => {
    timer = undefined;
    if (subscribers === 0) return;
    timer = platform.setTimeout(tick, keepAliveMs);
    for (const channel of channels.values()) channel.keepAlive();
  };

  const ended = (): void => {
    if (--subscribers > 0) return;
    platform.clearTimeout(timer);
    timer = undefined;
  };

  const use = (name: string, channel: Channel): Channel => {
    channels.delete(name);
    channels.set(name, channel);
    return channel;
  };

  /** Nothing if there is no room. Whoever knows the number of an event of a channel that had to go cannot resume. */
  const channelOf = (name: string): Channel | undefined => {
    const known = channels.get(name);
    if (known) return use(name, known);
    if (channels.size >= maxChannels) {
      const [unused] = [...channels].find(([, { streams }]) => streams === 0) ?? [];
      if (unused === undefined) return undefined;
      channels.delete(unused);
    }
    return use(name, createChannel(maxEvents, maxBytes, newest));
  };

  const subscribe = (name: string, { headers }: Request): Response => {
    if (!accepts(headers.get("accept"))) return refusal(406, `This is ${EVENT_STREAM}`);
    const channel = subscribers < maxSubscribers ? channelOf(name) : undefined;
    if (!channel) return refusal(503, "There are too many subscribers or channels");
    const [, digits = ""] = /-(\d{1,15})$/.exec(headers.get("last-event-id") ?? "") ?? [];
    const isKnown = headers.get("last-event-id") === idOf(Number(digits)) && channel.reaches(Number(digits));
    const from = isKnown ? Number(digits) : channel.newest;
    subscribers++;
    timer ??= platform.setTimeout(tick, keepAliveMs);
    const first = event(idOf(from), `event: ${isKnown ? RESUMED : RESET}\ndata: ${keepAliveMs}`);
    return new Response(channel.open(first, from, ended), {
      headers: {
        "content-type": EVENT_STREAM,
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
  };

  const publish = async (name: string, request: Request): Promise<Response> => {
    const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== BYTES) return refusal(415, `A frame is ${BYTES}`);
    const body = await readBody(request, MAX_FRAME_BYTES, BODY_MS, platform, stops);
    if (isClosed) return refusal(503, "The hub was closed");
    if (body === "late") return refusal(408, "The frame did not come in time");
    if (body === "large") return refusal(413, `A frame has at most ${MAX_FRAME_BYTES} bytes`);
    if (body.length === 0) return refusal(400, "The frame is missing");
    const channel = channels.get(name);
    // Nobody listens; but somebody who did may come back, and must not be told that there was nothing.
    const number = (channel?.newest ?? newest) + 1;
    newest = Math.max(newest, number);
    if (channel) use(name, channel).add(event(idOf(number), `data: ${toBase64(body)}`));
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  };

  return {
    async fetch(request) {
      const { method, url, headers } = request;
      if (isClosed) return refusal(503, "The hub was closed");
      if (!isAllowed(headers.get("authorization"))) {
        return refusal(401, "The token is missing or wrong", { "www-authenticate": "Bearer" });
      }
      if (method !== "GET" && method !== "POST") return refusal(405, "GET or POST", { allow: "GET, POST" });
      const name = new URL(url).searchParams.get("channel");
      if (!isWord(name) || name.length > MAX_CHANNEL_LENGTH) {
        return refusal(
          400,
          `The query names a channel, of at most ${MAX_CHANNEL_LENGTH} printable characters of ASCII`,
        );
      }
      if (method === "GET") return subscribe(name, request);
      try {
        return await publish(name, request);
      } catch {
        return refusal(400, "The frame did not come"); // whoever sent it is gone
      }
    },
    async close() {
      isClosed = true;
      for (const stop of stops) stop();
      for (const channel of channels.values()) channel.close();
      channels.clear();
    },
  };
}
