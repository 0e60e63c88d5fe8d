// The Durable Object of the demo: the one of isocache, as far away as the option --store-delay says.
import { env } from "cloudflare:workers";
import { IsocacheObject } from "isocache/cloudflare";

export class DistantObject extends IsocacheObject {
  override async fetch(request: Request): Promise<Response> {
    if (env.STORE_DELAY_MS > 0) await scheduler.wait(env.STORE_DELAY_MS);
    return super.fetch(request);
  }
}

export default { fetch: () => new Response("the store is not served here\n", { status: 404 }) };
