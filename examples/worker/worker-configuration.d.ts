// The bindings of wrangler.toml, as `wrangler types` would write them.
declare namespace Cloudflare {
  interface Env {
    CACHE: DurableObjectNamespace;
    ORIGIN: string;
  }
}
