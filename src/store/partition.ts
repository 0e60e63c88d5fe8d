// The protocol of a partition: leases, versions, tags and log over any synchronous storage, each operation one atomic step.
import { StoreError } from "../errors.ts";
import { checkCommit, checkMs, checkRead, checkWrite } from "./check.ts";
import type {
  CallOptions,
  ChangesReply,
  ChangesRequest,
  CommitReply,
  CommitRequest,
  EntryMeta,
  FoundEntry,
  InfoReply,
  LogRecord,
  Position,
  ReadReply,
  ReadRequest,
  ReleaseRequest,
  RenewReply,
  RenewRequest,
  Stamp,
  WriteReply,
  WriteRequest,
} from "./contract.ts";
import type { EntryHead, PartitionMeta, PartitionStorage, StoredLease, StoredRecord } from "./partition-storage.ts";
import { isOver, isRevoked, isUserTag, windowsOf } from "./validity.ts";
import { createWaiters } from "./waiters.ts";

/** The bounds of a partition. All of them are safe to reach. */
export interface PartitionLimits {
  /** Of all entries together, keys and tags included. Beyond it the least recently used ones go. Default 256 MB. */
  readonly maxBytes: number;
  /** Default 100,000. */
  readonly maxEntries: number;
  /** Tags of users that are remembered; beyond it the oldest tenth goes and raises the floor. Default 10,000. */
  readonly maxTags: number;
  /** Invalidations that `changesSince` reaches back, at least 1. Default 1,000. */
  readonly maxLogRecords: number;
  /** Reads that may be held at once. Default 1,000. */
  readonly maxWaiters: number;
  /** Entries looked at for removal whenever one is stored, for an owner that never calls `prune`. Default 0. */
  readonly sweepEntries: number;
}

/** What `createPartition` needs. */
export interface PartitionOptions {
  readonly storage: PartitionStorage;
  /** The store's clock, in milliseconds. It may jump. */
  now(): number;
  /** Uniform in [0, 1), good enough for ids. */
  random(): number;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
  readonly limits?: Partial<PartitionLimits>;
}

/**
 * One partition. Everything but a held read is one synchronous atomic step, which throws a StoreError if the request is
 * beyond its bounds or the storage failed; a read rejects with it.
 */
export interface Partition {
  read(request: ReadRequest, call: CallOptions): Promise<ReadReply>;
  commit(request: CommitRequest): CommitReply;
  renew(request: RenewRequest): RenewReply;
  release(request: ReleaseRequest): Stamp;
  write(request: WriteRequest): WriteReply;
  changesSince(request: ChangesRequest): ChangesReply;
  info(): InfoReply;
  /** Removes what is invalid among the next `maxRows` entries, and evicts at most as many. True: there is more to do. */
  prune(maxRows: number): boolean;
  /** Answers all held reads. Idempotent; the partition can still be used. */
  close(): void;
}

const DEFAULT_LIMITS: PartitionLimits = {
  maxBytes: 256 * 1_048_576,
  maxEntries: 100_000,
  maxTags: 10_000,
  maxLogRecords: 1_000,
  maxWaiters: 1_000,
  sweepEntries: 0,
};

/** An access is written down at most this often. */
const COARSE_MS = 3_600_000;
/** One `changesSince` answers at most so many records, of together so many characters of tags and keys. */
const MAX_ANSWER_RECORDS = 1_000;
const MAX_ANSWER_CHARS = 1_048_576;
/** No lease blocks longer, whatever was asked for. */
const MAX_LEASE_MS = 600_000;
const MAX_BACKOFF_MS = 86_400_000;
/** How long a lease that ran over may still be committed if nobody took it. */
const OVERRUN_MS = 600_000;
/** Evicted at most in one step, in portions. */
const EVICT_ROWS = 1_000;
const EVICT_PORTION = 50;
/** What an entry takes besides value, key and tags; about right for a row and for a Map. */
const ENTRY_OVERHEAD = 200;

