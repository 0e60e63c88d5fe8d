// Subscriptions over HTTP: what Redis pushes, as an event stream.
import type { ServerResponse } from "node:http";
import { connectRedis } from "../resp-client.ts";
import { textOf } from "../resp.ts";
import type { Command } from "../resp.ts";

/**
 * Answers with messages until either side ends. Each subscription has a Redis connection of its own. Rejects if Redis is
 * out of reach.
 */
export async function streamMessages(redisUrl: string, command: Command, response: ServerResponse): Promise<void> {
  const redis = await connectRedis(redisUrl);
  response.on("close", () => redis.close());
  if (response.destroyed) redis.close();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  redis.listen(command, (push) => {
    if (push.type !== "array" || push.items === null) return;
    response.write(`data: ${push.items.map(textOf).join(",")}\n\n`);
  });
  await redis.ended;
  response.destroy();
}
