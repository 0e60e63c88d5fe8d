// The Redis of a test file: the one that REDIS_URL names, or one of its own; or none, said in one closing line.
import { afterAll } from "vitest";
import { hasRedisServer, redisProgram, startRedis } from "../../support/redis.ts";
import type { RedisServer } from "../../support/redis.ts";

const given = process.env["REDIS_URL"];

/** Why the tests of Redis cannot run here; undefined if they can. */
export const whyNoRedis: string | undefined =
  given || hasRedisServer() ? undefined : `${redisProgram} cannot be started, and REDIS_URL is not set`;

if (whyNoRedis !== undefined) afterAll(() => console.log(`Redis is not tested: ${whyNoRedis}`));

/** The address of a Redis that others may use as well: keep to keys of your own. Started when first asked for. */
export function sharedRedis(): () => Promise<string> {
  let server: Promise<RedisServer> | undefined;
  afterAll(async () => (await server)?.close());
  return async () => given ?? (await (server ??= startRedis())).url;
}
