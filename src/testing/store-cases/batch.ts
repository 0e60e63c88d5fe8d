// Many operations in one round trip: each as if it came alone.
import { FOREVER, MAX_BATCH_BYTES, MAX_BATCH_ITEMS } from "../../store/contract.ts";
import type { BatchItem, BatchItemReply, ReadReply, WriteReply } from "../../store/contract.ts";
import { check, checkEqual, present } from "../expect.ts";
import { ROOT, entryOf, storeDriver } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

const reading = (key: string, token?: string): BatchItem => ({
  operation: "read",
  request: { key, waitMs: 0, ...(token !== undefined && { lease: { token, leaseMs: 30_000, scopes: [ROOT] } }) },
});
const setting = (key: string, value: number, nonce: string): BatchItem => ({
  operation: "write",
  request: { write: { kind: "set", key, entry: entryOf([value]) }, nonce },
});
const deleting = (key: string, nonce: string): BatchItem => ({
  operation: "write",
  request: { write: { kind: "delete", key }, nonce },
});

const byteOf = (reply: BatchItemReply | undefined): number | undefined =>
  (reply as ReadReply | undefined)?.entry?.bytes?.[0]; // of a read

export const batchCases: readonly StoreCase[] = [
  storeCase(
    "a batch answers each of its reads, in their order, with the lease where it was asked for",
    async (store) => {
      await store.set("a", entryOf([1]));
      await store.set("c", entryOf([3]));
      const replies = await store.batch([reading("a"), reading("b", store.fresh()), reading("c"), reading("a")]);
      checkEqual(replies.map(byteOf), [1, undefined, 3, 1], "the values");
      const [a, b] = replies as ReadReply[];
      checkEqual([a?.lease, b?.lease], [undefined, { version: 2 }], "the leases");
      checkEqual([b?.epoch, b?.seq, b?.tip], [a?.epoch, 2, a?.tip], "the position");
    },
  ),

  storeCase("the writes of a batch are done in their order, each with a record of its own", async (store) => {
    const [one, two, three] = [store.fresh(), store.fresh(), store.fresh()];
    const items = [setting("k", 1, one), setting("k", 2, two), setting("other", 3, three)];
    const replies = (await store.batch(items)) as WriteReply[];
    checkEqual(
      replies.map(({ seq, tip, record }) => [seq, tip, record?.nonce, record?.key]),
      [
        [1, one, one, "k"],
        [2, two, two, "k"],
        [3, three, three, "other"],
      ],
      "positions and records",
    );
    checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "the last value that was set");
    const { records } = await store.changesSince({ ...present(replies[0], "the first"), seq: 1 });
    checkEqual(
      records?.map(({ nonce }) => nonce),
      [two, three],
      "the log",
    );
  }),

  storeCase("a batch that is repeated changes nothing, and its writes are acknowledged as before", async (store) => {
    const items = [setting("k", 1, store.fresh()), deleting("gone", store.fresh())];
    const first = (await store.batch(items)) as WriteReply[];
    await store.set("k", entryOf([9]));
    const again = (await store.batch(items)) as WriteReply[];
    const seqs = (replies: readonly WriteReply[]): unknown => replies.map(({ record }) => record?.seq);
    checkEqual(seqs(again), seqs(first), "the records");
    checkEqual((await store.read("k")).entry?.bytes?.[0], 9, "the newer value");
    checkEqual((await store.info()).seq, 3, "the seq");
  }),

  storeCase("the leases of a batch are committed, renewed and released in a batch", async (store) => {
    const tokens = ["a", "b", "c"].map(() => store.fresh());
    const keys = ["a", "b", "c"].map((key, index) => ({ key, token: tokens[index] ?? "" }));
    const reads = (await store.batch(keys.map(({ key, token }) => reading(key, token)))) as ReadReply[];
    const [grant] = reads;
    const { epoch, lease } = present(grant, "the first reply");
    const { version } = present(lease, "the lease");
    const [a, b, c] = keys.map((key) => ({ ...key, epoch, version }));
    const replies = await store.batch([
      { operation: "commit", request: { ...present(a, "a"), entry: entryOf([1]) } },
      { operation: "renew", request: { ...present(b, "b"), leaseMs: 30_000 } },
      { operation: "release", request: { ...present(c, "c"), backoffMs: 0 } },
    ]);
    checkEqual(
      replies.map((reply) => ("outcome" in reply ? reply.outcome : "held" in reply ? reply.held : "released")),
      ["stored", true, "released"],
      "the outcomes",
    );
    checkEqual((await store.read("a")).entry?.bytes?.[0], 1, "the committed value");
    check((await store.want("b")).busy !== undefined, "the renewed lease is held");
    check((await store.want("c")).lease !== undefined, "the released lease is free");
  }),

  storeCase("a write of a batch revokes the lease of its key, and wakes who waits for it", async (store) => {
    const grant = await store.lease("k");
    const held = await store.hold("k");
    await store.batch([deleting("other", store.fresh()), deleting("k", store.fresh())]);
    check((await held.reply).lease !== undefined, "the one who waited gets the lease");
    checkEqual((await store.commit(grant, entryOf([1]))).outcome, "refused", "the late commit");
  }),

  storeCase("a read of a batch is answered at once, though another holds the lease", async (store) => {
    await store.lease("k");
    const [reply] = (await store.batch([
      {
        operation: "read",
        request: { key: "k", waitMs: 20_000, lease: { token: "t", leaseMs: 1_000, scopes: [ROOT] } },
      },
    ])) as ReadReply[];
    checkEqual(reply?.busy?.backoff, false, "busy, by a load");
  }),

  storeCase("what is out of bounds in a batch is an error of its own, and the others are done", async (store) => {
    const huge = { ttlMs: 2 * FOREVER, staleWhileRevalidateMs: 0, staleIfErrorMs: 0, tags: [ROOT] };
    const entry = { ...huge, bytes: Uint8Array.of(1) };
    const replies = await store.batch([
      setting("a", 1, store.fresh()),
      { operation: "write", request: { write: { kind: "set", key: "b", entry }, nonce: store.fresh() } },
      setting("c", 3, store.fresh()),
    ]);
    checkEqual(
      replies.map((reply) => "error" in reply),
      [false, true, false],
      "which of them failed",
    );
    checkEqual((await store.read("b")).entry, undefined, "what was refused");
    checkEqual((await store.read("c")).entry?.bytes?.[0], 3, "what came after it");
  }),

  storeCase(
    "a store behind the witness of a batch begins one new epoch, and then does what was asked",
    async (store) => {
      const { epoch } = await store.set("old", entryOf([1]));
      const witness = { epoch, seq: 7, tip: "seven" };
      const replies = await store.batch([reading("old"), setting("new", 2, store.fresh()), reading("new")], witness);
      checkEqual(replies.map(byteOf), [undefined, undefined, 2], "what is found");
      const epochs = new Set(replies.map((reply) => (reply as ReadReply).epoch)); // none of them failed
      checkEqual([epochs.size, epochs.has(epoch)], [1, false], "the epochs of the answers");
    },
  ),

  storeCase(
    "a batch of the largest size is answered from the first on, and the rest when it is asked again",
    async (store) => {
      const keys = Array.from({ length: MAX_BATCH_ITEMS }, (_, index) => `key ${index}`);
      let left = keys.map((key, index) => setting(key, index % 251, store.fresh()));
      while (left.length > 0) {
        const replies = await store.batch(left);
        check(replies.length > 0, "at least one is answered");
        left = left.slice(replies.length);
      }
      const found: unknown[] = [];
      while (found.length < keys.length) {
        const replies = await store.batch(keys.slice(found.length).map((key) => reading(key)));
        check(replies.length > 0, "at least one is answered");
        found.push(...replies.map(byteOf));
      }
      checkEqual(
        found,
        keys.map((_, index) => index % 251),
        "the values",
      );
    },
  ),

  storeCase("values too large for one answer come in several", async (store) => {
    const bytes = new Uint8Array(MAX_BATCH_BYTES - 1).fill(7);
    for (const key of ["a", "b", "c"]) await store.set(key, { ...entryOf([]), bytes });
    const replies = (await store.batch(["a", "b", "c"].map((key) => reading(key)))) as ReadReply[];
    check(replies.length > 0 && replies.length < 3, `${replies.length} of 3 are answered`);
    for (const { entry } of replies) checkEqual(entry?.bytes?.length, bytes.length, "the length of a value");
  }),

  storeCase("a batch reaches no other name", async (store) => {
    const other = storeDriver(store.fixture, "conformance-other");
    await store.batch([setting("k", 1, store.fresh())]);
    checkEqual((await other.batch([reading("k")])).map(byteOf), [undefined], "what the other finds");
    await other.connection.close();
  }),
];
