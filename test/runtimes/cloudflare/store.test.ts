// The client of the Durable Object store against objects in this process: options, names, and objects that fail.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsocacheObject } from "../../../runtimes/cloudflare/object.ts";
import type { ObjectState } from "../../../runtimes/cloudflare/host.ts";
import { durableObjectStore } from "../../../runtimes/cloudflare/store.ts";
import type { ObjectNamespace } from "../../../runtimes/cloudflare/store.ts";
import { decodeOutcome, encodeCall, encodeOutcome } from "../../../src/store/wire.ts";
import type { SqlValue } from "../../../src/store/sql-storage.ts";
import { virtualPlatform } from "../../../src/testing/virtual-platform.ts";
import { nodeSqlite } from "../../store/node-sqlite.ts";

const read = { key: "k", waitMs: 0 };
const INFO = { epoch: "e", seq: 0, tip: "", time: 0, entries: 0, bytes: 0, leases: 0, tags: 0, logRecords: 0 };
const connect = (namespace: ObjectNamespace, shards = 1, name = "test") =>
  durableObjectStore(namespace, { shards }).connect({ name, platform: virtualPlatform() });

/** The state of an object over SQLite in this process; no alarm ever rings. */
function objectState(): ObjectState {
  const { query, transaction } = nodeSqlite();
  const exec = (statement: string, ...params: unknown[]) => ({
    raw: () => query(statement, ...(params as SqlValue[])).map((row) => [...row]), // bound by the storage alone
  });
  const storage = { sql: { exec }, transactionSync: transaction };
  return { storage: { ...storage, getAlarm: async () => null, setAlarm: async () => undefined } };
}

/** A namespace whose objects answer as `answer` does; it notes their names and hints. */
function namespace(answer: (name: string, request: Request) => Promise<Response>) {
  const names: string[] = [];
  const hints: (string | undefined)[] = [];
  const objects: ObjectNamespace = {
    idFromName: (name) => name,
    get: (id, options) => ({
      fetch(url, { method, body, signal }) {
        names.push(String(id));
        hints.push(options?.locationHint);
        const headers = { "content-length": String(body.length) };
        const init = { method, body: Buffer.from(body), headers, ...(signal && { signal }) };
        return answer(String(id), new Request(url, init));
      },
    }),
  };
  return { objects, names, hints };
}

/** A namespace of real objects, each on a database of its own. */
function realObjects() {
  const made = new Map<string, IsocacheObject>();
  return namespace((name, request) => {
    const object = made.get(name) ?? new IsocacheObject(objectState());
    made.set(name, object);
    return object.fetch(request);
  });
}

