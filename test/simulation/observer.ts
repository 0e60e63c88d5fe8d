// Watches what the store really does: which value it keeps or returns, which invalidation was executed when, and what a fail-over undid.
import type {
  BatchReply,
  BatchRequest,
  CommitReply,
  CommitRequest,
  FoundEntry,
  ReadReply,
  Stamp,
  Witnessed,
  WriteReply,
  WriteRequest,
} from "../../src/store/contract.ts";
import { RESERVED_TAG } from "../../src/store/contract.ts";
import { checkStored } from "./checks/admission.ts";
import { checkFailOver, recordName } from "./checks/fail-over.ts";
import { checkRetry } from "./checks/loud-writes.ts";
import { checkResurrection } from "./checks/resurrection.ts";
import { showOp, type Done, type History, type Invalidation, type Moment, type Value } from "./history.ts";
import { partFor, storedKeyOf, type Life, type Request } from "./life.ts";
import { isKeyWrite, type Op, type Plan } from "./plan.ts";
import { showMessage } from "./show.ts";

export type Operation = "read" | "commit" | "renew" | "release" | "write" | "batch" | "changesSince" | "info";

/** A request that the store has executed, at that moment, with that answer. */
export interface Executed {
  readonly name: Operation;
  readonly partition: number;
  readonly sent: object;
  readonly reply: object;
  readonly at: Moment;
  readonly life: Life;
  readonly request: Request | undefined;
}

export interface Observer {
  /** A write leaves an instance. */
  sends(life: Life, sent: object, request: Request | undefined): void;
  executed(executed: Executed): void;
  /** Remembers what is done and what is lost; the function returned: the store goes on with what it held then. */
  remember(): () => void;
}

/** Whether a write is what the operation asks for. A set that is not stored, only invalidates. */
function isOf(op: Op, what: WriteRequest["write"]): boolean {
  const { kind } = op;
  if ("key" in what) {
    const isKind = kind === what.kind || ((kind === "set" || kind === "pull") && what.kind === "delete");
    return isKind && what.key === storedKeyOf(op);
  }
  return what.kind === (kind === "expireTags" ? "expireTags" : "tags") && !isKeyWrite(kind);
}

