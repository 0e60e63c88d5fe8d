// Starts Workers in real workerd: several isolates of one bundle over shared Durable Objects, raw sockets, eviction.
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

/** Every request, and the start itself, ends by then. */
const LIMIT_MS = 30_000;

/** What to start. */
export interface WorkerdOptions {
  /** The Worker's file, beside this one; it exports the Durable Object classes too. */
  readonly script: string;
  readonly compatibilityDate: string;
  /** None by default. */
  readonly compatibilityFlags?: readonly string[];
  /** Names of Workers: each is an isolate of its own, with its own globals. Default: "edge1" and "edge2". */
  readonly isolates?: readonly string[];
  /** Durable Object classes by the name of their binding. */
  readonly objects: Readonly<Record<string, string>>;
  /** Plain values of `env`. */
  readonly bindings?: Readonly<Record<string, string | number>>;
}

/** A request over a socket of its own. */
export interface RawRequest {
  /** Everything the Worker sent until the connection closed; what came until then if it was cut. */
  readonly text: Promise<string>;
  /** Disconnects as a client does that is gone: with a reset, which is what workerd notices. */
  cut(): void;
}

/** A running workerd. */
export interface Workerd {
  /** Where clients of its own reach the isolate. */
  url(isolate: string): URL;
  fetch(isolate: string, path: string, init?: RequestInit): Promise<Response>;
  raw(isolate: string, path: string): RawRequest;
  /** Throws the object of this name out of memory. Its storage stays. */
  evict(binding: string, name: string): Promise<void>;
  /** How requests ended that threw. Rejections that nobody handles are not among them: those only the isolate hears of. */
  readonly uncaught: readonly string[];
  stop(): Promise<void>;
}

/** The Worker that hosts the objects. */
const HOST = "objects";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles a Worker as wrangler would. */
export async function bundleWorker(script: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(script, import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*", "node:*"],
    tsconfig: `${root}tsconfig.workers.json`,
  });
  return outputFiles.map(({ text }) => text).join("");
}

/** Starts workerd. Call `stop` whatever happens. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const {
    script,
    compatibilityDate,
    compatibilityFlags = [],
    isolates = ["edge1", "edge2"],
    objects,
    bindings = {},
  } = options;
  const contents = await bundleWorker(script);
  const uncaught: string[] = [];
  const durableObjects = Object.fromEntries(
    Object.entries(objects).map(([binding, className]) => [binding, { className, scriptName: HOST, useSQLite: true }]),
  );
  const worker = (name: string) => ({
    name,
    modules: [{ type: "ESModule" as const, path: "worker.mjs", contents }],
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    durableObjects,
    bindings,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  });
  const workers = [...isolates, HOST].map(worker);
  // Its `handleUncaughtError` is not called for requests over direct sockets.
  const handleStructuredLogs = ({ message }: { readonly message: string }): void => {
    if (message.startsWith("Uncaught")) uncaught.push(message);
    else console.log(message);
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ port: 0, workers, handleStructuredLogs }));
  const urls = new Map<string, URL>();
  try {
    for (const name of isolates) urls.set(name, await miniflare.unsafeGetDirectURL(name));
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }

  const urlOf = (isolate: string, path: string): URL => {
    const base = urls.get(isolate);
    if (base === undefined) throw new Error(`no isolate is called ${isolate}`);
    return new URL(path, base);
  };

  return {
    uncaught,
    url: (isolate) => urlOf(isolate, "/"),
    fetch: (isolate, path, init) => fetch(urlOf(isolate, path), { signal: AbortSignal.timeout(LIMIT_MS), ...init }),
    raw(isolate, path) {
      const { hostname, port, pathname, search } = urlOf(isolate, path);
      const socket = connect(Number(port), hostname);
      let received = "";
      const text = new Promise<string>((resolve) => {
        socket.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
        socket.on("error", () => socket.destroy()).on("close", () => resolve(received));
        socket.setTimeout(LIMIT_MS, () => socket.destroy());
      });
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
      return { text, cut: () => void socket.resetAndDestroy() };
    },
    async evict(binding, name) {
      const className = objects[binding];
      if (className === undefined) throw new Error(`no binding is called ${binding}`);
      await miniflare.unsafeEvictDurableObject(HOST, className, { name });
    },
    stop: () => miniflare.dispose(),
  };
}
