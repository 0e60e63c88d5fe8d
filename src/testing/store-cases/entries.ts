// What a store gives back of an entry, and when it is fresh, stale or over.
import { FOREVER } from "../../store/contract.ts";
import { check, checkBetween, checkEqual, present } from "../expect.ts";
import { ROOT, entryOf, storeDriver } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

const KEYS = [
  "a\u0000b",
  "a\u0000c",
  "\u{1f600}\u{1f601}",
  "\u{1f600}",
  `"'; DROP TABLE x --`,
  "%_\\",
  "\n",
  "x".repeat(1_024),
];

export const entryCases: readonly StoreCase[] = [
  storeCase("a read of an unknown key without a lease finds nothing and takes nothing", async (store) => {
    const reply = await store.read("k");
    checkEqual([reply.entry, reply.lease, reply.busy], [undefined, undefined, undefined], "the answer");
    checkEqual([reply.seq, reply.tip], [0, ""], "the position");
    check(reply.epoch !== "", "there must be an epoch");
    checkEqual((await store.info()).leases, 0, "leases");
  }),

  storeCase("a committed entry comes back as it was, with its id, version, age and windows", async (store) => {
    const labels = {
      ttlMs: 50_000,
      staleWhileRevalidateMs: 7_000,
      staleIfErrorMs: 9_000,
      tags: ["t", "u\u0000\u{1f600}"],
    };
    await store.set("other", entryOf([]));
    const grant = await store.lease("k");
    const entry = entryOf([0, 255, 7], { ...labels, etag: '"e"', lastModified: "Sun, 06 Nov 1994 08:49:37 GMT" });
    const reply = await store.commit(grant, entry);
    checkEqual(reply.outcome, "stored", "the outcome");
    checkEqual(reply.freshForMs, 50_000, "what is left of ttl");
    const { ageMs, freshForMs, ...found } = present((await store.read("k")).entry, "the entry");
    checkEqual(found, { ...entry, id: grant.token, version: 1 }, "the entry");
    checkBetween(ageMs, 0, 5_000, "its age");
    checkEqual(freshForMs, 50_000 - ageMs, "what is left of ttl");
  }),

  storeCase("a set is found at once, at its own seq and under its nonce", async (store) => {
    const reply = await store.set("k", entryOf([1]));
    const entry = present((await store.read("k")).entry, "the entry");
    checkEqual([entry.version, entry.id], [reply.seq, present(reply.record, "the record").nonce], "version and id");
  }),

  storeCase("empty and large values come back byte by byte, and may replace each other", async (store) => {
    const sizes = [0, 3 * 1_048_576 + 1, 1, 2_049, 1_048_576, 2_048, 1_048_577, 0];
    for (const size of sizes) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 31) ^ (index >> 8));
      await store.set("k", { ...entryOf([]), bytes });
      const found = present((await store.read("k")).entry?.bytes, `the ${size} bytes`);
      checkEqual(found.length, size, "the length");
      check(
        found.every((byte, index) => byte === bytes[index]),
        `${size} bytes came back changed`,
      );
    }
  }),

  storeCase("bytes are copied: neither side sees what the other changes later", async (store) => {
    const mine = Uint8Array.of(9, 1, 2, 9).subarray(1, 3);
    await store.set("k", { ...entryOf([]), bytes: mine });
    mine[0] = 77;
    const found = present((await store.read("k")).entry?.bytes, "the bytes");
    checkEqual([...found], [1, 2], "the bytes after the caller changed its own");
    found[0] = 78;
    checkEqual(
      [...present((await store.read("k")).entry?.bytes, "the bytes")],
      [1, 2],
      "the bytes after a reader changed them",
    );
  }),

  storeCase("keys of any characters are told apart", async (store) => {
    for (const [index, key] of KEYS.entries()) await store.set(key, entryOf([index]));
    for (const [index, key] of KEYS.entries()) {
      checkEqual((await store.read(key)).entry?.bytes?.[0], index, `the value of ${JSON.stringify(key)}`);
    }
    checkEqual((await store.info()).entries, KEYS.length, "entries");
  }),

  storeCase("an entry past ttl is stale in its windows and gone after the last of them", async (store) => {
    await store.set("swr", entryOf([1], { ttlMs: 100, staleWhileRevalidateMs: 60_000 }));
    await store.set("sie", entryOf([1], { ttlMs: 100, staleIfErrorMs: 60_000 }));
    await store.set("over", entryOf([1], { ttlMs: 100, staleWhileRevalidateMs: 20, staleIfErrorMs: 30 }));
    await store.fixture.advance(300);
    for (const key of ["swr", "sie"]) {
      checkBetween(present((await store.read(key)).entry, key).freshForMs, -60_000, 0, `since when ${key} is stale`);
    }
    checkEqual((await store.read("over")).entry, undefined, "the entry past its windows");
  }),

  storeCase("an entry that is never fresh is stored for its stale window, whether set or committed", async (store) => {
    const labels = { ttlMs: 0, staleWhileRevalidateMs: 60_000 };
    await store.set("set", entryOf([1], labels));
    const reply = await store.load("committed", entryOf([2], labels));
    checkEqual([reply.outcome, reply.freshForMs], ["stored", 0], "the commit");
    for (const key of ["set", "committed"]) {
      checkBetween(present((await store.read(key)).entry, key).freshForMs, -60_000, 0, `since when ${key} is stale`);
    }
  }),

  storeCase("windows without an end stay without an end", async (store) => {
    const windows = { ttlMs: FOREVER, staleWhileRevalidateMs: FOREVER, staleIfErrorMs: FOREVER };
    await store.set("k", entryOf([1], windows));
    await store.fixture.advance(20);
    const fresh = present((await store.read("k")).entry, "the entry");
    checkEqual(fresh.freshForMs, FOREVER, "what is left of ttl");
    await store.write({ kind: "expire", key: "k" });
    await store.fixture.advance(20);
    const stale = present((await store.read("k")).entry, "the expired entry");
    check(stale.freshForMs <= 0, "an expired entry is not fresh");
    checkEqual([stale.staleWhileRevalidateMs, stale.staleIfErrorMs], [FOREVER, FOREVER], "stale windows");
  }),

  storeCase("a reader that holds the very entry gets it without the bytes, another gets the bytes", async (store) => {
    await store.set("k", entryOf([1]));
    const first = present((await store.read("k")).entry, "the entry");
    const same = present((await store.read("k", { hold: first.id })).entry, "the held entry");
    checkEqual([same.id, "bytes" in same], [first.id, false], "id, and whether there are bytes");
    await store.set("k", entryOf([2]));
    checkEqual((await store.read("k", { hold: first.id })).entry?.bytes?.[0], 2, "the newer value");
  }),

  storeCase("an entry with a hundred and fifty tags is invalidated by any of them", async (store) => {
    const tags = Array.from({ length: 150 }, (_, index) => `tag-${index}`);
    await store.set("k", entryOf([1], { tags }));
    checkEqual((await store.read("k")).entry?.tags, [ROOT, ...tags], "its tags");
    await store.write({ kind: "tags", tags: ["tag-149"] });
    checkEqual((await store.read("k")).entry, undefined, "the entry");
  }),

  storeCase("caches of one name share everything, and of another name nothing", async (store) => {
    await store.set("k", entryOf([1]));
    const friend = storeDriver(store.fixture);
    const stranger = storeDriver(store.fixture, "another name");
    check((await friend.read("k")).entry !== undefined, "the same name must find the entry");
    checkEqual((await stranger.read("k")).entry, undefined, "the entry under another name");
    await stranger.write({ kind: "tags", tags: [ROOT] });
    await stranger.connection.close();
    await stranger.connection.close();
    await friend.connection.close();
    check((await store.read("k")).entry !== undefined, "the entry must survive what another name does");
  }),

  storeCase("absurd requests are refused with a StoreError, and the store works on", async (store) => {
    const tags = Array.from({ length: 5_000 }, (_, index) => `t${index}`);
    const absurd = [
      store.set("k", entryOf([1], { tags })),
      store.set("k", entryOf([1], { ttlMs: Number.NaN })),
      store.set("k", entryOf([1], { ttlMs: -1 })),
      store.set("x".repeat(1_000_000), entryOf([1])),
      store.write({ kind: "tags", tags }),
    ];
    for (const outcome of await Promise.allSettled(absurd)) {
      check(outcome.status === "rejected", "an absurd request was done");
      checkEqual((outcome.reason as { code?: unknown }).code, "ISOCACHE_STORE", "the code"); // any error may have one
    }
    checkEqual((await store.info()).seq, 0, "seq");
  }),
];