export function createObserver(history: History, { storeTimeoutMs, limits }: Plan): Observer {
  const byNonce = new Map<string, Invalidation>();
  const byId = new Map<string, Value>();
  /** All that was done, by the names of the records: what comes with a known one was done before. */
  const records = new Map<string, Moment>();
  const lost = new Set<string>();
  /** Where each write was done first. */
  const firsts = new Map<string, { readonly epoch: string; readonly seq: number }>();
  const epochs = new Set<string>();

  /** Which value the bytes carry: the frame ends in its JSON, and all but those that stand for nothing have an `n`. */
  const valueIn = (bytes: Uint8Array): Value | undefined => {
    const n = /"n":(\d+)/.exec(new TextDecoder().decode(bytes))?.[1];
    return n === undefined ? undefined : history.values.get(Number(n));
  };

  const read = (partition: number, entry: FoundEntry | undefined, at: Moment): void => {
    const value = entry && byId.get(entry.id);
    if (entry === undefined || value === undefined) return;
    checkResurrection(history, { value, fresh: entry.freshForMs > 0, partition, at, how: "returns" });
  };

  const commit = (partition: number, sent: CommitRequest, reply: CommitReply, at: Moment, loaded?: Value): void => {
    if (reply.outcome !== "stored") return;
    const value = "keep" in sent.entry ? byId.get(sent.entry.keep) : (valueIn(sent.entry.bytes) ?? loaded);
    if (value === undefined) return;
    if ("bytes" in sent.entry) checkStored(history, value);
    byId.set(sent.token, value);
    value.keptAt = Math.max(value.keptAt, at.at);
    checkResurrection(history, { value, fresh: reply.freshForMs > 0, partition, at, how: "stores" });
  };

  const write = (partition: number, sent: WriteRequest, reply: WriteReply, at: Moment, life: Life): void => {
    const { nonce, write: what } = sent;
    const invalidation = byNonce.get(nonce);
    if (reply.record === undefined) return;
    if (invalidation === undefined) {
      if (what.kind === "tags" && what.tags[0] === RESERVED_TAG) coverAll(life, partition, at);
      return; // else a retry of one that was cancelled before it was sent
    }
    const { made, rejected, bounded, done } = invalidation;
    if (done.get(partition)?.lost !== false) done.set(partition, { ...at, seq: reply.record.seq, lost: false });
    checkOnce(invalidation, nonce, reply);
    const record = recordName({ epoch: reply.epoch, seq: reply.record.seq, tip: nonce });
    const isRepeat = records.has(record) && !lost.delete(record);
    if (!isRepeat) records.set(record, at);
    // A set that comes after its own retry, when the log has forgotten that, is born then.
    if (made === undefined || isRepeat || (what.kind !== "set" && made.born !== undefined)) return;
    made.born = at;
    made.keptAt = at.at;
    if (what.kind !== "set") return;
    byId.set(nonce, made);
    checkStored(history, made);
    // An error rejects it sooner, and close(); what was sent may be done until its deadline.
    const deadline = Math.max(rejected?.at ?? Infinity, invalidation.asked.at + storeTimeoutMs);
    if (bounded && !life.closedEarly && at.at > deadline) {
      history.violate("loud writes", `${showOp(invalidation.op)} was rejected, and its value stored afterwards`);
    }
  };

  /** A write that nobody asked for: an instance that had too many in doubt has made one that covers them all. */
  const coverAll = (life: Life, partition: number, at: Moment): void => {
    for (const { by, acknowledged, done } of history.invalidations) {
      if (by === life && !acknowledged && !done.has(partition)) done.set(partition, { ...at, lost: false });
    }
  };

  /** A repeat changes nothing, as long as the log remembers the first. */
  const checkOnce = ({ op }: Invalidation, nonce: string, { epoch, record }: WriteReply): void => {
    const first = firsts.get(nonce);
    if (first === undefined || first.epoch !== epoch)
      firsts.set(nonce, { epoch, seq: record!.seq }); // it was done
    else if (first.seq !== record!.seq && record!.seq - first.seq < limits.maxLogRecords) {
      history.violate("loud writes", `${showOp(op)} was done twice`);
    }
  };

  /** A new epoch voids everything that is older: what a fail-over had undone is done again. */
  const begins = (partition: number, at: Moment): void => {
    for (const invalidation of history.invalidations) {
      const done = invalidation.done.get(partition);
      if (!done?.lost) continue;
      done.lost = false;
      invalidation.recovered = at;
    }
  };

  const observer: Observer = {
    sends(life, sent, request) {
      const { nonce, deadline, write: what } = sent as WriteRequest; // what a write sends
      // Of a pull, the delete is asked for only when it has found out what is there; it may be sent later.
      const pull = request?.op.kind === "pull" && !byNonce.has(nonce) ? request : undefined;
      if (pull?.foundAt !== undefined && pull.invalidation === undefined && isOf(pull.op, what)) {
        const { op, foundAt: asked } = pull;
        pull.invalidation = { op, by: life, asked, made: undefined, done: new Map(), bounded: false };
        history.invalidations.push(pull.invalidation);
      }
      const own = request?.invalidation;
      let invalidation = byNonce.get(nonce);
      // In its request another write may be sent, too: one that is retried, or that covers all that are in doubt.
      if (invalidation === undefined && own !== undefined && own.nonce === undefined && isOf(own.op, what)) {
        byNonce.set(nonce, (invalidation = own));
        own.nonce = nonce;
        if (deadline === undefined) own.bounded = false;
      }
      if (invalidation?.rejected !== undefined) checkRetry(history, life, invalidation);
    },
    executed(executed) {
      const { name, partition, sent, reply, at, life, request } = executed;
      if (name === "batch") {
        const { items, witness } = sent as BatchRequest;
        for (const [index, each] of (reply as BatchReply).replies.entries()) {
          const item = items[index]!; // there are no more replies than items
          if ("error" in each) continue;
          const one = { ...item.request, witness };
          observer.executed({ ...executed, name: item.operation, sent: one, reply: each });
        }
        return;
      }
      history.note("store", () => `${name} of ${life.name} ${showMessage(sent)} -> ${showMessage(reply)}`);
      const { witness } = sent as Witnessed; // as every request is
      checkFailOver(history, lost, limits.maxLogRecords, { by: life, witness, reply: reply as Stamp });
      const { epoch } = reply as Stamp; // as every answer but "moved" is
      if (!epochs.has(epoch)) begins(partition, at);
      epochs.add(epoch);
      // Each operation has its request and its answer.
      if (name === "read") read(partition, (reply as ReadReply).entry, at);
      else if (name === "commit") {
        const { loaded } = partFor(request, (sent as CommitRequest).key) ?? {};
        commit(partition, sent as CommitRequest, reply as CommitReply, at, loaded);
      } else if (name === "write") write(partition, sent as WriteRequest, reply as WriteReply, at, life);
    },
    remember() {
      const then = history.moment();
      const dones = (): Done[] => history.invalidations.flatMap(({ done }) => [...done.values()]);
      const undone = new Set(dones().filter((done) => done.lost));
      const lostThen = new Set(lost);
      return () => {
        for (const done of dones()) done.lost = done.step > then.step || undone.has(done);
        lost.clear();
        for (const [record, { step }] of records) if (step > then.step || lostThen.has(record)) lost.add(record);
        // A write in doubt that was lost is done again, elsewhere.
        firsts.clear();
      };
    },
  };
  return observer;
}
