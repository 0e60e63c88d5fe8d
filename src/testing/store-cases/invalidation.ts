// What delete, expire, tags and clear reach, and what they must leave alone.
import { check, checkBetween, checkEqual, present } from "../expect.ts";
import { ROOT, entryOf } from "../store-driver.ts";
import { storeCase } from "./case.ts";
import type { StoreCase } from "./case.ts";

const stale = { staleWhileRevalidateMs: 60_000, staleIfErrorMs: 60_000 };

export const invalidationCases: readonly StoreCase[] = [
  storeCase("a delete removes the entry of its key and no other", async (store) => {
    await store.set("k", entryOf([1]));
    await store.set("other", entryOf([1]));
    await store.write({ kind: "delete", key: "k" });
    checkEqual((await store.read("k")).entry, undefined, "the entry");
    check((await store.read("other")).entry !== undefined, "the other entry must stay");
  }),

  storeCase("an expired key is stale from that instant, and its windows run", async (store) => {
    await store.set("k", entryOf([1], { ...stale, staleIfErrorMs: 150 }));
    await store.set("over", entryOf([1]));
    await store.write({ kind: "expire", key: "k" });
    await store.write({ kind: "expire", key: "over" });
    const entry = present((await store.read("k")).entry, "the expired entry");
    checkBetween(entry.freshForMs, -10_000, 0, "what is left of ttl");
    await store.fixture.advance(350);
    checkBetween(present((await store.read("k")).entry, "the entry").freshForMs, -20_000, 0, "since when it is stale");
    checkEqual((await store.read("over")).entry, undefined, "an expired entry without windows");
  }),

  storeCase("a repeated expiry extends no window", async (store) => {
    await store.set("k", entryOf([1], { staleWhileRevalidateMs: 200 }));
    await store.write({ kind: "expire", key: "k" });
    await store.fixture.advance(120);
    await store.write({ kind: "expire", key: "k" });
    await store.fixture.advance(120);
    checkEqual((await store.read("k")).entry, undefined, "the entry after its first window");
  }),

  storeCase("expiring what is already stale by age extends no window", async (store) => {
    await store.set("k", entryOf([1], { ttlMs: 50, staleWhileRevalidateMs: 250, tags: ["t"] }));
    await store.fixture.advance(150);
    await store.write({ kind: "expire", key: "k" });
    await store.write({ kind: "expireTags", tags: ["t"] });
    await store.fixture.advance(200);
    checkEqual((await store.read("k")).entry, undefined, "the entry after its natural end");
  }),

  storeCase("an invalidated tag removes what carries it and was there, not what is stored later", async (store) => {
    await store.set("k", entryOf([1], { tags: ["t", "u"] }));
    await store.set("other", entryOf([1], { tags: ["u"] }));
    await store.write({ kind: "tags", tags: ["t"] });
    checkEqual((await store.read("k")).entry, undefined, "the entry");
    check((await store.read("other")).entry !== undefined, "an entry without the tag must stay");
    await store.set("k", entryOf([2], { tags: ["t", "u"] }));
    checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "what was set later");
    await store.write({ kind: "tags", tags: ["nobody has it", "u"] });
    checkEqual(
      [(await store.read("k")).entry, (await store.read("other")).entry],
      [undefined, undefined],
      "all with u",
    );
  }),

  storeCase("tags are told apart exactly", async (store) => {
    const tags = ["t", "T", "t ", "t\u0000", "t\u0000u", "\u{1f600}", "\u{1f601}", "'", '"', "\\", "[]", ""];
    for (const tag of tags) await store.set(`key of ${tag}`, entryOf([1], { tags: [tag] }));
    for (const [index, tag] of tags.entries()) {
      await store.write({ kind: "tags", tags: [tag] });
      const found = await Promise.all(
        tags.map(async (each) => (await store.read(`key of ${each}`)).entry !== undefined),
      );
      checkEqual(
        found,
        tags.map((_, other) => other > index),
        `what is left after ${JSON.stringify(tag)}`,
      );
    }
  }),

  storeCase("a hundred and fifty tags are invalidated by one write", async (store) => {
    const tags = Array.from({ length: 150 }, (_, index) => `tag-${index}`);
    for (const tag of ["tag-0", "tag-100", "tag-149"]) await store.set(tag, entryOf([1], { tags: [tag] }));
    const reply = await store.write({ kind: "tags", tags });
    checkEqual([reply.seq, present(reply.record, "the record").tags], [4, tags], "seq and record");
    for (const tag of ["tag-0", "tag-100", "tag-149"]) checkEqual((await store.read(tag)).entry, undefined, tag);
  }),

  storeCase("an expired tag makes stale what carries it and was there, not what is stored later", async (store) => {
    await store.set("k", entryOf([1], { ...stale, tags: ["t"] }));
    await store.set("over", entryOf([1], { tags: ["t"] }));
    await store.write({ kind: "expireTags", tags: ["t"] });
    const entry = present((await store.read("k")).entry, "the expired entry");
    checkEqual(
      [entry.freshForMs <= 0, entry.freshForMs + entry.staleWhileRevalidateMs > 0],
      [true, true],
      "stale, and within its window",
    );
    checkEqual((await store.read("over")).entry, undefined, "an expired entry without windows");
    await store.set("k", entryOf([2], { ...stale, tags: ["t"] }));
    check(present((await store.read("k")).entry, "the new entry").freshForMs > 0, "what was set later must be fresh");
  }),

  storeCase("an expiry never takes an invalidation of the same tag back, nor the other way round", async (store) => {
    await store.set("k", entryOf([1], { ...stale, tags: ["t"] }));
    await store.write({ kind: "tags", tags: ["t"] });
    await store.write({ kind: "expireTags", tags: ["t"] });
    checkEqual((await store.read("k")).entry, undefined, "the entry");
    await store.set("k", entryOf([2], { ...stale, tags: ["t"] }));
    await store.write({ kind: "expireTags", tags: ["t"] });
    await store.write({ kind: "tags", tags: ["unrelated"] });
    check(present((await store.read("k")).entry, "the entry").freshForMs <= 0, "the expired entry must stay stale");
  }),

  storeCase(
    "a clear removes everything that was there, tagged or not, and nothing that is stored later",
    async (store) => {
      await store.set("k", entryOf([1]));
      await store.set("tagged", entryOf([1], { tags: ["t"] }));
      await store.write({ kind: "tags", tags: [ROOT] });
      checkEqual(
        [(await store.read("k")).entry, (await store.read("tagged")).entry],
        [undefined, undefined],
        "entries",
      );
      await store.set("k", entryOf([2]));
      checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "what was set later");
    },
  ),

  storeCase("a repeat of a write is acknowledged with the first one's record and changes nothing", async (store) => {
    const nonce = store.fresh();
    const first = present((await store.write({ kind: "delete", key: "k" }, nonce)).record, "the first record");
    await store.set("k", entryOf([2]));
    const repeat = await store.write({ kind: "delete", key: "k" }, nonce);
    const record = present(repeat.record, "the record of the repeat");
    checkEqual([record.seq, record.nonce, repeat.seq], [first.seq, nonce, 2], "its seq and nonce, and the position");
    checkEqual((await store.read("k")).entry?.bytes?.[0], 2, "the newer set");
  }),

  storeCase("a write after its deadline is not done, unless it is a repeat of one that was", async (store) => {
    await store.set("k", entryOf([1]));
    const nonce = store.fresh();
    const { time } = await store.write({ kind: "expire", key: "other" }, nonce);
    const late = await store.write({ kind: "delete", key: "k" }, store.fresh(), time - 1);
    checkEqual([late.record, late.seq], [undefined, 2], "record and position");
    check((await store.read("k")).entry !== undefined, "the entry must stay");
    checkEqual(
      (await store.write({ kind: "expire", key: "other" }, nonce, time - 1)).record?.seq,
      2,
      "the repeat's seq",
    );
    checkEqual(
      (await store.write({ kind: "delete", key: "k" }, store.fresh(), time + 60_000)).record?.seq,
      3,
      "in time",
    );
  }),

  storeCase("forgetting old tags takes the tagged entries along, never bringing one back", async (store) => {
    await store.set("invalidated", entryOf([1], { tags: ["t"] }));
    await store.set("older", entryOf([1], { tags: ["u"] }));
    await store.set("plain", entryOf([1]));
    const grant = await store.lease("loading");
    const plain = await store.lease("loading plain");
    await store.write({ kind: "tags", tags: ["t"] });
    for (let round = 0; round < 24; round++) {
      const tags = Array.from({ length: 1_000 }, (_, index) => `${round}-${index}`);
      await store.write({ kind: "tags", tags });
    }
    for (let round = 0; round < 100; round++) await store.write({ kind: "tags", tags: ["last"] });
    check((await store.info()).tags < 24_000, "the store must bound its tags, or this case shows nothing");
    checkEqual((await store.read("invalidated")).entry, undefined, "the invalidated entry");
    checkEqual((await store.read("older")).entry, undefined, "a tagged entry below the floor");
    check((await store.read("plain")).entry !== undefined, "an entry without tags of users must stay");
    checkEqual(
      (await store.commit(grant, entryOf([1], { tags: ["v"] }))).outcome,
      "refused",
      "a tagged commit below the floor",
    );
    checkEqual((await store.commit(plain, entryOf([1]))).outcome, "stored", "an untagged one");
    checkEqual((await store.load("new", entryOf([1], { tags: ["t"] }))).outcome, "stored", "a tagged load begun later");
    check((await store.read("new")).entry !== undefined, "it must be valid");
  }),

  storeCase("a clear is never forgotten, however many tags follow", async (store) => {
    await store.set("k", entryOf([1]));
    await store.write({ kind: "tags", tags: [ROOT] });
    for (let round = 0; round < 24; round++) {
      await store.write({ kind: "tags", tags: Array.from({ length: 1_000 }, (_, index) => `${round}-${index}`) });
    }
    for (let round = 0; round < 100; round++) await store.write({ kind: "tags", tags: ["last"] });
    checkEqual((await store.read("k")).entry, undefined, "the cleared entry");
  }),
];
