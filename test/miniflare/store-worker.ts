// A Worker that runs the real client of the Durable Object store for tests outside: over the wire, or case by case.
import { cloudflarePlatform } from "../../runtimes/cloudflare/platform.ts";
import { durableObjectStore, IsocacheObject } from "../../runtimes/cloudflare/index.ts";
import type { ObjectNamespace, ObjectState } from "../../runtimes/cloudflare/index.ts";
import type { CallOptions, StoreConnection } from "../../src/store/contract.ts";
import { decodeCall, encodeOutcome } from "../../src/store/wire.ts";
import type { ReplyOf } from "../../src/store/wire.ts";
import { storeConformance } from "../../src/testing/store-conformance.ts";

interface Env {
  readonly CACHE: DurableObjectNamespace;
  readonly QUICK: DurableObjectNamespace;
}

/** What an object was seen to do. */
interface Seen {
  rows: number;
  requests: number;
  /** How far ahead each alarm was set, in milliseconds. */
  readonly alarms: number[];
}

/** The state of an object, watched. `alarmMs`: how soon any alarm rings. */
function watched({ storage }: DurableObjectState, seen: Seen, alarmMs: number | undefined): ObjectState {
  return {
    storage: {
      sql: {
        exec: (query, ...bindings) => ({
          raw() {
            const cursor = storage.sql.exec(query, ...bindings);
            const rows = [...cursor.raw()];
            seen.rows += cursor.rowsWritten;
            return rows;
          },
        }),
      },
      transactionSync: (step) => storage.transactionSync(step),
      getAlarm: () => storage.getAlarm(),
      setAlarm(at) {
        seen.alarms.push(at - Date.now());
        return storage.setAlarm(alarmMs === undefined ? at : Date.now() + alarmMs);
      },
    },
  };
}

/** The shipped class, and beside it: what it wrote, a reset as a deployment does it, a loss of its number of shards. */
export class WatchedObject extends IsocacheObject {
  private readonly seen: Seen;
  private readonly state: DurableObjectState;

  constructor(state: DurableObjectState, env: unknown, alarmMs?: number) {
    const seen: Seen = { rows: 0, requests: 0, alarms: [] };
    super(watched(state, seen, alarmMs), env);
    this.seen = seen;
    this.state = state;
  }

  override async fetch(request: Request): Promise<Response> {
    const { storage } = this.state;
    switch (new URL(request.url).pathname) {
      case "/seen":
        return Response.json({ ...this.seen, alarm: await storage.getAlarm() });
      case "/lose":
        storage.sql.exec("DELETE FROM iso1_partitions");
        await storage.sync();
        this.state.abort("reset by the test");
        break;
      case "/reset":
        this.state.abort("reset by the test");
        break;
      default:
        this.seen.requests++;
    }
    return super.fetch(request);
  }
}

/** The same with alarms that ring at once. */
export class QuickObject extends WatchedObject {
  constructor(state: DurableObjectState, env: unknown) {
    super(state, env, 50);
  }
}

/** A connection of this isolate, and how many calls it made to objects. */
interface Line {
  readonly connection: StoreConnection;
  trips: number;
}

const lines = new Map<string, Line>();

/** The line for a cache name, a binding and a number of shards; it lives as long as the isolate. */
function lineOf(env: Env, params: URLSearchParams): Line {
  const id = params.toString();
  const known = lines.get(id);
  if (known !== undefined) return known;
  const objects = namespaceOf(env, params);
  const counted: ObjectNamespace = {
    idFromName: (name) => objects.idFromName(name),
    get: (object, options) => ({
      fetch(url, init) {
        line.trips++;
        return objects.get(object, options).fetch(url, init);
      },
    }),
  };
  const store = durableObjectStore(counted, { shards: Number(params.get("shards") ?? 1) });
  const line: Line = {
    connection: store.connect({ name: params.get("name") ?? "", platform: cloudflarePlatform() }),
    trips: 0,
  };
  lines.set(id, line);
  return line;
}