/** Opens a partition over its storage. Does nothing until it is asked something. */
export function createPartition(options: PartitionOptions): Partition {
  const { storage, now, random } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  /** How many tags may be marked before they are counted again. */
  let tagRoom = 0;

  /** True if the caller saw more, or something else, than this history has: acknowledged writes were lost. */
  const contradicts = (meta: PartitionMeta, seen: Position | undefined): boolean => {
    if (seen?.epoch !== meta.epoch || seen.seq < 1) return false;
    const tip = seen.seq === meta.seq ? meta.tip : storage.recordAt(seen.seq)?.nonce;
    return seen.seq > meta.seq || (tip !== undefined && tip !== seen.tip);
  };

  /** Runs one atomic step. A new epoch wakes everybody: the leases they wait for are void. */
  const step = <T>(seen: readonly (Position | undefined)[], body: (meta: PartitionMeta, time: number) => T): T => {
    let reborn = false;
    try {
      return storage.atomic(() => {
        let meta = storage.meta();
        if (meta === undefined || seen.some((position) => contradicts(meta!, position))) {
          reborn = true;
          meta = { epoch: randomId(random), seq: 0, tip: "", floor: 0 };
          storage.reset(meta.epoch);
        }
        return body(meta, now());
      });
    } catch (cause) {
      throw cause instanceof StoreError ? cause : new StoreError("The store's storage failed", { cause });
    } finally {
      if (reborn) waiters.wakeAll();
    }
  };

  /** The entry of a head, if it is valid, without its bytes. */
  const find = (head: EntryHead, meta: PartitionMeta, time: number): FoundEntry | undefined => {
    if (head.epoch !== meta.epoch) return undefined;
    const marks = storage.marks(head.tags);
    if (isRevoked(head.version, head.tags, marks, meta)) return undefined;
    const windows = windowsOf(head, marks, time);
    if (isOver(windows)) return undefined;
    return { ...labelsOf(head), id: head.id, version: head.version, ...windows };
  };

  const isOverfull = (): boolean => {
    const { entries, bytes } = storage.usage();
    return bytes > limits.maxBytes || entries > limits.maxEntries;
  };

  /** Removes the least recently used entries until the rest fits, at most so many. */
  const evict = (maxRows: number): void => {
    for (let left = maxRows; left > 0 && isOverfull(); left -= EVICT_PORTION) {
      for (const head of storage.oldest(Math.min(left, EVICT_PORTION))) if (isOverfull()) storage.delete(head);
    }
  };

  /** Removes what is invalid among the next entries; true if the tour of all entries is not over. */
  const sweep = (maxRows: number, meta: PartitionMeta, time: number): boolean => {
    const { heads, more } = storage.scan(maxRows);
    for (const head of heads) if (find(head, meta, time) === undefined) storage.delete(head);
    return more;
  };

  /** Stores an entry; without bytes it keeps those of `old`. One that alone is too large only removes the old one. */
  const store = (head: EntryHead, bytes: Uint8Array | undefined, old: EntryHead | undefined, meta: PartitionMeta) => {
    if (head.costBytes > limits.maxBytes) {
      if (old !== undefined) storage.delete(old);
      return;
    }
    const { usedAt, storedAt } = head;
    if (old !== undefined && old.usedAt !== usedAt) storage.touch(old, usedAt);
    storage.put(head, bytes, old);
    if (limits.sweepEntries > 0) sweep(limits.sweepEntries, meta, storedAt);
    evict(EVICT_ROWS);
  };

  const mine = ({ key, token }: RenewRequest | ReleaseRequest | CommitRequest, { epoch }: Position) => {
    const lease = storage.lease(key);
    return lease?.token === token && lease.epoch === epoch ? lease : undefined;
  };

  const isGated = ({ version, scopes }: StoredLease, meta: PartitionMeta): boolean =>
    isRevoked(version, scopes, storage.marks(scopes), meta);

  /** What is left of a lease. A clock that went back must not prolong it by as much: it counts from now. */
  const leftOf = (lease: StoredLease, time: number): number => {
    if (lease.at > time) storage.putLease({ ...lease, at: time });
    return lease.spanMs - Math.max(0, time - lease.at);
  };

  /** The lease for the taker, or who is busy. */
  const take = (
    { key, lease: wanted }: ReadRequest,
    found: FoundEntry | undefined,
    meta: PartitionMeta,
    time: number,
  ): Pick<ReadReply, "lease" | "busy"> => {
    if (wanted === undefined) return {};
    const { token, scopes } = wanted;
    const held = storage.lease(key);
    if (held?.epoch === meta.epoch) {
      if (held.token === token) return { lease: { version: held.version } };
      const { backoff } = held;
      const leftMs = isGated(held, meta) || (backoff && found === undefined) ? 0 : leftOf(held, time);
      if (leftMs > 0) return { busy: { leftMs, backoff } };
    }
    const { epoch, seq: version } = meta;
    const spanMs = Math.min(wanted.leaseMs, MAX_LEASE_MS);
    storage.sweepLeases(time - OVERRUN_MS);
    storage.putLease({ key, token, epoch, version, at: time, spanMs, backoff: false, scopes: [...scopes] });
    return { lease: { version } };
  };

  const waiters = createWaiters({
    maxWaiters: limits.maxWaiters,
    setTimer: options.setTimer,
    clearTimer: options.clearTimer,
    attempt: (request) =>
      step([request.witness], (meta, time) => {
        const head = storage.head(request.key);
        let entry = head && find(head, meta, time);
        if (head !== undefined && entry !== undefined && request.hold !== entry.id) {
          const bytes = storage.bytes(head);
          entry = bytes && { ...entry, bytes };
        }
        if (head !== undefined && entry !== undefined && time - head.usedAt >= COARSE_MS) storage.touch(head, time);
        const served = entry !== undefined && entry.freshForMs > 0 && request.refresh !== entry.id;
        return { ...stamp(meta, time), ...(entry && { entry }), ...(served ? {} : take(request, entry, meta, time)) };
      }),
  });

  const commit = (request: CommitRequest, meta: PartitionMeta, time: number): CommitReply => {
    const { key, token, entry, epoch, version, deadline } = request;
    const refused = {
      ...stamp(meta, time),
      outcome: "refused",
      freshForMs: 0,
      revalidateForMs: 0,
      errorForMs: 0,
    } as const;
    const lease = mine(request, meta);
    if (lease === undefined) return refused;
    storage.deleteLease(key);
    const late = deadline !== undefined && time > deadline;
    const marks = storage.marks(entry.tags);
    const other = lease.epoch !== epoch || lease.version !== version;
    if (other || late || isRevoked(version, entry.tags, marks, meta)) return refused;
    const old = storage.head(key);
    const keep = "keep" in entry;
    if (keep && (old?.id !== entry.keep || old.epoch !== epoch)) return refused;
    const valueBytes = keep ? (old?.valueBytes ?? 0) : entry.bytes.length;
    const head = headOf({ key, id: token, epoch, version }, entry, valueBytes, old, time);
    store(head, keep ? undefined : entry.bytes, old, meta);
    const { freshForMs, revalidateForMs, errorForMs } = windowsOf(head, marks, time);
    return { ...stamp(meta, time), outcome: "stored", freshForMs, revalidateForMs, errorForMs };
  };

  /** Marks tags; when there may be too many, the oldest tenth goes. */
  const mark = (tags: readonly string[], seq: number, staleAt: number | undefined): void => {
    storage.mark(tags, seq, staleAt);
    tagRoom -= tags.length;
    if (tagRoom >= 0) return;
    tagRoom = limits.maxTags - storage.counts().tags;
    if (tagRoom >= 0) return;
    storage.pruneTags(Math.floor(limits.maxTags * 0.9));
    tagRoom = Math.max(0, limits.maxTags - storage.counts().tags);
  };

  const apply = ({ write, nonce }: WriteRequest, seq: number, meta: PartitionMeta, time: number): void => {
    if ("tags" in write) return mark(write.tags, seq, write.kind === "tags" ? undefined : time);
    const { key } = write;
    storage.deleteLease(key);
    const old = storage.head(key);
    if (write.kind === "set") {
      const { entry } = write;
      const head = headOf({ key, id: nonce, epoch: meta.epoch, version: seq }, entry, entry.bytes.length, old, time);
      store(head, entry.bytes, old, meta);
    } else if (old === undefined) return;
    else if (write.kind === "delete") storage.delete(old);
    else storage.put({ ...old, expiredAt: Math.min(old.expiredAt ?? time, time) }, undefined, old);
  };

  const write = (request: WriteRequest, meta: PartitionMeta, time: number): WriteReply => {
    const { nonce, deadline, write } = request;
    const first = storage.recordOf(nonce);
    if (first !== undefined) return { ...stamp(meta, time), record: logged(first, time) };
    if (deadline !== undefined && time > deadline) return stamp(meta, time);
    const seq = meta.seq + 1;
    const what = "key" in write ? { key: write.key } : { tags: [...write.tags] };
    const record = { seq, nonce, at: time, expire: write.kind.startsWith("expire"), ...what };
    apply(request, seq, meta, time);
    storage.append(record);
    if (seq > limits.maxLogRecords) storage.trimLog(seq - limits.maxLogRecords);
    return { ...stamp({ ...meta, seq, tip: nonce }, time), record: logged(record, time) };
  };

  const changes = (since: Position, meta: PartitionMeta): readonly StoredRecord[] | undefined => {
    const count = meta.seq - since.seq;
    if (since.epoch !== meta.epoch || count > MAX_ANSWER_RECORDS) return undefined;
    const records = count > 0 ? storage.recordsAfter(since.seq, count) : [];
    let chars = 0;
    const complete = records.every(({ seq, key = "", tags = [] }, index) => {
      chars += key.length + charsOf(tags);
      return seq === since.seq + 1 + index;
    });
    return complete && records.length === count && chars <= MAX_ANSWER_CHARS ? records : undefined;
  };

  return {
    async read(request, call) {
      checkRead(request);
      return waiters.read(request, call);
    },
    commit(request) {
      checkCommit(request);
      const reply = step([request.witness], (meta, time) => commit(request, meta, time));
      waiters.wake(request.key);
      return reply;
    },
    renew(request) {
      checkMs(request.leaseMs);
      const reply = step([request.witness], (meta, time) => {
        const lease = mine(request, meta);
        const held = lease !== undefined && !isGated(lease, meta);
        if (held) storage.putLease({ ...lease, at: time, spanMs: Math.min(request.leaseMs, MAX_LEASE_MS) });
        return { ...stamp(meta, time), held };
      });
      waiters.wake(request.key);
      return reply;
    },
    release(request) {
      checkMs(request.backoffMs);
      const reply = step([request.witness], (meta, time) => {
        const lease = mine(request, meta);
        const spanMs = Math.min(request.backoffMs, MAX_BACKOFF_MS);
        if (lease !== undefined) {
          if (spanMs > 0) storage.putLease({ ...lease, token: "", at: time, spanMs, backoff: true });
          else storage.deleteLease(lease.key);
        }
        return stamp(meta, time);
      });
      waiters.wake(request.key);
      return reply;
    },
    write(request) {
      checkWrite(request);
      const reply = step([request.witness], (meta, time) => write(request, meta, time));
      if ("key" in request.write) waiters.wake(request.write.key);
      else if (!request.write.tags.every(isUserTag)) waiters.wakeAll();
      return reply;
    },
    changesSince: ({ since, witness }) =>
      step([witness, since], (meta, time) => {
        const records = changes(since, meta)?.map((record) => logged(record, time));
        return { ...stamp(meta, time), ...(records && { records }) };
      }),
    info: () => step([], (meta, time) => ({ ...stamp(meta, time), ...storage.usage(), ...storage.counts() })),
    prune: (maxRows) =>
      step([], (meta, time) => {
        storage.sweepLeases(time - OVERRUN_MS);
        const more = sweep(maxRows, meta, time);
        evict(maxRows);
        return more || isOverfull();
      }),
    close: waiters.close,
  };
}

