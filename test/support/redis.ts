// A redis-server of one's own on a free port, to be configured, stalled, killed and restarted.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { connectRedis } from "./resp-client.ts";
import type { Command, Reply } from "./resp.ts";

/** Directives of redis.conf, such as `{ "maxmemory-policy": "noeviction", appendonly: "yes" }`. */
export type RedisConfig = Readonly<Record<string, string | number>>;

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** The process id while it runs. */
  readonly pid: number | undefined;
  /** Sends one command over a connection of its own. */
  command(...command: Command): Promise<Reply>;
  /** Ends it as an operator would: it saves if it is configured to. */
  stop(): Promise<void>;
  /** Ends it as a crash would: what is not on the disk is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; ends it as a crash would if it runs. `changes` are added to its configuration. */
  restart(changes?: RedisConfig): Promise<void>;
  /** Stops the process without ending it: connections stay and nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends it for good and removes its data. */
  close(): Promise<void>;
}

/** No snapshots and no log, unless a test asks for them; a replica is served at once. */
const defaults: RedisConfig = { save: "", appendonly: "no", "repl-diskless-sync-delay": 0 };

const START_MS = 20_000;
const PORT_TRIES = 10;

/** A cluster's own port is so much above the other. Newer servers take another one by a directive that 6.2 does not know. */
const CLUSTER_OFFSET = 10_000;

/** What is started: another version of Redis, or what speaks like it, may be named by `REDIS_SERVER`. */
export const redisProgram = process.env["REDIS_SERVER"] || "redis-server";

/** Whether it can be started. */
export function hasRedisServer(): boolean {
  return spawnSync(redisProgram, ["--version"], { stdio: "ignore" }).status === 0;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
process.on("exit", killAll);
// Vitest ends a hanging test's process so, which then never gets to its exit.
process.once("SIGTERM", () => {
  killAll();
  process.kill(process.pid, "SIGTERM");
});

/** Waits until it accepts commands. Resolves with undefined if the port is taken, and rejects if it ends otherwise. */
function launch(config: RedisConfig, folder: string, port: number): Promise<ChildProcess | undefined> {
  const directives = { ...defaults, ...config, port, bind: "127.0.0.1", dir: folder };
  const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, ...String(value).split(" ")]);
  const child = spawn(redisProgram, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`redis-server was not ready within ${START_MS} ms:\n${output}`));
    }, START_MS);
    const look = (piece: Buffer): void => {
      output += piece.toString();
      if (!/Ready to accept connections/.test(output)) return;
      clearTimeout(timer);
      child.stdout.off("data", look).resume();
      resolve(child);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", (piece: Buffer) => (output += piece.toString()));
    child.on("error", reject);
    child.on("close", () => {
      running.delete(child);
      clearTimeout(timer);
      if (/Address already in use/.test(output)) resolve(undefined);
      else reject(new Error(`redis-server ended before it was ready:\n${output}`));
    });
  });
}

async function launchSomewhere(config: RedisConfig, folder: string): Promise<{ child: ChildProcess; port: number }> {
  for (let tried = 0; tried < PORT_TRIES; tried++) {
    const port = await freePort();
    if (config["cluster-enabled"] === "yes" && port + CLUSTER_OFFSET > 65_535) continue;
    const child = await launch(config, folder, port);
    if (child !== undefined) return { child, port };
  }
  throw new Error(`each of ${PORT_TRIES} free ports was taken before redis-server got it`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill(signal);
  await closed;
}

/** Starts a redis-server; whoever starts it closes it. */
export async function startRedis(config: RedisConfig = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "isocache-redis-"));
  folders.add(folder);
  const removeFolder = (): void => {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
  let settings = config;
  const first = await launchSomewhere(settings, folder).catch((error: unknown) => {
    removeFolder();
    throw error;
  });
  const { port } = first;
  let { child } = first;
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    port,
    get pid() {
      return child.exitCode === null && child.signalCode === null ? child.pid : undefined;
    },
    async command(...command) {
      const client = await connectRedis(url);
      try {
        return await client.send(command);
      } finally {
        client.close();
      }
    },
    stop() {
      child.kill("SIGCONT"); // one that is paused would not hear of it
      return end(child, "SIGTERM");
    },
    kill: () => end(child, "SIGKILL"),
    async restart(changes = {}) {
      if (!folders.has(folder)) throw new Error("this redis-server was closed: start another");
      await end(child, "SIGKILL");
      settings = { ...settings, ...changes };
      const started = await launch(settings, folder, port);
      if (started === undefined) throw new Error(`port ${port} was taken while redis-server was down`);
      child = started;
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async close() {
      await end(child, "SIGKILL");
      removeFolder();
    },
  };
}
