// What edges.mjs binds beside what examples/worker needs.
declare namespace Cloudflare {
  interface Env {
    /** The name of this isolate. */
    readonly EDGE: string;
    readonly STORE_DELAY_MS: number;
  }
}
