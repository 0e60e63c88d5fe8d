// Servers of Redis without Redis: its commands and the store's script in Lua, in one virtual machine.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Outcome } from "../../../src/store/redis/resp.ts";
import type { RedisReply } from "../../../src/store/redis/transport.ts";
import { loadLua } from "./lua.ts";

export type Command = readonly (string | Uint8Array)[];

/** Told what was published, when the command that did it is over. */
export type Published = (channel: string, message: string) => void;

/** One server: its keys, and the process in front of them. */
export interface RedisServer {
  /** What a command answers; throws an Error with the server's text if it refuses. */
  send(command: Command): RedisReply;
  /** Another process: it knows no scripts, and has another run_id. `promoted`: it was a replica. */
  restart(promoted: boolean): void;
  /** Whether what grows is refused. */
  setFull(isFull: boolean): void;
  /** Remembers all keys; the function brings them back. */
  snapshot(): () => void;
  /** Frees what it holds. */
  close(): void;
}

export interface RedisServerOptions {
  /** The wall clock. Redis has whole milliseconds. */
  now(): number;
  /** For names. */
  random(): number;
  readonly published: Published;
  /** Run instead of any script that is sent: what a mutant makes of the store's. */
  readonly script?: string | undefined;
}

const decoder = new TextDecoder();

/** A request as the machine reads it: no zero byte is in it. */
function pack(fields: Command): Uint8Array {
  const sizes = fields.map((field) => (typeof field === "string" ? Buffer.byteLength(field) : field.length));
  const packed = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size + String(size).length + 1, 0));
  let at = 0;
  fields.forEach((field, index) => {
    at += packed.write(`${sizes[index]}:`, at, "latin1");
    if (typeof field === "string") at += packed.write(field, at);
    else {
      packed.set(field, at);
      at += field.length;
    }
  });
  if (!packed.includes(0) && !packed.includes(1)) return packed;
  return Uint8Array.from([...packed].flatMap((byte) => (byte < 2 ? [1, byte + 1] : [byte])));
}

/** What the machine answers, in RESP2. */
function parse(bytes: Uint8Array): Outcome {
  let at = 0;
  const next = (): Outcome => {
    const end = bytes.indexOf(13, at);
    const kind = String.fromCharCode(bytes[at]!); // it answers something
    const line = decoder.decode(bytes.subarray(at + 1, end));
    at = end + 2;
    const size = Number(line);
    if (kind === "+") return line;
    if (kind === "-") return new Error(line);
    if (kind === ":") return size;
    if (size < 0) return null;
    if (kind === "*") return Array.from({ length: size }, () => next() as RedisReply);
    at += size + 2;
    return bytes.subarray(at - size - 2, at - 2);
  };
  return next();
}

/** A machine, and the scripts that were compiled in it. */
function createMachine() {
  const run = loadLua(readFileSync(new URL("commands.lua", import.meta.url), "utf8"));
  const compiled = new Map<string, string>();
  let servers = 0;
  const ask = (...fields: Command): Outcome => parse(run(pack(fields)));
  return {
    ask,
    number: () => String(++servers),
    /** The number of a script. Throws if it is none. */
    scriptOf(text: string): string {
      const known = compiled.get(text);
      if (known !== undefined) return known;
      const number = String(compiled.size);
      const done = ask("compile", number, text);
      if (done instanceof Error) throw done;
      compiled.set(text, number);
      return number;
    },
  };
}

let shared: ReturnType<typeof createMachine> | undefined;

const hashes = new Map<string, string>();
function hashOf(text: string): string {
  const hash = hashes.get(text) ?? createHash("sha1").update(text).digest("hex");
  hashes.set(text, hash);
  return hash;
}

/** A server without keys. */
export function createRedisServer({ now, random, published, script }: RedisServerOptions): RedisServer {
  const machine = (shared ??= createMachine());
  const { ask } = machine;
  const server = machine.number();
  const name = (): string => Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join("");
  let scripts = new Map<string, string>();
  let replication = name();
  let saved = 0;
  ask("begin", server, name(), replication);

  const answer = (outcome: Outcome): RedisReply => {
    if (outcome instanceof Error) throw outcome;
    const [reply, messages] = outcome as [Outcome, Uint8Array[]]; // as the machine gives it
    for (let at = 0; at < messages.length; at += 2) {
      published(decoder.decode(messages[at]), decoder.decode(messages[at + 1]));
    }
    if (reply instanceof Error) throw reply;
    return reply;
  };

  return {
    send(command) {
      const clock = String(Math.floor(now()));
      const [first = "", second = "", ...rest] = command;
      const given = String(second);
      if (first === "EVAL") scripts.set(hashOf(given), given);
      else if (first !== "EVALSHA") return answer(ask("command", server, clock, ...command));
      const text = first === "EVAL" ? given : scripts.get(given);
      if (text === undefined) throw new Error("NOSCRIPT No matching script. Please use EVAL.");
      return answer(ask("run", server, clock, machine.scriptOf(script ?? text), ...rest));
    },
    restart(promoted) {
      scripts = new Map();
      if (promoted) replication = name();
      ask("rename", server, name(), replication);
    },
    setFull: (isFull) => void ask("full", server, isFull ? "1" : "0"),
    snapshot() {
      const number = String(++saved);
      ask("save", server, number);
      return () => void ask("restore", server, number);
    },
    close: () => void ask("close", server),
  };
}
