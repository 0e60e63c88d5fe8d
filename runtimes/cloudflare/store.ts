// The store on Durable Objects, as a Worker sees it: one object a partition, one call an operation.
import { OptionError, StoreError } from "../../src/errors.ts";
import type { Answer, CallOptions, Moved, Store, StoreConnection } from "../../src/store/contract.ts";
import { decodeOutcome, encodeCall, MAX_PARTITIONS, PROTOCOL } from "../../src/store/wire.ts";
import type { Operation, Outcome, ReplyOf, RequestOf } from "../../src/store/wire.ts";
import { HELD } from "./held.ts";

/** What is used of a Durable Object stub. */
export interface ObjectStub {
  /** Sends a request to the object. Rejects if it cannot be reached, throws or is reset. */
  fetch(
    url: string,
    init: { method: string; body: Uint8Array; signal?: AbortSignal },
  ): Promise<{
    readonly status: number;
    readonly headers: { has(name: string): boolean };
    arrayBuffer(): Promise<ArrayBuffer>;
    text(): Promise<string>;
  }>;
}

/** What is used of a Durable Object namespace: `env.CACHE`, bound to the class `IsocacheObject`. */
export interface ObjectNamespace {
  /** The id that belongs to a name: the same everywhere. */
  idFromName(name: string): unknown;
  /** A stub of the object with this id, which is made by its first request. */
  get(id: unknown, options?: { locationHint?: string }): ObjectStub;
}

/** Options of `durableObjectStore`. */
export interface DurableObjectStoreOptions {
  /**
   * How many objects share the keys, 1 to 1,024; default 1. An object answers about 1,000 requests a second. The number
   * that the first request ever recorded stays: to change it, take another cache name.
   */
  readonly shards?: number;
  /** Where new objects are made, such as "weur"; by default near whoever asks first. */
  readonly locationHint?: string;
}

const MOVED: Moved = { moved: true };

/**
 * A store in Durable Objects of the class `IsocacheObject`, for Workers. May be made at module scope; a function is
 * asked at each operation. An operation is one call of one object, except for the first one to an object that has not
 * yet learnt the number of shards (three). It rejects with a StoreError if the object fails, is reset or refuses, and
 * with an OptionError if there is no namespace.
 */
export function durableObjectStore(
  namespace: ObjectNamespace | (() => ObjectNamespace),
  { shards = 1, locationHint }: DurableObjectStoreOptions = {},
): Store {
  if (!Number.isInteger(shards) || shards < 1 || shards > MAX_PARTITIONS) {
    throw new OptionError(`shards: ${String(shards)} is not an integer from 1 to ${MAX_PARTITIONS}`);
  }

  /** A new stub each time: one of another request, or from before a reset, only throws. */
  const stubOf = (cache: string, partition: number): ObjectStub => {
    const objects: ObjectNamespace | undefined = typeof namespace === "function" ? namespace() : namespace;
    if (objects === undefined || objects === null) {
      throw new OptionError(
        "namespace: undefined. Is the binding of durableObjectStore(env.…) in the Worker's config?",
      );
    }
    // Unambiguous whatever the name holds: the number is what follows the last colon.
    const id = objects.idFromName(`isocache:${PROTOCOL}:${cache}:${partition}`);
    return objects.get(id, locationHint === undefined ? {} : { locationHint });
  };

  const connect = (cache: string): StoreConnection => {
    let count = shards;

    const exchange = async <Name extends Operation>(
      operation: Name,
      partition: number,
      partitions: number,
      confirmed: boolean,
      request: RequestOf<Name>,
      { signal, onHeld }: CallOptions,
    ): Promise<Outcome<Name>> => {
      const body = encodeCall({ operation, partition, partitions, confirmed, request });
      const stub = stubOf(cache, partition);
      try {
        const response = await stub.fetch("https://isocache/", { method: "POST", body, ...(signal && { signal }) });
        if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
        if (response.headers.has(HELD)) onHeld?.();
        const answer = new Uint8Array(await response.arrayBuffer());
        return decodeOutcome(operation, answer, "items" in request ? request.items : []);
      } catch (cause) {
        throw new StoreError(`The Durable Object of partition ${partition} failed: ${String(cause)}`, { cause });
      }
    };

    const ask = async <Name extends Operation>(
      operation: Name,
      partition: number,
      request: RequestOf<Name>,
      call: CallOptions,
      partitions = count,
      confirmed = false,
    ): Answer<ReplyOf<Name>> => {
      const outcome = await exchange(operation, partition, partitions, confirmed, request, call);
      if (outcome.reply !== undefined) return outcome.reply;
      if (outcome.moved !== undefined) {
        count = outcome.moved;
        return MOVED;
      }
      if (outcome.error !== undefined) throw new StoreError(outcome.error);
      if (confirmed) throw new StoreError("The number of shards is disputed");
      const answer = await ask("info", 0, {}, call.signal ? { signal: call.signal } : {}, partitions, true);
      return "moved" in answer ? answer : ask(operation, partition, request, call, partitions, true);
    };

    return {
      get partitions() {
        return count;
      },
      heldReadsPerRequest: 4, // a Worker's request has six connections
      read: (partition, request, call) => ask("read", partition, request, call),
      commit: (partition, request, call) => ask("commit", partition, request, call),
      renew: (partition, request, call) => ask("renew", partition, request, call),
      release: (partition, request, call) => ask("release", partition, request, call),
      write: (partition, request, call) => ask("write", partition, request, call),
      batch: (partition, request, call) => ask("batch", partition, request, call),
      changesSince: (partition, request, call) => ask("changesSince", partition, request, call),
      info: (partition, call) => ask("info", partition, {}, call),
      close: async () => undefined,
    };
  };
  return { kind: "durable-object", connect: ({ name }) => connect(name) };
}
