// Nodes of a Redis Cluster, and slots that move between them as an operator moves them.
import { expect } from "vitest";
import type { RedisServer } from "../../support/redis.ts";
import { textOf } from "../../support/resp.ts";
import type { Reply } from "../../support/resp.ts";
import { clientOf, ownRedis } from "./harness.ts";

const SLOTS = 16_384;
const LONG = { timeout: 20_000, interval: 50 };

/** A node of a cluster, and what a test says to it. */
export interface Node {
  readonly server: RedisServer;
  readonly port: number;
  readonly id: string;
  say(...command: string[]): Promise<unknown>;
}

async function startNode(index: number, count: number): Promise<Node> {
  const server = await ownRedis({ "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1" });
  const client = clientOf(server.url);
  const say = (name = "", ...rest: string[]): Promise<unknown> => client.call(name, ...rest);
  const from = Math.ceil((index * SLOTS) / count);
  const to = Math.ceil(((index + 1) * SLOTS) / count);
  await say("CLUSTER", "ADDSLOTS", ...Array.from({ length: to - from }, (_, slot) => String(from + slot)));
  await say("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
  return { server, port: server.port, id: String(await say("CLUSTER", "MYID")), say };
}

/** Nodes that know of each other, each with its part of the slots. */
export async function cluster(count: number): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for (let index = 0; index < count; index++) nodes.push(await startNode(index, count));
  for (const { port } of nodes.slice(1)) await nodes[0]!.say("CLUSTER", "MEET", "127.0.0.1", String(port));
  for (const { say } of nodes) {
    const state = async (): Promise<string> => String(await say("CLUSTER", "INFO"));
    await expect.poll(state, LONG).toMatch(new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${count}\\b`));
  }
  return nodes;
}

/** A slot of a node that holds something. */
export async function slotOf({ say }: Node): Promise<string> {
  const [, keys] = (await say("SCAN", "0", "COUNT", "1000")) as [string, string[]]; // as SCAN answers
  return String(await say("CLUSTER", "KEYSLOT", keys[0] ?? ""));
}

/** Moves a slot with its keys; `told` then know where it is. `mark`: whether the two are told before. */
export async function migrate(from: Node, to: Node, slot: string, told: readonly Node[], mark = true): Promise<void> {
  if (mark) {
    await to.say("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
    await from.say("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
  }
  // Who uses it meanwhile may make new ones.
  for (let moved = 0; ; moved++) {
    const keys = (await from.say("CLUSTER", "GETKEYSINSLOT", slot, "1000")) as string[]; // as Redis answers
    if (keys.length === 0 && moved > 0) break;
    expect(keys.length).toBeGreaterThan(0);
    await from.say("MIGRATE", "127.0.0.1", String(to.port), "", "0", "5000", "REPLACE", "KEYS", ...keys);
  }
  for (const { say } of told.length > 0 ? [to, ...told] : []) await say("CLUSTER", "SETSLOT", slot, "NODE", to.id);
}

/** The channels that a server's clients listen to. */
export async function channelsOf(server: RedisServer, pattern = "isocache:*"): Promise<readonly string[]> {
  const reply: Reply = await server.command("PUBSUB", "CHANNELS", pattern);
  return (reply.type === "array" ? (reply.items ?? []) : []).map((item) => textOf(item) ?? "").sort();
}
