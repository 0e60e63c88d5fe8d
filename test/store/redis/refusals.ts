// What makes a real Redis, or the client in front of it, refuse what a cache asks, and how it heals again.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import type { RedisConfig, RedisServer } from "../../support/redis.ts";
import { connectRedis } from "../../support/resp-client.ts";
import { textOf } from "../../support/resp.ts";
import { ownRedis } from "./harness.ts";
import { cluster, migrate, slotOf } from "./nodes.ts";

/** A refusal that has begun: `end` heals it. */
interface Begun {
  end(): Promise<void>;
}

/** A server, and what makes it refuse. */
export interface Refusing {
  readonly server: RedisServer;
  begin(): Promise<Begun>;
}

export interface Refusal {
  readonly title: string;
  /** What it says of an invalidation. */
  readonly says: RegExp;
  /** Options of the clients. */
  readonly client?: object;
  start(): Promise<Refusing>;
}

const LONG = { timeout: 20_000 };

/** A server that is set in one way to refuse, and in another to heal, over a connection that outlives both. */
async function told(begin: readonly string[][], end: readonly string[][], config?: RedisConfig): Promise<Refusing> {
  const server = await ownRedis(config);
  const operator = await connectRedis(server.url);
  onTestFinished(() => operator.close());
  const say = async (commands: readonly string[][]): Promise<void> => {
    for (const command of commands) expect((await operator.send(command)).type).not.toBe("error");
  };
  return {
    server,
    async begin() {
      await say(begin);
      return { end: () => say(end) };
    },
  };
}

const KILL = ["CLIENT", "KILL", "TYPE", "normal"];

export const refusals: readonly Refusal[] = [
  {
    title: "a primary that was made a replica",
    says: /READONLY/,
    async start() {
      const server = await ownRedis();
      const other = await ownRedis({ replicaof: `127.0.0.1 ${server.port}` });
      return {
        server,
        async begin() {
          await server.command("WAIT", "1", "10000");
          await other.command("REPLICAOF", "NO", "ONE");
          await server.command("REPLICAOF", "127.0.0.1", String(other.port));
          return { end: async () => void (await server.command("REPLICAOF", "NO", "ONE")) };
        },
      };
    },
  },
  {
    title: "a server that loads its data after a restart",
    says: /LOADING/,
    client: { enableReadyCheck: false },
    async start() {
      const slow = { "key-load-delay": 5_000, rdbcompression: "no" }; // it answers after every two megabytes
      const server = await ownRedis(slow);
      return {
        server,
        async begin() {
          await server.command(
            "EVAL",
            "for i = 1, 200 do redis.call('SET', 'filler'..i, string.rep('x', 100000)) end",
            "0",
          );
          await server.command("SAVE");
          const restarted = server.restart();
          const isLoading = async (): Promise<string> => textOf(await server.command("GET", "x")) ?? "";
          await expect.poll(() => isLoading().catch(String), LONG).toContain("LOADING");
          return {
            async end() {
              expect(await isLoading()).toContain("LOADING"); // it did all the time
              await restarted;
            },
          };
        },
      };
    },
  },
  {
    title: "a slot that has moved, and a client that knows of no cluster",
    says: /MOVED/,
    async start() {
      const [first, second] = await cluster(2);
      return {
        server: first!.server,
        async begin() {
          const slot = await slotOf(first!);
          await migrate(first!, second!, slot, [first!, second!]);
          return { end: () => migrate(second!, first!, slot, [first!, second!]) };
        },
      };
    },
  },
  {
    title: "a slot that is on its way, and a client that knows of no cluster",
    says: /ASK|TRYAGAIN/,
    async start() {
      const [first, second] = await cluster(2);
      return {
        server: first!.server,
        async begin() {
          const slot = await slotOf(first!);
          await migrate(first!, second!, slot, []);
          return {
            async end() {
              await first!.say("CLUSTER", "SETSLOT", slot, "STABLE");
              await migrate(second!, first!, slot, [], false);
              await second!.say("CLUSTER", "SETSLOT", slot, "STABLE");
            },
          };
        },
      };
    },
  },
  {
    title: "somebody's script that does not end",
    says: /BUSY/,
    async start() {
      const server = await ownRedis({ "lua-time-limit": 20 });
      const operator = await connectRedis(server.url);
      onTestFinished(() => operator.close());
      return {
        server,
        async begin() {
          const endless = operator.send(["EVAL", "while true do end", "0"]);
          await expect.poll(async () => textOf(await server.command("GET", "x")) ?? "", LONG).toContain("BUSY");
          return {
            async end() {
              await server.command("SCRIPT", "KILL");
              await endless;
            },
          };
        },
      };
    },
  },
  {
    title: "a password that the clients do not have",
    says: /NOAUTH|no answer within/, // where its connection was lost first, the client waits for another one
    client: { enableReadyCheck: false },
    start: () => told([["CONFIG", "SET", "requirepass", "hunter-two"], KILL], [["CONFIG", "SET", "requirepass", ""]]),
  },
  {
    title: "a user who may no longer run scripts",
    says: /NOPERM/,
    start: () => told([["ACL", "SETUSER", "default", "-evalsha", "-eval"]], [["ACL", "SETUSER", "default", "+@all"]]),
  },
  {
    title: "a primary that has lost its replicas",
    says: /NOREPLICAS/,
    start: () =>
      told([["CONFIG", "SET", "min-replicas-to-write", "1"]], [["CONFIG", "SET", "min-replicas-to-write", "0"]]),
  },
  {
    title: "a client that gives up by itself",
    says: /max retries per request/,
    client: { maxRetriesPerRequest: 1 },
    async start() {
      const server = await ownRedis();
      return {
        server,
        async begin() {
          await server.kill();
          await sleep(0);
          return { end: () => server.restart() };
        },
      };
    },
  },
];
