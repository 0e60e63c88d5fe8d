// What wrangler.toml binds.
declare namespace Cloudflare {
  interface Env {
    readonly CACHE: DurableObjectNamespace;
    /** The address of the origin, or "" for the stand-in. */
    readonly ORIGIN: string;
  }
}
