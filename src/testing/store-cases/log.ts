// Position, log and epoch: how an instance learns what it missed, and how a store finds out that it lost history.
import type { Position } from "../../store/contract.ts";
import { check, checkBetween, checkEqual, present } from "../expect.ts";
import { entryOf } from "../store-driver.ts";
import type { StoreDriver } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

const positionOf = ({ epoch, seq, tip }: Position): Position => ({ epoch, seq, tip });

/** Stores an entry, takes a lease, lets the store see the witness, and expects that all is void. */
async function checkNewEpoch(store: StoreDriver, seen: (position: Position) => Position): Promise<void> {
  await store.set("k", entryOf([1]));
  await store.write({ kind: "tags", tags: ["t"] });
  const grant = await store.lease("loading");
  const before = positionOf(await store.info());
  const reply = await store.read("k", { witness: seen(before) });
  check(reply.epoch !== before.epoch, "there must be a new epoch");
  checkEqual([reply.entry, reply.seq, reply.tip], [undefined, 0, ""], "entry and position in the new epoch");
  checkEqual((await store.commit(grant, entryOf([1]))).outcome, "refused", "a commit of the old epoch");
  checkEqual((await store.changesSince(before)).records, undefined, "records since a position of the old epoch");
  const { leases, tags, logRecords } = await store.info();
  checkEqual([leases, tags, logRecords], [0, 0, 0], "leases, tags and log records");
  checkEqual((await store.load("k", entryOf([2]))).outcome, "stored", "a load in the new epoch");
  checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "its value");
}