describe("durableObjectStore", () => {
  test.each([0, -1, 1.5, 1025, NaN, "4"])("shards: %s is an OptionError that names it", (shards) => {
    const { objects } = realObjects();
    expect(() => durableObjectStore(objects, { shards: shards as number })).toThrow(
      expect.objectContaining({ code: "ISOCACHE_OPTION", message: expect.stringContaining(`shards: ${shards}`) }),
    );
  });

  test.each([undefined, () => undefined])(
    "without a namespace, the first operation is an OptionError",
    async (missing) => {
      const store = durableObjectStore(missing as unknown as ObjectNamespace);
      const connection = store.connect({ name: "test", platform: virtualPlatform() });
      const error = { code: "ISOCACHE_OPTION", message: expect.stringContaining("binding") };
      await expect(connection.read(0, read, {})).rejects.toMatchObject(error);
    },
  );

  test("a namespace given as a function is asked at each operation", async () => {
    const { objects } = realObjects();
    let asked = 0;
    const store = durableObjectStore(() => {
      asked++;
      return objects;
    });
    const connection = store.connect({ name: "test", platform: virtualPlatform() });
    expect(asked).toBe(0);
    await connection.read(0, read, {});
    await connection.info(0, {});
    expect(asked).toBe(2);
  });

  test("objects are named by protocol, cache and partition, and made where the hint says", async () => {
    const { objects, names, hints } = realObjects();
    const store = durableObjectStore(objects, { locationHint: "weur" });
    for (const name of ["a", "a:0", "", "ä ∕"]) {
      await store.connect({ name, platform: virtualPlatform() }).read(0, read, {});
    }
    expect(names).toEqual(["isocache:1:a:0", "isocache:1:a:0:0", "isocache:1::0", "isocache:1:ä ∕:0"]);
    expect(new Set(hints)).toEqual(new Set(["weur"]));
  });

  test.each([
    ["throws", () => Promise.reject(new Error("Durable Object reset"))],
    ["answers 500", async () => new Response("oops", { status: 500 })],
    ["answers with nothing", async () => new Response("")],
    ["answers with something else", async () => new Response("<html>")],
    ["breaks off in its answer", async () => new Response(brokenBody())],
    ["has neither a reply nor a number of shards", async () => new Response(encodeOutcome({}))],
    ["says what went wrong", async () => new Response(encodeOutcome({ error: "disk full" }))],
  ])("an object that %s is a StoreError", async (_, answer) => {
    const connection = connect(namespace(answer).objects);
    await expect(connection.read(0, read, {})).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  });

  test("an object that is for ever undecided about the shards is a StoreError after a bounded number of calls", async () => {
    const { objects, names } = namespace(async (name) =>
      name.endsWith(":0") ? new Response(encodeOutcome({ reply: INFO })) : new Response(encodeOutcome({})),
    );
    await expect(connect(objects, 2).read(1, read, {})).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
    expect(names).toHaveLength(3);
  });

  test("the caller's signal reaches the object", async () => {
    const { objects } = namespace(
      (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("let go")));
        }),
    );
    const caller = new AbortController();
    const reply = connect(objects).read(0, read, { signal: caller.signal });
    caller.abort();
    await expect(reply).rejects.toMatchObject({ code: "ISOCACHE_STORE" });
  });

  test("a held read is told once its headers are there, and answered by its body", async () => {
    const { objects } = realObjects();
    const connection = connect(objects);
    const lease = (token: string) => ({ token, leaseMs: 30_000, scopes: [] });
    await connection.read(0, { ...read, lease: lease("leader") }, {});
    let onHeld = (): void => undefined;
    const held = new Promise<void>((resolve) => (onHeld = resolve));
    const reply = connection.read(0, { ...read, lease: lease("follower"), waitMs: 30_000 }, { onHeld });
    await held;
    await connection.release(0, { key: "k", token: "leader", backoffMs: 0 }, {});
    expect(await reply).toHaveProperty("lease");
  });
});

describe("IsocacheObject", () => {
  const ask = async (object: IsocacheObject, body: Uint8Array, headers: Record<string, string> = {}) => {
    const length = { "content-length": String(body.length) };
    const request = new Request("https://isocache/", {
      method: "POST",
      body: Buffer.from(body),
      headers: { ...length, ...headers },
    });
    const response = await object.fetch(request);
    return response.status === 200
      ? decodeOutcome("read", new Uint8Array(await response.arrayBuffer()))
      : response.status;
  };
  const call = encodeCall({ operation: "read", partition: 0, partitions: 1, confirmed: false, request: read });

  test("bytes that are no message are answered with an error, whatever they are", async () => {
    const object = new IsocacheObject(objectState());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        expect(await ask(object, bytes)).toHaveProperty("error");
      }),
    );
    expect(await ask(object, call)).toHaveProperty("reply");
  });

  test("a request of unknown or too large a size is not read", async () => {
    const object = new IsocacheObject(objectState());
    expect(await ask(object, call, { "content-length": String(33 * 2 ** 20) })).toBe(413);
    expect(await ask(object, call, { "content-length": "many" })).toBe(413);
  });

  test("a storage that fails is answered with its reason", async () => {
    const state = objectState();
    const sql = {
      exec(): never {
        throw new Error("SQL is not enabled for this class");
      },
    };
    const object = new IsocacheObject({ storage: { ...state.storage, sql } });
    expect(await ask(object, call)).toEqual({ error: expect.stringContaining("SQL is not enabled") });
  });
});

function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      controller.error(new Error("connection lost"));
    },
  });
}
