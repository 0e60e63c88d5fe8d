// Reads that the store holds while somebody else loads.
import { check, checkBetween, checkEqual } from "../expect.ts";
import { ROOT, entryOf } from "../store-driver.ts";
import type { HeldRead, StoreDriver } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

const hold = (store: StoreDriver, count: number): Promise<HeldRead[]> =>
  Promise.all(Array.from({ length: count }, () => store.hold("k")));

/** Gives a store in real time the time to answer what it would answer wrongly. */
const settle = (store: StoreDriver): Promise<void> => store.fixture.advance(60);

/** How many got the lease; the others must still wait. */
async function checkOneLease(store: StoreDriver, reads: readonly HeldRead[], what: string): Promise<void> {
  const first = await Promise.race(reads.map(({ reply }) => reply));
  check(first.lease !== undefined, `${what}: the first answer must be the lease`);
  await settle(store);
  checkEqual(reads.filter((read) => read.isDone()).length, 1, `${what}: answered reads`);
}

export const waitingCases: readonly StoreCase[] = [
  storeCase("a commit answers all who wait with the entry", async (store) => {
    const grant = await store.lease("k");
    const reads = await hold(store, 20);
    await store.commit(grant, entryOf([1]));
    for (const { reply } of reads) {
      const { entry, lease, busy } = await reply;
      checkEqual([entry?.bytes?.[0], lease, busy], [1, undefined, undefined], "the answer");
    }
  }),

  storeCase("a commit without waiting readers disturbs nobody, and one of another key wakes nobody", async (store) => {
    const grant = await store.lease("k");
    const [read] = await hold(store, 1);
    await store.load("other", entryOf([1]));
    await settle(store);
    checkEqual(read?.isDone(), false, "answered");
    await store.commit(grant, entryOf([1]));
    await read?.reply;
  }),

  storeCase("a release gives the lease to one of those who wait, and the others wait on", async (store) => {
    const grant = await store.lease("k");
    const reads = await hold(store, 5);
    await store.release(grant);
    await checkOneLease(store, reads, "after the release");
    const lease = await Promise.race(reads.map(({ reply }) => reply));
    check(lease.busy === undefined, "the one with the lease is not busy");
    await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
    const replies = await Promise.all(reads.map(({ reply }) => reply));
    checkEqual(replies.filter(({ entry }) => entry?.bytes?.[0] === 2).length, 4, "reads answered by the set");
  }),

  storeCase("a back-off does not delay those who wait with nothing to serve", async (store) => {
    const grant = await store.lease("k");
    const reads = await hold(store, 3);
    await store.release(grant, 30_000);
    await checkOneLease(store, reads, "after the failed load");
    await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
    await Promise.all(reads.map(({ reply }) => reply));
  }),

  storeCase("a delete or clear of what is being loaded wakes those who wait: one gets the lease", async (store) => {
    for (const write of [{ kind: "delete", key: "k" } as const, { kind: "tags", tags: [ROOT] } as const]) {
      await store.lease("k");
      const reads = await hold(store, 3);
      await store.write(write);
      await checkOneLease(store, reads, `after ${write.kind}`);
      await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
      await Promise.all(reads.map(({ reply }) => reply));
      await store.write({ kind: "delete", key: "k" });
    }
  }),

  storeCase("a commit that is refused wakes those who wait: one gets the lease", async (store) => {
    const grant = await store.lease("k");
    const reads = await hold(store, 3);
    await store.write({ kind: "tags", tags: ["t"] });
    checkEqual((await store.commit(grant, entryOf([1], { tags: ["t"] }))).outcome, "refused", "the commit");
    await checkOneLease(store, reads, "after the refusal");
    await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
    await Promise.all(reads.map(({ reply }) => reply));
  }),

  storeCase("the deadline of the lease lets one of those who wait take over", async (store) => {
    await store.lease("k", 150);
    const reads = await hold(store, 3);
    await store.fixture.advance(400);
    await checkOneLease(store, reads, "after the deadline");
    await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
    await Promise.all(reads.map(({ reply }) => reply));
  }),

  storeCase("a lost epoch wakes those who wait: one gets the lease", async (store) => {
    await store.lease("k");
    const reads = await hold(store, 3);
    const { epoch, seq } = await store.info();
    await store.changesSince({ epoch, seq: seq + 1, tip: "from a lost future" });
    await checkOneLease(store, reads, "in the new epoch");
    await store.write({ kind: "set", key: "k", entry: entryOf([2]) });
    await Promise.all(reads.map(({ reply }) => reply));
  }),

  storeCase("a renewal keeps those who wait waiting, and they get the entry in the end", async (store) => {
    const grant = await store.lease("k", 150);
    const reads = await hold(store, 2);
    await store.renew(grant, 30_000);
    await store.fixture.advance(350);
    checkEqual(
      reads.map((read) => read.isDone()),
      [false, false],
      "answered",
    );
    await store.commit(grant, entryOf([1]));
    for (const { reply } of reads) checkEqual((await reply).entry?.bytes?.[0], 1, "the value");
  }),

  storeCase("a wait that is over is answered with busy", async (store) => {
    await store.lease("k");
    const { reply } = await store.hold("k", 100);
    await store.fixture.advance(300);
    const { busy, lease, entry } = await reply;
    checkBetween(busy?.leftMs ?? 0, 1, 30_000, "the time left");
    checkEqual([lease, entry], [undefined, undefined], "lease and entry");
  }),

  storeCase("a caller that lets go never takes the lease", async (store) => {
    const grant = await store.lease("k");
    const controller = new AbortController();
    const { reply } = await store.hold("k", 20_000, controller.signal);
    controller.abort();
    const outcome = await reply.catch(() => undefined);
    checkEqual(outcome?.lease, undefined, "the lease of the one who let go");
    await settle(store);
    await store.release(grant);
    await store.lease("k");
  }),

  storeCase(
    "a read that may be served a stale entry meanwhile is not held, and one past that window is",
    async (store) => {
      for (const [key, windows] of [
        ["k", { staleIfErrorMs: 60_000 }],
        ["swr", { staleWhileRevalidateMs: 60_000 }],
      ] as const) {
        await store.set(key, entryOf([1], windows));
        await store.write({ kind: "expire", key });
      }
      await store.lease("swr");
      checkEqual((await store.want("swr", { waitMs: 20_000 })).entry?.bytes?.[0], 1, "the value to serve meanwhile");
      const grant = await store.lease("k");
      const { reply } = await store.hold("k");
      await store.commit(grant, entryOf([2]));
      checkEqual((await reply).entry?.bytes?.[0], 2, "the value waited for");
    },
  ),

  storeCase("a read that wants no lease is never held", async (store) => {
    await store.lease("k");
    checkEqual((await store.read("k", { waitMs: 20_000 })).busy, undefined, "busy");
  }),
];
