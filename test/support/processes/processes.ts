// Real processes that share a store, as a test commands them.
import { fork } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { binary, root } from "../../tooling/install.mjs";

export interface Process {
  /** Has a task done; resolves with its result. */
  ask<T>(task: string, request?: object): Promise<T>;
  /** Resolves as soon as a loader of this process runs. */
  loading(): Promise<void>;
  /** The errors its cache reported so far. */
  readonly errors: string[];
  /** Ends it as nothing can be prepared for. */
  kill(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly failed?: string;
  readonly loading?: string;
  readonly error?: string;
}

/** Starts a process with a cache on a SQLite file or the Redis of an address; it is ready when this resolves, and killed when the test is over. */
export async function startProcess(place: string): Promise<Process> {
  const child = fork(join(root, "test/support/processes/process.mjs"), [place], {
    execPath: binary("node"),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const waiting = new Map<number, (message: Message) => void>();
  const errors: string[] = [];
  let last = 0;
  let tell = (): void => undefined;
  const loading = new Promise<void>((resolve) => (tell = resolve));
  child.on("message", (message: Message) => {
    if (message.loading !== undefined) tell();
    if (message.error !== undefined) errors.push(message.error);
    waiting.get(message.id ?? 0)?.(message);
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const ask = <T>(task: string, request: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, failed }) => {
        if (failed === undefined)
          resolve(result as T); // the task's own result
        else reject(new Error(failed));
      });
      void ended.then(() => reject(new Error("the process has ended")));
      child.send({ id, task, ...request });
    });
  await ask("ready");
  return { ask, loading: () => loading, errors, kill };
}
