// Redis over HTTP, as Upstash serves it: a transport of nothing but `fetch`.
import { OptionError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";
import { listenToStream } from "./event-stream.ts";
import { pause } from "./pause.ts";
import { toPath, toPlain } from "./plain.ts";
import type { Command } from "./plain.ts";
import { malformed, parseReplies } from "./resp.ts";
import type { Outcome } from "./resp.ts";
import type { RedisReply, RedisTransport } from "./transport.ts";

/** Where the server is, and what lets one in. */
export interface RestSettings {
  readonly url: string;
  readonly token: string;
}

interface Call {
  readonly command: Command;
  readonly signal: AbortSignal | undefined;
  settle(outcome: Outcome): void;
}

/** A request is sent so often at most, with pauses from here on. */
const TRIES = 4;
const AGAIN_MS = 40;
/** Whoever is asked to wait for longer fails at once. */
const MAX_PAUSE_MS = 10_000;
/** Commands in one pipeline; and a command of this size, in characters and bytes, travels by itself. */
const MAX_PIPELINE = 100;
const LARGE = 4_096;

/** Of a JSON reply in base64. */
function decodeJson(value: unknown): RedisReply {
  if (typeof value === "string") return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  return Array.isArray(value) ? value.map(decodeJson) : (value as number | null); // all that JSON of Redis has
}

function outcomeOfJson(answer: unknown): Outcome {
  const { result, error } = Object(answer) as { result?: unknown; error?: unknown };
  if (error === undefined && result === undefined) throw malformed();
  return error === undefined ? decodeJson(result) : new Error(String(error));
}

/**
 * `settings` is asked until it gives some. Commands of one tick share a request. One alone that brings a single value sends
 * it as the body, as it is; else commands are written as JSON. Answers come as RESP2, or as base64 from who has no other.
 *
 * **Trying again.** A request that may have been done is repeated: a lease is known by its token and a write by its nonce, and
 * a repeat of either gets the answer of the first. A commit that was done is refused the second time, as one whose answer
 * was lost: the value is in the store, and not in this memory. All else changes nothing. The signals of its callers end it.
 */
export function restTransport(settings: () => RestSettings, platform: Platform): RedisTransport {
  const { monotonic, random } = platform;
  let queue: Call[] = [];
  let isBinary = true;
  let takesBodies = true;
  let syncToken = "";
  let notBeforeMs = 0;
  let cache: RequestInit | undefined;

  /** Some frameworks keep answers of `fetch` unless told not to, and some runtimes do not know how to be told. */
  const noStore = (url: string): RequestInit => {
    if (cache === undefined) {
      try {
        new Request(url, { cache: "no-store" });
        cache = { cache: "no-store" };
      } catch {
        cache = {};
      }
    }
    return cache;
  };

  const request = (path: string, init: RequestInit): Promise<Response> => {
    const { url, token } = settings();
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return fetch(url.replace(/\/+$/, "") + path, { ...noStore(url), ...init, headers });
  };

  /** One exchange, or how it is to be done instead. Rejects if it is worth another try. */
  const exchange = async (
    commands: readonly Command[],
    signal: AbortSignal,
    asBody: boolean,
  ): Promise<Outcome[] | "as JSON" | "as base64"> => {
    const [command = []] = commands;
    const path = commands.length === 1 && asBody ? toPath(command) : undefined;
    const plain = path ? undefined : commands.map(toPlain);
    const asBinary = isBinary;
    const response = await request(path ?? (commands.length === 1 ? "/" : "/pipeline"), {
      method: "POST",
      headers: {
        ...(plain && { "content-type": "application/json" }),
        ...(asBinary ? { "upstash-response-format": "resp2" } : { "upstash-encoding": "base64" }),
        ...(syncToken && { "upstash-sync-token": syncToken }),
      },
      body: plain ? JSON.stringify(commands.length === 1 ? plain[0] : plain) : (command.at(-1) as BodyInit), // bytes are
      signal,
    });
    const { status, headers, ok } = response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    syncToken = headers.get("upstash-sync-token") || syncToken;
    if (status === 429 || status > 499) {
      const after = headers.get("retry-after");
      const afterMs = after ? Number(after) * 1_000 || Date.parse(after) - platform.now() : 0;
      if (afterMs > 0) notBeforeMs = monotonic() + afterMs;
      throw new Error(`The server answered ${status}`);
    }
    let outcomes: Outcome[];
    if (/octet-stream/.test(headers.get("content-type") ?? "")) {
      outcomes = parseReplies(bytes);
    } else {
      const text = new TextDecoder().decode(bytes);
      if (asBinary && (ok || text.includes("Response-Format"))) {
        isBinary = false;
        return "as base64";
      }
      const answer = JSON.parse(text) as unknown;
      outcomes = (Array.isArray(answer) ? answer : [answer]).map(outcomeOfJson);
    }
    const [first] = outcomes;
    if (path && first instanceof Error && status === 400 && !first.message.includes("NOSCRIPT")) return "as JSON";
    // Nobody says whether the replies of a pipeline follow one another or are in a list.
    if (outcomes.length < commands.length && Array.isArray(first)) outcomes = first as Outcome[];
    // The same for all, such as a wrong token.
    if (!ok && first instanceof Error) return commands.map(() => first);
    if (outcomes.length !== commands.length) throw malformed();
    return outcomes;
  };

  /** All tries. Rejects with what the last one met. */
  const persist = async (commands: readonly Command[], signal: AbortSignal): Promise<Outcome[]> => {
    let asBody = takesBodies;
    for (let tries = 1; ; tries++) {
      const restMs = notBeforeMs - monotonic();
      if (restMs > MAX_PAUSE_MS) throw new Error(`The server wants no requests for ${Math.ceil(restMs / 1_000)} s`);
      if (restMs > 0) await pause(platform, restMs, signal);
      try {
        for (;;) {
          const outcomes = await exchange(commands, signal, asBody);
          if (typeof outcomes !== "string") {
            // What was refused as a body and not as JSON.
            if (!asBody && !(outcomes[0] instanceof Error)) takesBodies = false;
            return outcomes;
          }
          if (outcomes === "as JSON") asBody = false;
        }
      } catch (cause) {
        if (cause instanceof OptionError || signal.aborted || tries === TRIES) throw cause;
      }
      await pause(platform, AGAIN_MS * 2 ** tries * (0.5 + random() / 2), signal);
    }
  };

  /** Ends the request when none of its callers waits any more. */
  const run = async (calls: readonly Call[]): Promise<void> => {
    const left = new AbortController();
    let waiting = calls.length;
    const leave = calls.map(({ signal, settle }) => () => {
      settle(signal?.reason instanceof Error ? signal.reason : new Error("The call was aborted"));
      if (--waiting === 0) left.abort();
    });
    calls.forEach(({ signal }, index) => {
      signal?.addEventListener("abort", leave[index]!); // as many
      if (signal?.aborted) leave[index]!();
    });
    try {
      const commands = calls.map(({ command }) => command);
      const outcomes = await persist(commands, left.signal);
      calls.forEach(({ settle }, index) => settle(outcomes[index] ?? malformed()));
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      for (const { settle } of calls) settle(error);
    }
    calls.forEach(({ signal }, index) => signal?.removeEventListener("abort", leave[index]!)); // as many
  };

  /** What is sent until nothing is added any more goes together. No timer: on some runtimes it would belong to one request. */
  const gather = async (): Promise<void> => {
    for (let size = 0; size < queue.length; await Promise.resolve()) size = queue.length;
    const calls = queue;
    queue = [];
    const isLarge = ({ command }: Call): boolean => command.reduce((sum, { length }) => sum + length, 0) > LARGE;
    const small = calls.filter((call) => !isLarge(call));
    for (const call of calls.filter(isLarge)) void run([call]);
    for (let at = 0; at < small.length; at += MAX_PIPELINE) void run(small.slice(at, at + MAX_PIPELINE));
  };

  return {
    replies: "bytes",
    incarnation: false,
    send: (command, signal) =>
      new Promise((resolve, reject) => {
        const settle = (outcome: Outcome): void => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        queue.push({ command, signal, settle });
        if (queue.length === 1) void gather();
      }),
    subscribe(channel, events) {
      const open = (signal: AbortSignal): Promise<Response> =>
        request(`/subscribe/${encodeURIComponent(channel)}`, { headers: { accept: "text/event-stream" }, signal });
      return listenToStream(platform, async (signal) => open(signal), channel, events);
    },
  };
}
