// What an HTTP request asks for: one command, a pipeline, a transaction or a subscription; or why it is refused.
import type { Command } from "../resp.ts";

/** How the answer is to be written. */
export type Format = "json" | "base64" | "resp2";

export interface Received {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type Asked =
  | { readonly kind: "command"; readonly command: Command; readonly format: Format }
  | { readonly kind: "pipeline"; readonly commands: readonly Command[]; readonly format: Format }
  | { readonly kind: "transaction"; readonly commands: readonly Command[]; readonly format: Format }
  | { readonly kind: "subscription"; readonly command: Command }
  | { readonly kind: "refused"; readonly status: number; readonly error: string };

const refused = (error: string, status = 400): Asked => ({ kind: "refused", status, error });

/** Percent-encoded bytes, which need not be UTF-8. */
function decodePercent(text: string): Buffer {
  const latin1 = Buffer.from(text)
    .toString("latin1")
    .replace(/%([0-9a-f]{2})/gi, (_: string, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}

const decodeQuery = (text: string): Buffer => decodePercent(text.replaceAll("+", " "));

/** The arguments of a query: `?EX=100&NX` is three. */
function queryArguments(query: string): Buffer[] {
  return query
    .split("&")
    .filter((part) => part !== "" && !/^_token(=|$)/.test(part))
    .flatMap((part) => {
      const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part)!; // it matches anything
      return value === "" ? [decodeQuery(name)] : [decodeQuery(name), decodeQuery(value)];
    });
}

export function tokenOf({ target, headers }: Received): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(String(headers["authorization"] ?? ""))?.[1];
  return bearer ?? new URL(target, "http://localhost").searchParams.get("_token") ?? undefined;
}

function formatOf(headers: Received["headers"]): Format | string {
  const format = headers["upstash-response-format"] ?? "json";
  const isBase64 = headers["upstash-encoding"] === "base64";
  if (format !== "json" && format !== "resp2") return "ERR unsupported Upstash-Response-Format";
  if (format === "json") return isBase64 ? "base64" : "json";
  return isBase64 ? "ERR Upstash-Encoding is not allowed with Upstash-Response-Format resp2" : "resp2";
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // not JSON, and so no array either
  }
}

/** A command written as a JSON array of strings, numbers and booleans. */
function commandOf(value: unknown): Command | undefined {
  if (!Array.isArray(value)) return undefined;
  const isScalar = (each: unknown): boolean => ["string", "number", "boolean"].includes(typeof each);
  return value.every(isScalar) ? value.map(String) : undefined;
}

function readMany(kind: "pipeline" | "transaction", body: Buffer, format: Format): Asked {
  const value = parseJson(body);
  if (!Array.isArray(value)) return refused(`ERR failed to parse ${kind} request`);
  if (value.length === 0) return refused(`ERR empty ${kind} request`);
  const commands = value.map(commandOf);
  if (!commands.every((each) => each !== undefined)) return refused(`ERR failed to parse ${kind} command`);
  if (kind === "transaction" && commands.some(({ length }) => length === 0)) return refused("ERR empty command");
  return { kind, commands, format };
}

function readBody(body: Buffer, format: Format): Asked {
  const command = commandOf(parseJson(body));
  if (command === undefined) return refused("ERR failed to parse command");
  return command.length === 0 ? refused("ERR empty command") : { kind: "command", command, format };
}

/** Reads a request that was let in. */
export function readRequest({ method, target, headers, body }: Received): Asked {
  if (!["HEAD", "GET", "POST", "PUT"].includes(method)) return refused("ERR method not allowed", 405);
  const format = formatOf(headers);
  if (format !== "json" && format !== "base64" && format !== "resp2") return refused(format);
  const [, path = "", query = ""] = /^\/*([^?]*?)\/?(?:\?(.*))?$/s.exec(target)!; // it matches anything
  if (path === "") return readBody(body, format);
  if (path === "pipeline") return readMany("pipeline", body, format);
  if (path === "multi-exec") return readMany("transaction", body, format);
  const segments = path.split("/").map(decodePercent);
  const [name] = path.toLowerCase().split("/");
  if (name === "subscribe" || name === "psubscribe") {
    if (!String(headers["accept"]).includes("text/event-stream")) return refused(`ERR ${name} needs an event stream`);
    if (segments.length < 2) return refused(`ERR wrong number of arguments for '${name}' command`);
    return { kind: "subscription", command: segments };
  }
  const value = body.length === 0 || method === "GET" || method === "HEAD" ? [] : [body];
  return { kind: "command", command: [...segments, ...value, ...queryArguments(query)], format };
}
