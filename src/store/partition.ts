// The protocol of a partition: leases, versions, tags and log over any synchronous storage, each operation one atomic step.
import { StoreError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { checkBounds } from "./check.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_ITEMS } from "./contract.ts";
import type {
  BatchItem,
  BatchItemReply,
  BatchReply,
  BatchRequest,
  CallOptions,
  ChangesReply,
  ChangesRequest,
  CommitReply,
  CommitRequest,
  InfoReply,
  LogRecord,
  Position,
  ReadReply,
  ReadRequest,
  ReleaseRequest,
  RenewReply,
  RenewRequest,
  Stamp,
  Witnessed,
  WriteReply,
  WriteRequest,
} from "./contract.ts";
import { findEntry, pruneEntries, storeEntry } from "./entries.ts";
import type { EntryLimits } from "./entries.ts";
import { heldLease, isSound, putLease, takeLease } from "./leasing.ts";
import type { Moment, PartitionMeta, PartitionStorage, StoredRecord } from "./partition-storage.ts";
import { isUserTag, since } from "./validity.ts";
import { createWaiters } from "./waiters.ts";

/** The limits of a partition. All of them are safe to reach. */
export interface PartitionLimits extends EntryLimits {
  /** How many tags are remembered, besides reserved ones and those newly marked. Default 10,000. */
  readonly maxTags: number;
  /** Invalidations that are remembered, at least 1. Default 1,000. `changesSince` reaches back one fewer. */
  readonly maxLogRecords: number;
  /** Reads that may be held at once. Default 1,000. */
  readonly maxWaiters: number;
}

/** What `createPartition` needs. */
export interface PartitionOptions {
  readonly storage: PartitionStorage;
  /** Its `now` is the store's clock, which may jump; its `random` makes epochs. */
  readonly platform: Pick<Platform, "now" | "random" | "setTimeout" | "clearTimeout">;
  readonly limits?: Partial<PartitionLimits>;
}

/**
 * One partition. Everything but a held read is one synchronous atomic step, which throws a StoreError if the request is
 * out of limits or the storage failed; a read rejects with it.
 */
export interface Partition {
  read(request: ReadRequest, call: CallOptions): Promise<ReadReply>;
  commit(request: CommitRequest): CommitReply;
  renew(request: RenewRequest): RenewReply;
  release(request: ReleaseRequest): Stamp;
  write(request: WriteRequest): WriteReply;
  /** One step of the storage for all, which is done or not as a whole. */
  batch(request: BatchRequest): BatchReply;
  changesSince(request: ChangesRequest): ChangesReply;
  info(): InfoReply;
  /** Removes what is invalid among the next `maxRows` entries, and evicts at most as many. True: there is more to do. */
  prune(maxRows: number): boolean;
  /** Answers all held reads. Idempotent; the partition can still be used. */
  close(): void;
}

/** One `changesSince` answers with records of together at most so many characters of keys and tags. */
const MAX_ANSWER_CHARS = 1_048_576;

/** Of epochs, together. An instance that knows none of those begins another one, which is safe. */
const MAX_EPOCHS_CHARS = 500;

const DEFAULT_LIMITS: PartitionLimits = {
  maxBytes: 256 * 1_048_576,
  maxEntries: 100_000,
  maxTags: 10_000,
  maxLogRecords: 1_000,
  maxWaiters: 1_000,
};

/** Opens a partition over its storage. Does nothing until it is asked something. */
export function createPartition({ storage, platform, limits: given }: PartitionOptions): Partition {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const { maxTags, maxLogRecords } = limits;

  /**
   * True if the caller saw more, or something else, than this history has: acknowledged writes were lost. An epoch that
   * is not among those known was made since then, so what it voided is here again.
   */
  const contradicts = ({ epochs, seq, tip }: PartitionMeta, seen: Position | undefined): boolean => {
    if (seen === undefined) return false;
    if (!epochs.startsWith(seen.epoch)) return !epochs.includes(seen.epoch);
    if (seen.seq < 1) return false;
    const nonce = seen.seq === seq ? tip : storage.recordAt(seen.seq)?.nonce;
    return seen.seq > seq || (nonce !== undefined && nonce !== seen.tip);
  };

  const isLate = ({ deadline }: CommitRequest | WriteRequest, { time }: Moment): boolean =>
    deadline !== undefined && time > deadline;

  let inBatch = false;
  const atomic = <T>(body: () => T): T => (inBatch ? body() : storage.atomic(body));
  const toWake: (string | undefined)[] = [];
  /** Wakes who waits for a key, or everybody: after the step of a batch, so that nobody hears of what is then undone. */
  const wake = (key?: string): void => void (inBatch ? toWake.push(key) : waiters.wake(key));

  /** Runs one atomic step. A new epoch wakes everybody: the leases they wait for are void. */
  const step = <T extends object>(
    request: Witnessed & Partial<ChangesRequest>,
    body: (now: Moment) => T,
  ): T & Stamp => {
    checkBounds(request);
    let reborn = false;
    try {
      return atomic(() => {
        let meta = storage.meta();
        if (meta === undefined || contradicts(meta, request.witness) || contradicts(meta, request.since)) {
          reborn = true;
          const epoch = `${platform.random()}-${platform.random()}`;
          const epochs = [epoch, request.witness?.epoch, meta?.epochs].join(" ").slice(0, MAX_EPOCHS_CHARS);
          meta = { epochs, seq: 0, tip: "", floor: 0 };
          storage.reset(epochs);
        }
        const { floor, seq, tip } = meta;
        const stamp = { epoch: meta.epochs.split(" ")[0]!, seq, tip, time: platform.now() }; // a text has a first part
        return { ...stamp, ...body({ ...stamp, floor }) };
      });
    } catch (cause) {
      throw new StoreError("The storage failed", { cause });
    } finally {
      if (reborn) wake();
    }
  };

  const read = (request: ReadRequest): ReadReply =>
    step(request, (now) => {
      const entry = findEntry(storage, request.key, request.hold, now);
      if (entry === undefined) return takeLease(storage, request, false, now);
      const served = entry.freshForMs > 0 && request.refresh !== entry.id;
      return { entry, ...(!served && takeLease(storage, request, true, now)) };
    });

  const waiters = createWaiters(platform, limits.maxWaiters, read);

  const commit = (request: CommitRequest, now: Moment): Omit<CommitReply, keyof Stamp> => {
    const { key, token, epoch, version } = request;
    const lease = heldLease(storage, request);
    if (lease !== undefined) storage.deleteLease(key);
    const holds = lease?.version === version && epoch === now.epoch && !isLate(request, now);
    const freshForMs = holds && storeEntry(storage, limits, { key, id: token, version, entry: request.entry }, now);
    return typeof freshForMs === "number" ? { outcome: "stored", freshForMs } : { outcome: "refused", freshForMs: 0 };
  };

  /** Does a write at `version`, but for the log. */
  const apply = ({ write, nonce: id }: WriteRequest, version: number, now: Moment): void => {
    const { time } = now;
    if ("tags" in write) return storage.mark(write.tags, version, write.kind === "tags" ? undefined : time);
    const { key } = write;
    storage.deleteLease(key);
    const left =
      write.kind === "set" ? storeEntry(storage, limits, { key, id, version, entry: write.entry }, now) : undefined;
    if (left !== undefined) return; // 0: stale from the start
    const old = storage.head(key);
    if (old === undefined) return;
    if (write.kind === "expire") storage.put({ ...old, expiredAt: Math.min(old.expiredAt ?? time, time) }, old);
    else storage.delete(old);
  };

  const write = (request: WriteRequest, now: Moment): Partial<WriteReply> => {
    const { nonce, write } = request;
    const first = storage.recordOf(nonce);
    if (first !== undefined) return { record: logged(first, now) };
    if (isLate(request, now)) return {};
    const seq = now.seq + 1;
    const what = "key" in write ? { key: write.key } : { tags: [...write.tags] };
    const record = { seq, nonce, at: now.time, expire: write.kind.startsWith("expire"), ...what };
    apply(request, seq, now);
    storage.append(record);
    if (seq > maxLogRecords) storage.trimLog(seq - maxLogRecords);
    if (seq % Math.ceil(maxTags / 100) === 0) storage.pruneTags(maxTags); // seldom: it counts them
    return { seq, tip: nonce, record: logged(record, now) };
  };

  const changes = (position: Position, now: Moment): readonly StoredRecord[] | undefined => {
    // From the caller's own record on: if that is gone, nobody has compared it, and it may be of a history that was lost.
    const from = Math.max(0, position.seq - 1);
    const records = storage.recordsAfter(from);
    let chars = 0;
    for (const { key = "", tags = [] } of records) chars += key.length + tags.join("").length;
    const complete = position.epoch === now.epoch && records.length === now.seq - from && chars <= MAX_ANSWER_CHARS;
    return complete ? records.slice(position.seq - from) : undefined;
  };

  /** Runs a step that may end the lease of a key, and wakes who waits for it. */
  const ending = <T extends object>(
    request: Witnessed & { readonly key: string },
    body: (now: Moment) => T,
  ): T & Stamp => {
    const reply = step(request, body);
    wake(request.key);
    return reply;
  };

  const single = {
    commit: (request: CommitRequest) => ending(request, (now) => commit(request, now)),
    renew: (request: RenewRequest) =>
      ending(request, (now) => {
        const lease = heldLease(storage, request);
        const held = lease !== undefined && isSound(storage, lease);
        if (held) putLease(storage, lease, request.leaseMs, now);
        return { held };
      }),
    release: (request: ReleaseRequest) =>
      ending(request, (now) => {
        const lease = heldLease(storage, request);
        if (lease === undefined) return {};
        const spanMs = request.backoffMs;
        if (spanMs > 0) storage.putLease({ ...lease, token: undefined, at: now.time, spanMs });
        else storage.deleteLease(lease.key);
        return {};
      }),
    write(request: WriteRequest) {
      const reply = step(request, (now) => write(request, now));
      if ("key" in request.write) wake(request.write.key);
      else if (!request.write.tags.every(isUserTag)) wake();
      return reply;
    },
  };

  /** One of a batch; what is out of bounds concerns the others as little as if it had come alone. */
  const answer = (item: BatchItem, witness: Position | undefined): BatchItemReply => {
    const request = { ...item.request, witness };
    try {
      checkBounds(request);
    } catch (error) {
      return { error: String(error) };
    }
    // The type has paired the request with its operation, which the compiler does not follow.
    const handle = { ...single, read }[item.operation] as (request: unknown) => BatchItemReply;
    return handle(request);
  };

  const batch = ({ witness, items }: BatchRequest): BatchReply => {
    if (items.length < 1 || items.length > MAX_BATCH_ITEMS) throw new StoreError("The batch is out of bounds");
    const replies: BatchItemReply[] = [];
    let bytes = 0;
    for (const item of items) {
      const reply = answer(item, witness);
      replies.push(reply);
      bytes += ("entry" in reply && reply.entry?.bytes?.length) || 0;
      if (bytes >= MAX_BATCH_BYTES) break;
    }
    return { replies };
  };

  return {
    ...single,
    read: waiters.read,
    batch(request) {
      try {
        return storage.atomic(() => {
          inBatch = true;
          try {
            return batch(request);
          } finally {
            inBatch = false;
          }
        });
      } catch (cause) {
        throw cause instanceof StoreError ? cause : new StoreError("The storage failed", { cause });
      } finally {
        for (const key of toWake.splice(0)) waiters.wake(key);
      }
    },
    changesSince: (request) =>
      step(request, (now) => {
        const records = changes(request.since, now)?.map((record) => logged(record, now));
        return records ? { records } : {};
      }),
    info: () => step({}, () => ({ ...storage.usage(), ...storage.counts() })),
    prune: (maxRows) => step({}, (now) => ({ more: pruneEntries(storage, limits, maxRows, now) })).more,
    close: waiters.close,
  };
}

function logged({ at, ...record }: StoredRecord, now: Moment): LogRecord {
  return { ...record, agoMs: since(at, now) };
}
