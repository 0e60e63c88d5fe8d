// What a Durable Object does, for whatever state and platform it is given: the wire, the partition protocol on SQLite, and an alarm.
import { FOREVER } from "../../src/store/contract.ts";
import type { CallOptions } from "../../src/store/contract.ts";
import { createPartition } from "../../src/store/partition.ts";
import type { PartitionOptions } from "../../src/store/partition.ts";
import { sqlStorage } from "../../src/store/sql-storage.ts";
import type { SqlDatabase } from "../../src/store/sql-storage.ts";
import { decodeCall, encodeOutcome } from "../../src/store/wire.ts";
import type { ReplyOf } from "../../src/store/wire.ts";
import { createAgreement } from "./agreement.ts";
import { HELD } from "./held.ts";

/** What is used of the state that the runtime hands to a Durable Object. */
export interface ObjectState {
  /** The object's own storage, on SQLite. */
  readonly storage: {
    readonly sql: {
      exec(query: string, ...bindings: unknown[]): { raw(): Iterable<unknown[]> };
    };
    transactionSync<T>(step: () => T): T;
    getAlarm(): Promise<number | null>;
    setAlarm(at: number): Promise<void>;
  };
}

/** A request above this size is refused with 413. */
const MAX_REQUEST_BYTES = 32 * 1_048_576;
/** An alarm looks at so many rows, and comes again soon if that was not all. */
const ALARM_ROWS = 1_000;
const SOON_MS = 1_000;
/** While there are entries, those that are over are looked for this often. */
const PRUNE_MS = 3_600_000;

/** What is left of a partition's options: other limits, or another storage than `sqlStorage` on the state's database. */
export type HostOptions = Partial<Pick<PartitionOptions, "limits" | "storage">>;

/** The two entries of a Durable Object. */
export interface Host {
  /** Answers `durableObjectStore`. Rejects only if the request breaks off. */
  fetch(request: Request): Promise<Response>;
  /** Removes what is over. */
  alarm(): Promise<void>;
}

/** Whether an operation brings an entry. */
const stores = ({ request }: { readonly request: object }): boolean =>
  "entry" in ("write" in request ? Object(request.write) : request);

/** One life of the object. Does nothing until it is asked something. */
export function createHost(
  { storage }: ObjectState,
  platform: PartitionOptions["platform"],
  options?: HostOptions,
): Host {
  const { now } = platform;
  const query: SqlDatabase["query"] = (statement, ...params) => [...storage.sql.exec(statement, ...params).raw()];
  const partition = createPartition({
    storage: sqlStorage({ query, transaction: (step) => storage.transactionSync(step) }),
    platform,
    ...options,
  });
  // To have seen more than there is begins a new epoch.
  const agreement = createAgreement(query, () => {
    partition.changesSince({ since: { ...partition.info(), seq: FOREVER } });
  });
  let armed = false;

  /** Sees to it that what is stored now will be looked at. */
  const arm = async (): Promise<void> => {
    if (armed) return;
    if ((await storage.getAlarm()) === null) await storage.setAlarm(now() + PRUNE_MS);
    armed = true;
  };

  /** The message that answers a message. Never rejects. */
  const answer = async (message: Uint8Array, options: CallOptions): Promise<Uint8Array<ArrayBuffer>> => {
    try {
      const call = decodeCall(message);
      const { operation, request } = call;
      // The wire has paired the request with its operation.
      const handle = partition[operation] as (request: unknown, options: CallOptions) => ReplyOf | Promise<ReplyOf>;
      const outcome = agreement(call) ?? { reply: await handle(request, options) };
      if (("items" in request ? request.items : [call]).some(stores)) await arm();
      return encodeOutcome(outcome);
    } catch (error) {
      return encodeOutcome({ error: String(Object(error).cause ?? error) }); // a cause does not travel by itself
    }
  };

  return {
    async fetch(request) {
      const size = Number(request.headers.get("content-length") ?? Infinity);
      if (!(size <= MAX_REQUEST_BYTES)) return new Response("too large", { status: 413 });
      const message = new Uint8Array(await request.arrayBuffer());
      const caller = new AbortController();
      const letGo = (): void => caller.abort();
      request.signal.addEventListener("abort", letGo);
      let onHeld = letGo;
      const held = new Promise<void>((resolve) => (onHeld = resolve));
      const reply = answer(message, { signal: caller.signal, onHeld });
      const first = await Promise.race([reply, held]);
      return first === undefined ? heldResponse(reply, letGo) : new Response(first);
    },
    async alarm() {
      const more = partition.prune(ALARM_ROWS);
      armed = more || partition.info().entries > 0;
      if (armed) await storage.setAlarm(now() + (more ? SOON_MS : PRUNE_MS));
    },
  };
}

/** Headers now, the body when there is one; `letGo` if the caller goes away first. */
function heldResponse(reply: Promise<Uint8Array>, letGo: () => void): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(await reply);
      controller.close();
    },
    cancel: letGo,
  });
  return new Response(body, { headers: { [HELD]: "1" } });
}
