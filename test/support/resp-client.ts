// A Redis connection for tests: pipelined, binary, without reconnecting, so that a test sees each loss.
import { connect } from "node:net";
import { encodeCommand, respReader, textOf } from "./resp.ts";
import type { Command, Reply } from "./resp.ts";

export interface RespClient {
  /** Sends a command; what Redis answers, an error included, resolves. Rejects if the connection is lost. */
  send(command: Command): Promise<Reply>;
  /** Sends commands in one piece, so that no other command of this connection comes between them. */
  sendAll(commands: readonly Command[]): Promise<Reply[]>;
  /** Sends a command that makes Redis push, such as SUBSCRIBE; from now on all that comes goes to the listener. */
  listen(command: Command, listener: (reply: Reply) => void): void;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly isOpen: boolean;
  /** Ends the connection at once. */
  close(): void;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Connects to `redis://[user:password@]host:port[/database]`; rejects if nobody is there or the password is wrong. */
export async function connectRedis(url: string): Promise<RespClient> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 6379), noDelay: true });
  const waiting: Waiting[] = [];
  const read = respReader();
  let listener: ((reply: Reply) => void) | undefined;
  let lost = new Error(`the connection to ${hostname}:${port} was closed`);
  socket.on("error", (error) => (lost = error));
  socket.on("data", (piece) => {
    try {
      for (const reply of read(piece)) (listener ?? waiting.shift()?.resolve)?.(reply);
    } catch (error) {
      socket.destroy(error as Error); // respReader throws nothing but errors
    }
  });
  const ended = new Promise<void>((resolve) =>
    socket.on("close", () => {
      for (const { reject } of waiting.splice(0)) reject(lost);
      resolve();
    }),
  );
  const sendAll = (commands: readonly Command[]): Promise<Reply[]> => {
    if (socket.destroyed) return Promise.reject(lost);
    const replies = commands.map(() => new Promise<Reply>((resolve, reject) => waiting.push({ resolve, reject })));
    socket.write(Buffer.concat(commands.map(encodeCommand)));
    return Promise.all(replies);
  };
  const client: RespClient = {
    send: async (command) => (await sendAll([command]))[0]!, // one command, one reply
    sendAll,
    listen(command, given) {
      listener = given;
      socket.write(encodeCommand(command));
    },
    ended,
    get isOpen() {
      return !socket.destroyed;
    },
    close: () => socket.destroy(),
  };

  const greetings: Command[] = [];
  if (password !== "") greetings.push(["AUTH", ...(username === "" ? [] : [username]), decodeURIComponent(password)]);
  if (pathname.length > 1) greetings.push(["SELECT", pathname.slice(1)]);
  const replies = await sendAll([...greetings, ["PING"]]);
  const refusal = replies.slice(0, greetings.length).find(({ type }) => type === "error");
  if (refusal !== undefined) {
    client.close();
    throw new Error(`${url} refused: ${textOf(refusal)}`);
  }
  return client;
}
