// Watches what the store really does: which value it keeps or returns, and which invalidation was executed when (P1).
import type {
  CommitReply,
  CommitRequest,
  FoundEntry,
  ReadReply,
  WriteReply,
  WriteRequest,
} from "../../src/store/contract.ts";
import {
  isExpiry,
  isOlder,
  showOp,
  touches,
  type History,
  type Invalidation,
  type Moment,
  type Value,
} from "./history.ts";
import type { Life, Request } from "./life.ts";
import type { Plan } from "./plan.ts";
import { showMessage } from "./show.ts";

export type Operation = "read" | "commit" | "renew" | "release" | "write" | "changesSince" | "info";

export interface Observer {
  /** A write leaves an instance. */
  sends(life: Life, sent: object, request: Request | undefined): void;
  /** The store has executed a request, at that moment, with that answer. */
  executed(name: Operation, partition: number, sent: object, reply: object, at: Moment, life: Life): void;
}

export function createObserver(history: History, { storeTimeoutMs, limits }: Plan): Observer {
  const byNonce = new Map<string, Invalidation>();
  const byId = new Map<string, Value>();
  /** Epoch and seq of all that was done: what comes with a known one was done before. */
  const records = new Set<string>();

  /** Which value the bytes carry: every value is `{ n }`, and the frame ends in its JSON. */
  const valueIn = (bytes: Uint8Array): Value | undefined => {
    const n = /"n":(\d+)/.exec(new TextDecoder().decode(bytes))?.[1];
    return n === undefined ? undefined : history.values.get(Number(n));
  };

  /** P1: no value that began before an invalidation is visible in the store after it. */
  const checkVisible = (value: Value, fresh: boolean, partition: number, at: Moment, how: string): void => {
    for (const invalidation of history.invalidations) {
      const done = invalidation.done.get(partition);
      if (done === undefined || done.step > at.step || !isOlder(value, done) || !touches(invalidation, value)) continue;
      if (isExpiry(invalidation) && !fresh) continue;
      history.violate("P1", `the store ${how} value ${value.n}, older than ${showOp(invalidation.op)}`);
    }
  };

  const read = (partition: number, entry: FoundEntry | undefined, at: Moment): void => {
    const value = entry && byId.get(entry.id);
    if (entry !== undefined && value !== undefined) {
      checkVisible(value, entry.freshForMs > 0, partition, at, "returns");
    }
  };

  const commit = (partition: number, sent: CommitRequest, reply: CommitReply, at: Moment): void => {
    if (reply.outcome !== "stored") return;
    const value = "keep" in sent.entry ? byId.get(sent.entry.keep) : valueIn(sent.entry.bytes);
    if (value === undefined) return;
    byId.set(sent.token, value);
    value.keptAt = Math.max(value.keptAt, at.at);
    checkVisible(value, reply.freshForMs > 0, partition, at, "stores");
  };

  const write = (
    partition: number,
    { nonce, write: what }: WriteRequest,
    reply: WriteReply,
    at: Moment,
    life: Life,
  ): void => {
    const invalidation = byNonce.get(nonce);
    if (invalidation === undefined || reply.record === undefined) return;
    if (!invalidation.done.has(partition)) invalidation.done.set(partition, at);
    const { made, rejected, bounded } = invalidation;
    checkOnce(invalidation, nonce, reply);
    const record = `${reply.epoch} ${reply.record.seq}`;
    const isRepeat = records.has(record);
    records.add(record);
    // A set that comes after its own retry, when the log has forgotten that, is born then.
    if (made === undefined || isRepeat || (what.kind !== "set" && made.born !== undefined)) return;
    made.born = at;
    made.keptAt = at.at;
    if (what.kind !== "set") return;
    byId.set(nonce, made);
    // An error rejects it sooner, and close(); what was sent may be done until its deadline.
    const deadline = Math.max(rejected?.at ?? Infinity, invalidation.asked.at + storeTimeoutMs);
    if (bounded && !life.closedEarly && at.at > deadline) {
      history.violate("P5", `${showOp(invalidation.op)} was rejected, and its value stored afterwards`);
    }
  };

  const firsts = new Map<string, { readonly epoch: string; readonly seq: number }>();

  /** A repeat changes nothing, as long as the log remembers the first. */
  const checkOnce = ({ op }: Invalidation, nonce: string, { epoch, record }: WriteReply): void => {
    const first = firsts.get(nonce);
    if (first === undefined || first.epoch !== epoch)
      firsts.set(nonce, { epoch, seq: record!.seq }); // it was done
    else if (limits.maxLogRecords >= 100 && first.seq !== record!.seq) {
      history.violate("P5", `${showOp(op)} was done twice`);
    }
  };

  return {
    sends(life, sent, request) {
      const { nonce, deadline } = sent as WriteRequest; // what a write sends
      const own = request?.invalidation;
      let invalidation = byNonce.get(nonce);
      if (invalidation === undefined && own !== undefined) {
        byNonce.set(nonce, (invalidation = own));
        own.nonces.add(nonce);
        if (deadline === undefined) own.bounded = false;
      }
      if (invalidation?.rejected !== undefined) checkRetry(history, life, invalidation);
    },
    executed(name, partition, sent, reply, at, life) {
      history.note("store", () => `${name} of ${life.name} ${showMessage(sent)} -> ${showMessage(reply)}`);
      // Each operation has its request and its answer.
      if (name === "read") read(partition, (reply as ReadReply).entry, at);
      else if (name === "commit") commit(partition, sent as CommitRequest, reply as CommitReply, at);
      else if (name === "write") write(partition, sent as WriteRequest, reply as WriteReply, at, life);
    },
  };
}

/** A retry is pointless, and would remove newer data, once a later own write of the key was acknowledged. */
function checkRetry(history: History, life: Life, retried: Invalidation): void {
  const { kind, key, path } = retried.op;
  if (!["set", "delete", "expire"].includes(kind)) return;
  const later = history.invalidations.find(
    ({ op, by, asked, acknowledged }) =>
      by === life &&
      acknowledged !== undefined &&
      asked.step > retried.asked.step &&
      (op.kind === "set" || op.kind === "delete") &&
      op.key === key &&
      op.path.join("/") === path.join("/"),
  );
  if (later !== undefined) {
    history.violate("P5", `${showOp(retried.op)} is retried after ${showOp(later.op)} was acknowledged`);
  }
}
