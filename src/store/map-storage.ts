// A partition's rows in Maps: the storage of the reference implementation.
import { createLeaseTable } from "./lease-table.ts";
import type {
  EntryHead,
  PartitionMeta,
  PartitionStorage,
  StoredLease,
  StoredRecord,
  TagMark,
} from "./partition-storage.ts";
import { isUserTag } from "./validity.ts";

interface Row {
  readonly head: EntryHead;
  readonly bytes: Uint8Array;
}

/** An empty partition in memory. Its steps are atomic because nothing in them waits or fails. */
export function mapStorage(): PartitionStorage {
  const leases = new Map<string, StoredLease>();
  const rows = new Map<string, Row>(); // in order of use
  const gone = new Map<string, TagMark>();
  const stale = new Map<string, TagMark>();
  let log: StoredRecord[] = [];
  let nonces = new Map<string, StoredRecord>();
  let meta: PartitionMeta | undefined;
  let bytes = 0;
  let tour = rows.values();

  /** The index of the record with this seq: the log has no gaps. */
  const indexOf = (seq: number): number => seq - (log[0]?.seq ?? 0);

  const remove = ({ key, costBytes }: EntryHead): void => {
    if (rows.delete(key)) bytes -= costBytes;
  };

  return {
    ...createLeaseTable(leases),
    atomic: (step) => step(),
    meta: () => meta,
    reset(epochs) {
      leases.clear();
      gone.clear();
      stale.clear();
      log = [];
      nonces = new Map();
      meta = { epochs, seq: 0, tip: "", floor: 0 };
    },
    append(record) {
      log.push(record);
      nonces.set(record.nonce, record);
      if (meta !== undefined) meta = { ...meta, seq: record.seq, tip: record.nonce };
    },
    recordAt: (seq) => log[indexOf(seq)],
    recordOf: (nonce) => nonces.get(nonce),
    recordsAfter: (seq) => log.slice(Math.max(0, indexOf(seq + 1))),
    trimLog(seq) {
      const gone = log.splice(0, Math.max(0, indexOf(seq + 1)));
      for (const record of gone) nonces.delete(record.nonce);
    },
    marks: (names) => names.flatMap((tag) => [gone.get(tag), stale.get(tag)]).filter((mark) => mark !== undefined),
    mark(names, seq, staleAt) {
      for (const tag of names) (staleAt === undefined ? gone : stale).set(tag, { seq, staleAt });
    },
    pruneTags(keep) {
      const seqs = [...gone, ...stale].filter(([tag]) => isUserTag(tag)).map(([, { seq }]) => seq);
      const floor = seqs.sort((a, b) => b - a)[keep];
      if (floor === undefined || meta === undefined) return;
      for (const marks of [gone, stale]) {
        for (const [tag, { seq }] of marks) if (isUserTag(tag) && seq <= floor) marks.delete(tag);
      }
      meta = { ...meta, floor: Math.max(meta.floor, floor) };
    },
    head: (key) => rows.get(key)?.head,
    bytes: (head) => rows.get(head.key)?.bytes.slice(),
    put(head, old, value) {
      const kept = value?.slice() ?? rows.get(head.key)?.bytes;
      if (kept === undefined) return;
      rows.set(head.key, { head, bytes: kept });
      bytes += head.costBytes - (old?.costBytes ?? 0);
    },
    delete: remove,
    touch(head, usedAt) {
      const row = rows.get(head.key);
      if (row === undefined) return;
      rows.delete(head.key);
      rows.set(head.key, { head: { ...head, usedAt }, bytes: row.bytes });
    },
    oldest() {
      for (const { head } of rows.values()) return head;
      return undefined;
    },
    sweep(limit, isOver) {
      for (let left = limit; left > 0; left--) {
        const { value: row } = tour.next();
        if (row === undefined) {
          tour = rows.values();
          return false;
        }
        if (isOver(row.head)) remove(row.head);
      }
      return true;
    },
    usage: () => ({ entries: rows.size, bytes }),
    counts: () => ({
      tags: [...gone.keys(), ...stale.keys()].filter(isUserTag).length,
      logRecords: log.length,
      leases: leases.size,
    }),
  };
}
