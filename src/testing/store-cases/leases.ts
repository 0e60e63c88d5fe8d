// Who may load, and what a load may store.
import { check, checkBetween, checkEqual, present } from "../expect.ts";
import { ROOT, entryOf } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

export const leaseCases: readonly StoreCase[] = [
  storeCase("the first who asks gets the lease, and the next ones learn for how long it is taken", async (store) => {
    const first = await store.want("k");
    checkEqual([first.lease, first.busy], [{ version: 0 }, undefined], "the first answer");
    const second = await store.want("k");
    checkEqual([second.lease, second.entry], [undefined, undefined], "the second answer");
    const busy = present(second.busy, "busy");
    checkBetween(busy.leftMs, 1, 30_000, "the time left");
    checkEqual(busy.backoff, false, "backoff");
    checkEqual((await store.want("another")).lease, { version: 0 }, "the lease of another key");
  }),

  storeCase("a repeat with the same token gets the same lease", async (store) => {
    const grant = await store.lease("k");
    await store.write({ kind: "delete", key: "other" });
    checkEqual((await store.want("k", {}, grant.token)).lease, { version: grant.version }, "the lease");
    checkEqual((await store.commit(grant, entryOf([1]))).outcome, "stored", "the commit");
  }),

  storeCase(
    "no lease is given while the entry is fresh, unless the caller names this very entry for refresh",
    async (store) => {
      await store.set("k", entryOf([1]));
      const { id } = present((await store.read("k")).entry, "the entry");
      checkEqual((await store.want("k")).lease, undefined, "the lease");
      checkEqual(
        (await store.want("k", { refresh: "another" })).lease,
        undefined,
        "the lease to refresh another entry",
      );
      const reply = await store.want("k", { refresh: id });
      checkEqual([reply.lease, reply.entry?.id], [{ version: 1 }, id], "lease and entry");
      checkEqual((await store.want("k", { refresh: id })).busy?.backoff, false, "busy for the next one");
    },
  ),

  storeCase("a stale entry comes with the lease for one, and with busy for the others", async (store) => {
    await store.set("k", entryOf([1], { staleWhileRevalidateMs: 60_000 }));
    await store.write({ kind: "expire", key: "k" });
    const first = await store.want("k");
    checkEqual([first.entry?.bytes?.[0], first.lease], [1, { version: 2 }], "the first answer");
    const second = await store.want("k", { waitMs: 5_000 });
    checkEqual([second.entry?.bytes?.[0], second.busy?.backoff], [1, false], "the second answer");
  }),

  storeCase("a lease past its deadline may be taken over, and then its first holder cannot commit", async (store) => {
    const first = await store.lease("k", 100);
    check((await store.want("k")).busy !== undefined, "the lease must hold until its deadline");
    await store.fixture.advance(300);
    const second = await store.lease("k");
    checkEqual((await store.commit(first, entryOf([1]))).outcome, "refused", "the first commit");
    checkEqual((await store.commit(second, entryOf([2]))).outcome, "stored", "the second commit");
    checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "the value");
  }),

  storeCase("a lease past its deadline that nobody took over still commits", async (store) => {
    const grant = await store.lease("k", 50);
    await store.fixture.advance(200);
    checkEqual((await store.commit(grant, entryOf([1]))).outcome, "stored", "the commit");
  }),

  storeCase("a lease commits once", async (store) => {
    const grant = await store.lease("k");
    await store.commit(grant, entryOf([1]));
    checkEqual((await store.commit(grant, entryOf([2]))).outcome, "refused", "the second commit");
    checkEqual((await store.read("k")).entry?.bytes?.[0], 1, "the value");
  }),

  storeCase("a commit with another token, version or epoch than the lease's stores nothing", async (store) => {
    const grant = await store.lease("k");
    checkEqual(
      (await store.commit({ ...grant, token: store.fresh() }, entryOf([1]))).outcome,
      "refused",
      "another token",
    );
    check((await store.want("k")).busy !== undefined, "a commit by another token must leave the lease");
    checkEqual((await store.commit({ ...grant, version: 7 }, entryOf([1]))).outcome, "refused", "another version");
    const again = await store.lease("k");
    checkEqual((await store.commit({ ...again, epoch: "other" }, entryOf([1]))).outcome, "refused", "another epoch");
    checkEqual((await store.read("k")).entry, undefined, "the entry");
  }),

  storeCase("a renewed lease holds beyond its first deadline, and renewing a lost one says so", async (store) => {
    const grant = await store.lease("k", 150);
    checkEqual(await store.renew(grant, 30_000), true, "held");
    await store.fixture.advance(350);
    check((await store.want("k")).busy !== undefined, "the renewed lease must hold");
    await store.write({ kind: "delete", key: "k" });
    checkEqual(await store.renew(grant), false, "held after a delete");
    checkEqual(await store.renew({ ...grant, token: store.fresh() }), false, "held by another token");
  }),

  storeCase("a released lease is free at once, and nobody can release that of another", async (store) => {
    const grant = await store.lease("k");
    await store.release({ ...grant, token: store.fresh() });
    check((await store.want("k")).busy !== undefined, "the lease must still be taken");
    await store.release(grant);
    checkEqual(await store.renew(grant), false, "held after release");
    await store.lease("k");
  }),

  storeCase("a delete, set or expire of the key during a load keeps the loaded value out", async (store) => {
    for (const kind of ["delete", "set", "expire"] as const) {
      const grant = await store.lease(kind);
      if (kind === "set") await store.set(kind, entryOf([5]));
      else await store.write({ kind, key: kind });
      checkEqual((await store.commit(grant, entryOf([1]))).outcome, "refused", `the commit after ${kind}`);
      checkEqual((await store.read(kind)).entry?.bytes?.[0], kind === "set" ? 5 : undefined, `the value after ${kind}`);
    }
  }),

  storeCase("a tag invalidated during a load keeps out what carries it, and nothing else", async (store) => {
    const tagged = await store.lease("tagged");
    const plain = await store.lease("plain");
    await store.write({ kind: "tags", tags: ["t"] });
    checkEqual(
      (await store.commit(tagged, entryOf([1], { tags: ["s", "t"] }))).outcome,
      "refused",
      "the tagged commit",
    );
    checkEqual((await store.commit(plain, entryOf([1], { tags: ["s"] }))).outcome, "stored", "the plain commit");
    checkEqual(
      (await store.load("tagged", entryOf([2], { tags: ["t"] }))).outcome,
      "stored",
      "a load begun afterwards",
    );
  }),

  storeCase("a refused commit gives the lease back", async (store) => {
    const grant = await store.lease("k");
    await store.write({ kind: "tags", tags: ["t"] });
    await store.commit(grant, entryOf([1], { tags: ["t"] }));
    await store.lease("k");
  }),

  storeCase("a lease older than a clear holds nobody, cannot be renewed and commits nothing", async (store) => {
    const old = await store.lease("k");
    await store.write({ kind: "tags", tags: [ROOT] });
    checkEqual(await store.renew(old), false, "held after the clear");
    const next = await store.lease("k");
    checkEqual((await store.commit(old, entryOf([1]))).outcome, "refused", "the old commit");
    checkEqual((await store.commit(next, entryOf([2]))).outcome, "stored", "the new commit");
  }),

  storeCase("a clear during a load keeps the loaded value out, even if nobody took the lease", async (store) => {
    const grant = await store.lease("k");
    await store.write({ kind: "tags", tags: [ROOT] });
    checkEqual((await store.commit(grant, entryOf([1]))).outcome, "refused", "the commit");
    checkEqual((await store.read("k")).entry, undefined, "the entry");
  }),

  storeCase("a tag expired during a load makes the loaded value stale at once", async (store) => {
    const grant = await store.lease("k");
    await store.write({ kind: "expireTags", tags: ["t"] });
    const reply = await store.commit(grant, entryOf([1], { tags: ["t"], staleWhileRevalidateMs: 60_000 }));
    checkEqual([reply.outcome, reply.freshForMs <= 0], ["stored", true], "the commit");
    const entry = present((await store.read("k")).entry, "the entry");
    checkEqual(
      [entry.freshForMs <= 0, entry.freshForMs + entry.staleWhileRevalidateMs > 0],
      [true, true],
      "stale, and within its window",
    );
  }),

  storeCase("a tag expired or invalidated just before a load does not touch the loaded value", async (store) => {
    await store.write({ kind: "tags", tags: ["t"] });
    await store.write({ kind: "expireTags", tags: ["t"] });
    const reply = await store.load("k", entryOf([1], { tags: ["t"] }));
    checkEqual([reply.outcome, reply.freshForMs], ["stored", 60_000], "the commit");
    check(present((await store.read("k")).entry, "the entry").freshForMs > 0, "it must be fresh");
  }),

  storeCase("a commit after its deadline is refused and gives the lease back", async (store) => {
    const grant = await store.lease("k");
    const { time } = await store.read("k");
    checkEqual((await store.commit(grant, entryOf([1]), { deadline: time - 1 })).outcome, "refused", "the late commit");
    const next = await store.lease("k");
    checkEqual((await store.commit(next, entryOf([1]), { deadline: time + 60_000 })).outcome, "stored", "the other");
  }),

  storeCase("not modified: the old bytes get new life, labels and id at the version of the lease", async (store) => {
    await store.load("k", entryOf([1, 2, 3], { ttlMs: 100, staleIfErrorMs: 60_000, etag: "old" }));
    await store.write({ kind: "expire", key: "k" });
    const keep = present((await store.read("k")).entry, "the entry").id;
    const grant = await store.lease("k");
    const { bytes: _, ...labels } = entryOf([], { tags: ["t"], etag: "new" });
    checkEqual((await store.commit(grant, { ...labels, keep })).outcome, "stored", "the commit");
    const found = present((await store.read("k")).entry, "the entry");
    checkEqual([...present(found.bytes, "the bytes")], [1, 2, 3], "the bytes");
    checkEqual([found.id, found.version, found.etag, found.tags], [grant.token, 1, "new", [ROOT, "t"]], "the rest");
    check(found.freshForMs > 30_000, "it must be fresh again");
  }),

  storeCase("not modified is refused if the entry it names is gone or another", async (store) => {
    const { bytes: _, ...labels } = entryOf([]);
    const grant = await store.lease("k");
    checkEqual((await store.commit(grant, { ...labels, keep: "never was" })).outcome, "refused", "without an entry");
    await store.set("k", entryOf([1]));
    const { id } = present((await store.read("k")).entry, "the entry");
    await store.set("k", entryOf([2]));
    const token = store.fresh();
    const reply = await store.want("k", { refresh: present((await store.read("k")).entry, "the entry").id }, token);
    const again = { key: "k", token, epoch: reply.epoch, version: present(reply.lease, "the lease").version };
    checkEqual((await store.commit(again, { ...labels, keep: id })).outcome, "refused", "with another entry");
    checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "the value");
  }),

  storeCase(
    "during a back-off whoever has something stale is told so, and whoever has nothing gets the lease",
    async (store) => {
      await store.set("stale", entryOf([1], { staleIfErrorMs: 60_000 }));
      await store.write({ kind: "expire", key: "stale" });
      for (const key of ["stale", "nothing"]) await store.release(await store.lease(key), 30_000);
      const reply = await store.want("stale", { waitMs: 5_000 });
      checkEqual(
        [reply.entry?.bytes?.[0], reply.lease, reply.busy?.backoff],
        [1, undefined, true],
        "with a stale entry",
      );
      checkBetween(present(reply.busy, "busy").leftMs, 1, 30_000, "the time left");
      checkEqual((await store.want("nothing")).lease, { version: 2 }, "without an entry");
    },
  ),

  storeCase("a back-off ends by itself, and at once when the key is written", async (store) => {
    await store.set("k", entryOf([1], { staleIfErrorMs: 60_000 }));
    await store.write({ kind: "expire", key: "k" });
    await store.release(await store.lease("k"), 100);
    await store.fixture.advance(300);
    await store.release(await store.lease("k"), 30_000);
    check((await store.want("k")).busy?.backoff === true, "the back-off must hold");
    await store.write({ kind: "expire", key: "k" });
    await store.lease("k");
  }),
];
