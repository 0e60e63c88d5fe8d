// One request to a Redis over HTTP: commands there, what each came to back, in the shortest form that the server knows.
import type { Platform } from "../../platform.ts";
import { toPath, toPlain } from "./plain.ts";
import type { Command } from "./plain.ts";
import { malformed, parseReplies } from "./resp.ts";
import type { Outcome } from "./resp.ts";
import type { RedisReply } from "./transport.ts";

/** Sends a request; `path` begins with a slash. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

/** Of a JSON reply in base64. */
const decodeJson = (value: unknown): RedisReply =>
  typeof value === "string"
    ? Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
    : Array.isArray(value)
      ? value.map(decodeJson)
      : (value as number | null); // all that JSON of Redis has

interface JsonAnswer {
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * A single command that brings a single value sends it as the body, as it is; else commands are written as JSON. Answers come
 * as RESP2, or as base64 from a server that knows no other. Both are found out once. `onBusy` hears for how many
 * milliseconds the server wants no requests. The exchange rejects with what may pass; what will not is an outcome.
 */
export function createExchange(send: Send, { now }: Platform, onBusy: (restMs: number) => void) {
  let isBinary = true;
  let takesBodies = true;
  let syncToken = "";

  return async function exchange(
    commands: readonly Command[],
    signal: AbortSignal,
    asBody = takesBodies,
  ): Promise<Outcome[]> {
    const [command, another] = commands as readonly [Command, Command?]; // nobody sends nothing
    const asBinary = isBinary;
    const path = asBody && !another ? toPath(command) : undefined;
    const response = await send(path ?? (another ? "/pipeline" : "/"), {
      method: "POST",
      headers: {
        ...(!path && { "content-type": "application/json" }),
        ...(asBinary ? { "upstash-response-format": "resp2" } : { "upstash-encoding": "base64" }),
        ...(syncToken && { "upstash-sync-token": syncToken }),
      },
      // With a path they are bytes.
      body: path ? (command.at(-1) as BodyInit) : JSON.stringify(another ? commands.map(toPlain) : toPlain(command)),
      signal,
    });
    const { status, headers, ok } = response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Reads that follow see at least what this one saw.
    syncToken = headers.get("upstash-sync-token") || syncToken;
    if (status === 429 || status > 499) {
      const after = headers.get("retry-after");
      if (after) onBusy(Number(after) * 1_000 || Date.parse(after) - now());
      throw new Error(`The server answered ${status}`);
    }
    let outcomes: Outcome[];
    if (headers.get("content-type")?.includes("octet-stream")) {
      outcomes = parseReplies(bytes);
    } else {
      const text = new TextDecoder().decode(bytes);
      if (asBinary && (ok || text.includes("Response-Format"))) {
        isBinary = false;
        return exchange(commands, signal, asBody);
      }
      const answers = [JSON.parse(text) as JsonAnswer | JsonAnswer[]].flat();
      outcomes = answers.map(({ result, error }) => (error === undefined ? decodeJson(result) : new Error(error)));
    }
    const [first] = outcomes;
    // Nobody says whether the replies of a pipeline follow one another or are in a list.
    if (outcomes.length < commands.length && Array.isArray(first)) outcomes = first as Outcome[];
    if (!ok && first instanceof Error) {
      if (!path || status !== 400 || first.message.includes("NOSCRIPT")) return commands.map(() => first);
      // Refused for the way it came, if it is not refused as JSON.
      const again = await exchange(commands, signal, false);
      takesBodies = again[0] instanceof Error;
      return again;
    }
    if (outcomes.length !== commands.length) throw malformed();
    return outcomes;
  };
}