const namespaceOf = (env: Env, params: URLSearchParams): ObjectNamespace =>
  params.get("binding") === "QUICK" ? env.QUICK : env.CACHE;

/** Runs one call of the wire through the real client of this isolate. A held read is told by the client's own header. */
async function relay(request: Request, line: Line): Promise<Response> {
  const { operation, partition, request: asked } = decodeCall(new Uint8Array(await request.arrayBuffer()));
  let onHeld = (): void => undefined;
  const held = new Promise<undefined>((resolve) => (onHeld = () => resolve(undefined)));
  const ask = line.connection[operation] as (...args: unknown[]) => Promise<object>; // the wire paired them
  const call: CallOptions = { onHeld };
  const args = operation === "info" ? [partition, call] : [partition, asked, call];
  const before = line.trips;
  const reply = ask(...args).then(
    (answer) => encodeOutcome("moved" in answer ? { moved: line.connection.partitions } : { reply: answer as ReplyOf }),
    (error: unknown) => encodeOutcome({ error: String(error) }),
  );
  const first = await Promise.race([reply, held]);
  const headers = { trips: String(line.trips - before) };
  if (first !== undefined) return new Response(first, { headers });
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void reply.then((bytes) => writer.write(bytes)).then(() => writer.close());
  return new Response(readable, { headers: { ...headers, "isocache-held": "1" } });
}

/** Many reads of a key under somebody else's lease, held until the wait is over or, with `abort`, let go when all are held. */
async function hold({ connection }: Line, params: URLSearchParams): Promise<Response> {
  const number = (name: string): number => Number(params.get(name));
  const caller = new AbortController();
  const platform = cloudflarePlatform();
  let left = number("count");
  let held = 0;
  let allStarted = (): void => undefined;
  const started = new Promise<void>((resolve) => (allStarted = resolve));
  const tell = (): void => {
    if (--left === 0) allStarted();
  };
  const reads = Array.from({ length: left }, async () => {
    const lease = { token: `t${platform.random()}`, leaseMs: 1_000, scopes: [] };
    const request = { key: params.get("key") ?? "", lease, waitMs: number("waitMs") };
    let wasHeld = false;
    const onHeld = (): void => {
      held++;
      wasHeld = true;
      tell();
    };
    const outcome = await connection.read(0, request, { signal: caller.signal, onHeld }).then(
      () => "answered",
      (error: unknown) => String(error),
    );
    if (!wasHeld) tell();
    return outcome;
  });
  await started;
  if (params.get("abort") !== null) caller.abort();
  const outcomes = new Set(await Promise.all(reads));
  return Response.json({ held, outcomes: [...outcomes] });
}

/** Runs one conformance case on objects of its own, in real time. */
async function conform(env: Env, index: number): Promise<Response> {
  const platform = cloudflarePlatform();
  const prefix = `case ${platform.random()} `;
  const cache: ObjectNamespace = env.CACHE;
  const objects: ObjectNamespace = {
    idFromName: (name) => cache.idFromName(prefix + name),
    get: (id, options) => cache.get(id, options),
  };
  try {
    await storeConformance[index]?.run(async () => ({
      store: durableObjectStore(objects),
      platform,
      advance: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
      close: async () => undefined,
    }));
    return new Response("ok");
  } catch (error) {
    return new Response(String(error), { status: 500 });
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/call":
        return relay(request, lineOf(env, searchParams));
      case "/hold":
        return hold(lineOf(env, new URLSearchParams({ name: searchParams.get("name") ?? "" })), searchParams);
      case "/conformance":
        return conform(env, Number(searchParams.get("case")));
      case "/object": {
        const objects = namespaceOf(env, searchParams);
        const stub = objects.get(objects.idFromName(searchParams.get("name") ?? ""));
        const body = new Uint8Array(0);
        const answer = stub.fetch(`https://object/${searchParams.get("do")}`, { method: "POST", body });
        return new Response(await answer.then((response) => response.text(), String)); // a reset ends in an error
      }
      default:
        return new Response("not found", { status: 404 });
    }
  },
};
