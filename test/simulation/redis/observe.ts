// What a command of the store's script has done, told to the observer in the words of the store contract.
import type { BatchRequest, Stamp } from "../../../src/store/contract.ts";
import { decodeStep, textOf } from "../../../src/store/redis/replies.ts";
import type { RedisReply } from "../../../src/store/redis/transport.ts";
import type { Moment } from "../history.ts";
import type { Life, Request } from "../life.ts";
import type { Asked, NetworkOptions } from "../network.ts";
import type { Operation } from "../observer.ts";
import type { Command } from "./emulator.ts";

const NAMES = {
  r: "read",
  c: "commit",
  n: "renew",
  l: "release",
  w: "write",
  h: "changesSince",
  i: "info",
} as const;
type Letter = keyof typeof NAMES;

/** How many arguments each operation has after its letter. */
const ARGUMENTS: Readonly<Record<Letter, number>> = { r: 3, c: 9, n: 2, l: 2, w: 9, h: 3, i: 0 };

/** Before the operations: setting, witness, and what else concerns all of them. */
const HEAD = 3;

const argumentsOf = (command: Command): Command => command.slice(3 + Number(command[2]));

/** The letters of the operations that a command of the script asks for. */
export function stepsOf(command: Command): Letter[] {
  const args = argumentsOf(command);
  const letters: Letter[] = [];
  for (let at = HEAD; at < args.length; at += 1 + ARGUMENTS[letters.at(-1)!]) letters.push(args[at] as Letter); // the script's
  return letters;
}

export const showCommand = (command: Command): string => {
  const { length } = command;
  const parts = [String(command[0]), String(command[3]), ...command.slice(length - argumentsOf(command).length)];
  return parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : `${part.length} bytes`)).join(" ");
};

const lettersOf = (name: Operation, sent: object): string =>
  (name === "batch" ? (sent as BatchRequest).items.map(({ operation }) => operation) : [name])
    .map((operation) => (Object.keys(NAMES) as Letter[]).find((letter) => NAMES[letter] === operation))
    .join("");

/** A command that the server has done, for whoever asked; or, if they asked for something else, for the client itself. */
export function observe(
  { observer }: NetworkOptions,
  life: Life,
  {
    command,
    asked,
    request,
  }: { readonly command: Command; readonly asked: Asked | undefined; readonly request: Request | undefined },
  reply: RedisReply,
  at: Moment,
): void {
  const replies = reply as readonly RedisReply[]; // of the script
  if (["ask", "moved"].includes(textOf(replies[0]).split("\n")[0]!)) return;
  const letters = stepsOf(command);
  const decoded = replies.map((each, index) => decodeStep(NAMES[letters[index]!], each).reply); // at most as many
  const partition = Number(/:(\d+)\}:m$/.exec(String(command[3]))![1]); // the metadata's key
  const common = { partition, at, life, request };
  if (asked !== undefined && lettersOf(asked.name, asked.sent) === letters.join("")) {
    const { name, sent } = asked;
    if (name === "batch") observer.executed({ ...common, name, sent, reply: { replies: decoded } });
    else if (!("error" in decoded[0]!)) observer.executed({ ...common, name, sent, reply: decoded[0]! });
    return;
  }
  for (const stamp of decoded) {
    if (!("error" in stamp)) observer.executed({ ...common, name: "info", sent: {}, reply: stamp satisfies Stamp });
  }
}