const stamp = ({ epoch, seq, tip }: PartitionMeta, time: number): Stamp => ({ epoch, seq, tip, time });

const randomId = (random: () => number): string =>
  [random(), random()].map((part) => Math.floor(part * 2 ** 53).toString(36)).join("-");

const charsOf = (tags: readonly string[]): number => tags.reduce((sum, tag) => sum + tag.length, 0);

function logged({ at, seq, nonce, expire, key, tags }: StoredRecord, time: number): LogRecord {
  const what = tags === undefined ? (key === undefined ? {} : { key }) : { tags: [...tags] };
  return { seq, nonce, expire, ...what, agoMs: Math.max(0, time - at) };
}

/** A copy of the windows and labels alone. */
function labelsOf({ ttlMs, staleWhileRevalidateMs, staleIfErrorMs, tags, etag, lastModified }: EntryMeta): EntryMeta {
  return {
    ttlMs,
    staleWhileRevalidateMs,
    staleIfErrorMs,
    tags: [...tags],
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

function headOf(
  identity: Pick<EntryHead, "key" | "id" | "epoch" | "version">,
  entry: EntryMeta,
  valueBytes: number,
  old: EntryHead | undefined,
  time: number,
): EntryHead {
  return {
    ...labelsOf(entry),
    ...identity,
    storedAt: time,
    usedAt: old !== undefined && time - old.usedAt < COARSE_MS ? old.usedAt : time,
    valueBytes,
    costBytes: valueBytes + identity.key.length + charsOf(entry.tags) + ENTRY_OVERHEAD,
  };
}
