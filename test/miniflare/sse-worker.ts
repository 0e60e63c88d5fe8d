// A Worker whose Durable Object is a hub ("/one" and "/quick" take a single subscriber, "/abort" ends the object), and which
// publishes to it ("/tell").
import { createCache } from "../../runtimes/cloudflare/entry.ts";
import { sseBus, sseHub } from "../../src/bus/sse.ts";

interface Env {
  readonly HUB: DurableObjectNamespace;
}

const TOKEN = "the-token-of-this-hub";

export class HubObject implements DurableObject {
  readonly #all = sseHub({ token: TOKEN });
  readonly #one = sseHub({ token: TOKEN, keepAlive: "1h", maxSubscribers: 1 });
  readonly #quick = sseHub({ token: TOKEN, keepAlive: "200ms", maxSubscribers: 1 });
  readonly #state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/abort") this.#state.abort("as a deployment does");
    return (pathname === "/one" ? this.#one : pathname === "/quick" ? this.#quick : this.#all).fetch(request);
  }
}

let bound: Env | undefined;
const stub = (env: Env): DurableObjectStub => env.HUB.get(env.HUB.idFromName("hub"));

// At module scope, where there is no I/O and no environment yet.
const bus = sseBus("https://hub.internal/", {
  token: TOKEN,
  async fetch(url, init) {
    if (bound === undefined) throw new Error("no request yet");
    return stub(bound).fetch(url, init);
  },
});
const cache = createCache({ name: "shop", bus });

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/tell") return stub(env).fetch(request);
    bound = env;
    await cache.delete(searchParams.get("key") ?? "");
    return new Response("told");
  },
};
