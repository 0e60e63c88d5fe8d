// Which commands the REST API takes, and which of them a read-only token may use.
import { textOf } from "../resp.ts";
import type { Command, Reply } from "../resp.ts";

/**
 * What has no meaning over requests that share a connection, or is not to be had at Upstash. Some take it as
 * subcommands' names: they are refused as a whole.
 */
const refused = new Set(
  [
    ["AUTH", "CLIENT", "HELLO", "QUIT", "RESET", "SELECT"],
    ["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
    ["MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
    ["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT"],
    ["ASKING", "CLUSTER", "FAILOVER", "MIGRATE", "MOVE", "PSYNC", "READONLY", "READWRITE", "REPLCONF", "REPLICAOF"],
    ["BGREWRITEAOF", "BGSAVE", "CONFIG", "DEBUG", "MODULE", "SAVE", "SHUTDOWN", "SLAVEOF", "SLOWLOG", "SYNC"],
  ].flat(),
);

/** A command's name in upper case, as it is counted. */
export function nameOf(command: Command): string {
  return Buffer.from(command[0] as Uint8Array) // or a string: both have an overload
    .toString()
    .toUpperCase();
}

const blocks = (command: Command): boolean =>
  ["XREAD", "XREADGROUP"].includes(nameOf(command)) &&
  command.some((argument) => argument.toString().toUpperCase() === "BLOCK");

/** The error for a command that is not available, or undefined. */
export function refusal(command: Command): string | undefined {
  const name = nameOf(command);
  return refused.has(name) || blocks(command) ? `ERR Command is not available: '${name}'` : undefined;
}

/** Commands that only read, but that a read-only token may not use. */
const powerful = ["KEYS", "SCAN"];

/** The error for a command that a read-only token may not use. `info` is what COMMAND INFO says of it. */
export function readOnlyRefusal(command: Command, info: Reply): string | undefined {
  const name = nameOf(command);
  const [about] = info.type === "array" ? (info.items ?? []) : [];
  const flags = about?.type === "array" ? about.items?.[2] : undefined;
  const onlyReads = flags?.type === "array" && flags.items?.some((flag) => textOf(flag) === "readonly");
  if ((onlyReads && !powerful.includes(name)) || ["PING", "ECHO"].includes(name)) return undefined;
  return `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command or its subcommand`;
}
