// A command run as a user would: what it prints, its exit code, and whether everything it started has ended.
import { spawn } from "node:child_process";
import { delimiter } from "node:path";

export interface Command {
  /** What it printed so far, errors included. */
  output(): string;
  /** Resolves when what it printed matches; rejects if it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code; undefined if it was ended by a signal. */
  readonly code: Promise<number | undefined>;
  /** Whether the command and all it started have ended; waits for that if need be, but not for long. */
  hasEnded(): Promise<boolean>;
  /** Interrupts it as Ctrl-C does, and all it started; whatever is left after ten seconds is killed. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
/** The system may take a while to forget processes whose parent is gone. */
const END_MS = 10_000;

/** Starts a command in a process group of its own. */
export function startCommand(name: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Command {
  const child = spawn(name, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const code = new Promise<number | undefined>((resolve) => {
    child.on("error", (error) => {
      output += error.message;
      resolve(127);
    });
    child.on("close", (status) => resolve(status ?? undefined));
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  }

  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return child.pid !== undefined && process.kill(-child.pid, name);
    } catch {
      return false; // the group is empty
    }
  };

  return {
    output: () => output,
    printed(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match !== null) resolve(match);
        };
        child.stdout.on("data", look);
        look();
        void code.then((status) => reject(new Error(`${name} ended with ${status} before ${pattern}:\n${output}`)));
      });
    },
    code,
    async hasEnded() {
      await code;
      for (let waitedMs = 0; signal(0) && waitedMs < END_MS; waitedMs += 100) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return !signal(0);
    },
    async stop() {
      signal("SIGINT");
      const timer = setTimeout(() => signal("SIGKILL"), STOP_MS);
      await code;
      clearTimeout(timer);
      signal("SIGKILL");
    },
  };
}

/** The environment of somebody who has just cloned the repository: the machine's own Node, nothing that is installed here. */
export function newcomersEnv(): NodeJS.ProcessEnv {
  const { PATH = "" } = process.env;
  const folders = PATH.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { ...process.env, PATH: folders.join(delimiter) };
}
