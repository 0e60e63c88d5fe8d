// Clients of Redis over TCP, told apart: one transport for each, whatever is made of it.
import { OptionError } from "../../errors.ts";
import { ioredisTransport } from "./ioredis.ts";
import type { IoredisClient } from "./ioredis.ts";
import { nodeRedisTransport } from "./node-redis.ts";
import type { NodeRedisClient, NodeRedisCluster } from "./node-redis.ts";
import { textClientTransport } from "./text-client.ts";
import type { TextClient } from "./text-client.ts";
import type { RedisTransport } from "./transport.ts";

/** A client or a cluster of ioredis or of node-redis (5 or later, connected by its owner), or Bun's `RedisClient`. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster | TextClient;

function transportOver(client: RedisClient): RedisTransport {
  const has = (method: string): boolean => typeof (Object(client) as Record<string, unknown>)[method] === "function";
  // Told apart by what each alone has; the types of the methods follow.
  if (has("callBuffer")) return ioredisTransport(client as IoredisClient);
  // Not a pool, which has no `duplicate`, nor one for Sentinel, which has `acquire`: they hide which connection is lost.
  if (has("sendCommand") && has("duplicate") && !has("acquire")) return nodeRedisTransport(client as NodeRedisClient);
  if (has("send") && has("duplicate")) return textClientTransport(client as TextClient);
  throw new OptionError("isocache/redis: client is no client or cluster of ioredis or node-redis, and no RedisClient");
}

/** One for each client, whatever number of stores is made of it: they share its listeners and the connection that listens. */
const transports = new WeakMap<RedisClient, RedisTransport>();

export function transportOf(client: RedisClient): RedisTransport {
  const transport = transports.get(client) ?? transportOver(client);
  transports.set(client, transport);
  return transport;
}
