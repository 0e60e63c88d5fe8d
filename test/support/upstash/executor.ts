// Runs what was asked for in Redis and counts the commands: those are what would be billed.
import { connectRedis } from "../resp-client.ts";
import type { RespClient } from "../resp-client.ts";
import { textOf } from "../resp.ts";
import type { Command, Reply } from "../resp.ts";
import { answerMany, answerOne, errorAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { nameOf, readOnlyRefusal, refusal } from "./commands.ts";
import { createLocking } from "./locking.ts";
import type { Asked } from "./request.ts";

export interface Executor {
  /** Rejects if Redis is out of reach. */
  run(asked: Exclude<Asked, { kind: "subscription" }>, isReadOnly: boolean): Promise<Answer>;
  count(command: Command): void;
  counts(): Readonly<Record<string, number>>;
  reset(): void;
  close(): void;
}

const errorReply = (error: string): Reply => ({ type: "error", bytes: Buffer.from(error) });

/** `hasKeyLocking`: takes scripts that lock their keys alone; without it Redis sees them as they are, and refuses them. */
export function createExecutor(redisUrl: string, hasKeyLocking: boolean): Executor {
  let connection: Promise<RespClient> | undefined;
  let counts = new Map<string, number>();
  const infos = new Map<string, Reply>();
  const locking = hasKeyLocking ? createLocking() : undefined;
  const sentFor = (command: Command): Command => locking?.command(command) ?? command;

  /** The one connection; a new one if it was lost. */
  const redis = (): Promise<RespClient> => {
    connection ??= connectRedis(redisUrl).then(
      (client) => {
        void client.ended.then(() => (connection = undefined));
        return client;
      },
      (error: unknown) => {
        connection = undefined;
        throw error;
      },
    );
    return connection;
  };

  const count = (command: Command): void => {
    const name = nameOf(command);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };

  const errorOf = async (command: Command, isReadOnly: boolean): Promise<string | undefined> => {
    if (command.length === 0) return "ERR empty pipeline command";
    const error = refusal(command);
    if (error !== undefined || !isReadOnly) return error;
    const name = nameOf(command);
    const info = infos.get(name) ?? (await (await redis()).send(["COMMAND", "INFO", name]));
    infos.set(name, info);
    return readOnlyRefusal(command, info);
  };

  const runAll = async (commands: readonly Command[], isReadOnly: boolean): Promise<Reply[]> => {
    const errors = await Promise.all(commands.map((command) => errorOf(command, isReadOnly)));
    const sent = commands.filter((_, index) => errors[index] === undefined);
    const client = await redis();
    sent.forEach(count);
    const replies = await client.sendAll(sent.map(sentFor));
    sent.forEach((command, index) => (replies[index] = locking?.reply(command, replies[index]!) ?? replies[index]!)); // one for each
    return errors.map((error) => (error === undefined ? replies.shift()! : errorReply(error))); // one for each sent
  };

  const runTransaction = async (commands: readonly Command[], isReadOnly: boolean): Promise<Answer> => {
    const errors = await Promise.all(commands.map((command) => errorOf(command, isReadOnly)));
    const error = errors.find((each) => each !== undefined);
    if (error !== undefined) return errorAnswer(error);
    const client = await redis();
    commands.forEach(count);
    const replies = await client.sendAll([["MULTI"], ...commands.map(sentFor), ["EXEC"]]);
    const outcome = replies.at(-1)!; // that of EXEC
    const isDone = outcome.type === "array" && outcome.items !== null;
    return isDone ? answerMany(outcome.items, "json") : errorAnswer(textOf(outcome) ?? "ERR transaction was discarded");
  };

  return {
    async run(asked, isReadOnly) {
      switch (asked.kind) {
        case "refused":
          return errorAnswer(asked.error, asked.status);
        case "command":
          return answerOne((await runAll([asked.command], isReadOnly))[0]!, asked.format); // one command, one reply
        case "pipeline":
          return answerMany(await runAll(asked.commands, isReadOnly), asked.format);
        case "transaction":
          return runTransaction(asked.commands, isReadOnly);
      }
    },
    count,
    counts: () => Object.fromEntries(counts),
    reset: () => (counts = new Map()),
    close: () => void connection?.then((client) => client.close()).catch(() => undefined),
  };
}