export const logCases: readonly StoreCase[] = [
  storeCase("every write has the next seq, and its nonce is the tip; reads and commits move nothing", async (store) => {
    for (const [index, kind] of (["delete", "expire"] as const).entries()) {
      const nonce = store.fresh();
      const reply = await store.write({ kind, key: "k" }, nonce);
      checkEqual(
        [reply.seq, reply.tip, reply.record?.seq],
        [index + 1, nonce, index + 1],
        `the position after ${kind}`,
      );
    }
    await store.load("k", entryOf([1]));
    const { seq } = await store.want("other");
    checkEqual(seq, 2, "seq after a load");
  }),

  storeCase("changesSince gives what was written since a position, complete and in order", async (store) => {
    const start = positionOf(await store.info());
    const nonces = Array.from({ length: 5 }, () => store.fresh());
    const [a, b, c, d, e] = nonces;
    await store.write({ kind: "set", key: "k\u0000", entry: entryOf([1]) }, a);
    await store.write({ kind: "delete", key: "k\u0000" }, b);
    const middle = positionOf(await store.write({ kind: "expire", key: "\u{1f600}" }, c));
    await store.write({ kind: "tags", tags: ["t", "u\u0000"] }, d);
    const last = positionOf(await store.write({ kind: "expireTags", tags: ["t"] }, e));
    const all = present((await store.changesSince(start)).records, "the records");
    for (const { agoMs } of all) checkBetween(agoMs, 0, 10_000, "the age of a record");
    const records = [
      { seq: 1, nonce: a, expire: false, key: "k\u0000" },
      { seq: 2, nonce: b, expire: false, key: "k\u0000" },
      { seq: 3, nonce: c, expire: true, key: "\u{1f600}" },
      { seq: 4, nonce: d, expire: false, tags: ["t", "u\u0000"] },
      { seq: 5, nonce: e, expire: true, tags: ["t"] },
    ];
    checkEqual(
      all.map(({ agoMs: _, ...record }) => record),
      records,
      "all records",
    );
    checkEqual(
      (await store.changesSince(middle)).records?.map(({ seq }) => seq),
      [4, 5],
      "those since the middle",
    );
    checkEqual((await store.changesSince(last)).records, [], "those since the last");
  }),

  storeCase("the age of a record is how long ago it was written", async (store) => {
    const start = positionOf(await store.info());
    await store.write({ kind: "delete", key: "k" });
    await store.fixture.advance(250);
    checkBetween((await store.changesSince(start)).records?.[0]?.agoMs ?? -1, 200, 20_000, "its age");
  }),

  storeCase("changesSince gives no records to a caller that knows no epoch", async (store) => {
    const { epoch } = await store.write({ kind: "delete", key: "k" });
    const reply = await store.changesSince({ epoch: "", seq: 0, tip: "" });
    checkEqual([reply.records, reply.epoch, reply.seq], [undefined, epoch, 1], "the records, epoch and seq");
  }),

  storeCase("changesSince gives no records once the log does not reach back", async (store) => {
    const start = positionOf(await store.info());
    let written = 0;
    while ((await store.changesSince(start)).records !== undefined && written < 4_000) {
      for (let round = 0; round < 200; round++, written++) await store.write({ kind: "delete", key: "k" });
    }
    checkBetween(written, 100, 3_999, "writes until the log did not reach back");
    const { logRecords } = await store.info();
    checkBetween(logRecords, 100, 3_999, "log records");
  }),

  storeCase("a witness ahead of the store makes a new epoch: all it has is void", (store) =>
    checkNewEpoch(store, ({ epoch, seq }) => ({ epoch, seq: seq + 1, tip: "from a lost future" })),
  ),

  storeCase("a witness with another record at the same seq makes a new epoch", (store) =>
    checkNewEpoch(store, ({ epoch, seq }) => ({ epoch, seq, tip: "from another history" })),
  ),

  storeCase("a witness with another record at an older seq makes a new epoch", (store) =>
    checkNewEpoch(store, ({ epoch, seq }) => ({ epoch, seq: seq - 1, tip: "from another history" })),
  ),

  storeCase("changesSince from a position that contradicts the log makes a new epoch", async (store) => {
    const { epoch } = await store.write({ kind: "delete", key: "k" });
    const reply = await store.changesSince({ epoch, seq: 1, tip: "from another history" });
    check(reply.epoch !== epoch, "there must be a new epoch");
    checkEqual(reply.records, undefined, "the records");
  }),

  storeCase("a witness of an epoch that this one does not come after makes a new epoch", (store) =>
    checkNewEpoch(store, () => ({ epoch: "0.1-made-after-a-snapshot-that-came-back", seq: 0, tip: "" })),
  ),

  storeCase(
    "a new epoch comes after the one it replaces and after that of the caller: neither makes another",
    async (store) => {
      const { epoch, seq } = await store.write({ kind: "delete", key: "k" });
      const unknown = { epoch: "0.2-unknown", seq: 3, tip: "x" };
      const second = await store.read("k", { witness: unknown });
      check(second.epoch !== epoch, "there must be a new epoch");
      for (const witness of [unknown, { epoch, seq, tip: "x" }, { epoch, seq: seq + 9, tip: "y" }]) {
        checkEqual((await store.read("k", { witness })).epoch, second.epoch, "the epoch");
        checkEqual((await store.changesSince(witness)).records, undefined, "records since an epoch before");
      }
      const third = await store.read("k", { witness: { ...positionOf(second), seq: 1, tip: "lost" } });
      check(third.epoch !== second.epoch, "there must be a third epoch");
      checkEqual((await store.read("k", { witness: unknown })).epoch, third.epoch, "the epoch, to the oldest witness");
    },
  ),

  storeCase("a witness that agrees or is behind changes nothing", async (store) => {
    const start = positionOf(await store.info());
    const first = positionOf(await store.write({ kind: "delete", key: "k" }));
    const second = positionOf(await store.set("k", entryOf([1])));
    for (const witness of [start, first, second]) {
      const reply = await store.read("k", { witness });
      checkEqual([positionOf(reply), reply.entry?.bytes?.[0]], [second, 1], "position and value");
    }
  }),

  storeCase("each kind of request finds a contradiction out before it does anything", async (store) => {
    const call = {};
    const asks = [
      (witness: Position) => store.write({ kind: "delete", key: "k" }, store.fresh(), undefined, witness),
      (witness: Position) => store.changesSince({ epoch: "", seq: 0, tip: "" }, witness),
      (witness: Position) => store.connection.renew(0, { key: "k", token: "x", leaseMs: 1, witness }, call),
      (witness: Position) => store.connection.release(0, { key: "k", token: "x", backoffMs: 0, witness }, call),
      (witness: Position) =>
        store.connection.commit(0, { key: "k", token: "x", epoch: "", version: 0, entry: entryOf([1]), witness }, call),
    ];
    for (const ask of asks) {
      const { epoch, seq } = await store.info();
      await ask({ epoch, seq: seq + 1, tip: "from a lost future" });
      check((await store.info()).epoch !== epoch, `there must be a new epoch after ${String(ask)}`);
    }
  }),

  storeCase("info counts entries, bytes, leases, tags and log records", async (store) => {
    await store.set("a", entryOf([1, 2, 3]));
    await store.set("b", { ...entryOf([]), bytes: new Uint8Array(10_000) });
    await store.set("c", entryOf([1]));
    await store.write({ kind: "delete", key: "c" });
    await store.write({ kind: "tags", tags: ["t", "u"] });
    await store.lease("k");
    const { entries, bytes, leases, tags, logRecords } = await store.info();
    checkEqual([entries, leases, tags, logRecords], [2, 1, 2, 5], "entries, leases, tags and log records");
    checkBetween(bytes, 10_003, 12_000, "bytes");
  }),
];
