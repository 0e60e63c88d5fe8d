// The memory tier: bounded at every instant, expired before live, and nothing it holds is lost or linked wrongly.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Slot } from "../../src/memory/slot.ts";
import { createMemoryTier, ENTRY_OVERHEAD_BYTES, type EvictionCause, type MemoryTier } from "../../src/memory/tier.ts";
import { checkRings, isUnlinked } from "./rings.ts";

const costOf = (key: string, bytes: number): number => bytes + key.length * 2 + ENTRY_OVERHEAD_BYTES;

const create = ({ maxBytes = 1_000_000, maxEntries = 3 } = {}) => {
  const evicted: string[] = [];
  const tier = createMemoryTier<string>({
    maxBytes,
    maxEntries,
    onEvict: (slot, cause) => evicted.push(`${slot.key} ${cause}`),
  });
  const set = (key: string, expiresAt = Infinity, now = 0) => tier.set(key, `item of ${key}`, 10, expiresAt, now);
  return { tier, evicted, set };
};

describe("reading and writing", () => {
  test("get and peek find what was set, and nothing else", () => {
    const { tier, set } = create();
    expect(set("a", 5)).toBe(true);
    expect(tier.get("a")).toMatchObject({ key: "a", item: "item of a", expiresAt: 5 });
    expect(tier.peek("a")).toBe(tier.get("a"));
    expect(tier.get("b")).toBeUndefined();
    expect(tier.peek("__proto__")).toBeUndefined();
  });

  test("get reads no clock: an expired slot is still found", () => {
    const { tier, set } = create();
    set("a", -1);
    expect(tier.get("a")?.expiresAt).toBe(-1);
  });

  test("a set replaces the slot by another object, and tells nobody of an eviction", () => {
    const { tier, evicted, set } = create();
    set("a");
    const first = tier.peek("a")!;
    tier.set("a", "second", 20, Infinity, 0);
    expect(tier.peek("a")).not.toBe(first);
    expect(isUnlinked(first)).toBe(true);
    expect([tier.entries, tier.bytes, evicted]).toEqual([1, costOf("a", 20), []]);
  });

  test("delete says whether there was something", () => {
    const { tier, set } = create();
    set("a");
    const slot = tier.peek("a")!;
    expect([tier.delete("a"), tier.delete("a"), tier.entries, tier.bytes]).toEqual([true, false, 0, 0]);
    expect(isUnlinked(slot)).toBe(true);
  });

  test("after clear it is empty and works as new", () => {
    const { tier, evicted, set } = create();
    for (const key of ["a", "b", "c"]) set(key, 10);
    tier.clear();
    expect([tier.entries, tier.bytes, tier.peek("a"), tier.delete("b")]).toEqual([0, 0, undefined, false]);
    for (const key of ["d", "e", "f", "g"]) set(key, Infinity, 20);
    expect(evicted).toEqual(["d size"]);
    expect(tier.bytes).toBe(3 * costOf("e", 10));
  });
});

describe("bounds", () => {
  test("the least recently used goes first; get counts as use, peek does not", () => {
    const { tier, evicted, set } = create();
    for (const key of ["a", "b", "c"]) set(key);
    tier.get("a");
    tier.peek("b");
    set("d");
    set("e");
    expect(evicted).toEqual(["b size", "c size"]);
  });

  test("bytes count key, item and overhead, and as many entries go as one needs", () => {
    const { tier, evicted } = create({ maxBytes: 4_100, maxEntries: 100 });
    for (let index = 0; index < 20; index++) tier.set(`k${index}`, "small", 36, Infinity, 0);
    expect([tier.entries, tier.bytes]).toEqual([20, 10 * costOf("k0", 36) + 10 * costOf("k10", 36)]);
    expect(tier.set("large", "large", 500, Infinity, 0)).toBe(true);
    expect(evicted).toEqual(["k0", "k1", "k2"].map((key) => `${key} size`));
    expect(tier.bytes).toBe(7 * costOf("k0", 36) + 10 * costOf("k10", 36) + costOf("large", 500));
  });

  test("an item above an eighth of the tier is refused, and takes the older one of its key along", () => {
    const { tier, evicted } = create({ maxBytes: 8_000 });
    expect(tier.set("a", "just fits", 1_000, Infinity, 0)).toBe(true);
    expect(tier.set("b", "other", 10, Infinity, 0)).toBe(true);
    expect(tier.set("a", "too large", 1_000.5, Infinity, 0)).toBe(false);
    expect([tier.peek("a"), tier.entries, evicted]).toEqual([undefined, 1, []]);
  });

  test("entries fill the tier to the last byte", () => {
    const { tier, evicted } = create({ maxBytes: 10 * costOf("0", 10), maxEntries: 100 });
    for (let index = 0; index < 10; index++) tier.set(String(index), "", 10, Infinity, 0);
    expect([tier.entries, evicted]).toEqual([10, []]);
    tier.set("x", "", 10, Infinity, 0);
    expect([tier.entries, evicted]).toEqual([10, ["0 size"]]);
  });

  test("an entry that would not fit into the empty tier pushes nothing out", () => {
    const { tier, evicted } = create({ maxBytes: costOf("a", 20) });
    tier.set("a", "", 10, Infinity, 0);
    expect(tier.set("a key too long for it", "", 10, Infinity, 0)).toBe(false);
    expect([tier.entries, evicted]).toEqual([1, []]);
  });

  test.each([NaN, Infinity])("an item of %d bytes is refused", (bytes) => {
    const { tier } = create();
    expect([tier.set("a", "", bytes, Infinity, 0), tier.bytes]).toEqual([false, 0]);
  });

  test.each([
    { maxBytes: 0, maxEntries: 10 },
    { maxBytes: ENTRY_OVERHEAD_BYTES, maxEntries: 10 },
    { maxBytes: 1_000_000, maxEntries: 0 },
  ])("a tier without room for one entry ($maxBytes bytes, $maxEntries entries) holds nothing", (bounds) => {
    const { tier } = create(bounds);
    expect([tier.set("a", "", 0, Infinity, 0), tier.entries, tier.bytes]).toEqual([false, 0, 0]);
  });
});

describe("expiry", () => {
  test("an expired slot goes before one that is live and was used longer ago", () => {
    const { tier, evicted, set } = create();
    set("oldest");
    set("short", 10);
    set("long", 1_000);
    tier.get("short");
    set("new", Infinity, 10);
    expect(evicted).toEqual(["short expired"]);
  });

  test("expired slots are cleared away two per set, even while there is room", () => {
    const { tier, evicted, set } = create({ maxEntries: 100 });
    for (let index = 0; index < 5; index++) set(`short ${index}`, 10);
    for (const entries of [4, 3, 3]) {
      set(`new ${entries} ${evicted.length}`, Infinity, 10);
      expect(tier.entries).toBe(entries);
    }
    expect(new Set(evicted)).toEqual(new Set([0, 1, 2, 3, 4].map((index) => `short ${index} expired`)));
  });
});

describe("listeners", () => {
  test("one that throws keeps no value out", () => {
    const tier = createMemoryTier<string>({
      maxBytes: 10_000,
      maxEntries: 1,
      onEvict: () => {
        throw new Error("listener");
      },
    });
    tier.set("a", "a", 10, Infinity, 0);
    expect(tier.set("b", "b", 10, Infinity, 0)).toBe(true);
    expect([tier.peek("a"), tier.peek("b")?.item, tier.entries]).toEqual([undefined, "b", 1]);
  });

  test("one that writes the very key being set, or clears the tier, breaks nothing", () => {
    for (const react of [
      (tier: MemoryTier<string>) => void tier.set("c", "from the listener", 10, 10, 0),
      (tier: MemoryTier<string>) => tier.clear(),
    ]) {
      let reacted = false;
      const tier: MemoryTier<string> = createMemoryTier<string>({
        maxBytes: 10_000,
        maxEntries: 2,
        onEvict() {
          if (!reacted) react(tier);
          reacted = true;
        },
      });
      for (const key of ["a", "b", "c"]) tier.set(key, `item of ${key}`, 10, 10, 0);
      expect(reacted).toBe(true);
      expect(tier.peek("c")?.item).toBe("item of c");
      const held = ["a", "b", "c"].flatMap((key) => tier.peek(key) ?? []);
      expect(checkRings(held).at(-1)).toBe("c");
      expect([tier.entries, tier.bytes]).toEqual([held.length, held.length * costOf("a", 10)]);
    }
  });
});

test("a million entries go in and come out in seconds", { timeout: 60_000 }, () => {
  const tier = createMemoryTier<number>({ maxBytes: 1e9, maxEntries: 500_000 });
  for (let index = 0; index < 1_000_000; index++) tier.set(`key ${index}`, index, 10, 1_000 + index / 2, index / 10);
  expect(tier.entries).toBe(500_000);
  expect(tier.get("key 999999")?.item).toBe(999_999);
  tier.set("late", 0, 10, Infinity, 1e9);
  tier.clear();
  expect(tier.entries).toBe(0);
});

describe("against a naive model", () => {
  const KEYS = ["a", "b", "cc", "🦊", "e".repeat(60), "f", "g", "h"];
  const key = fc.constantFrom(...KEYS);
  const life = fc.oneof(fc.integer({ min: -2, max: 80 }), fc.integer({ min: 0, max: 10_000 }), fc.constant(Infinity));
  const operation = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("set" as const), key, bytes: fc.integer({ min: 0, max: 300 }), life }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("get" as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("peek" as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: -20, max: 200 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  );

  interface Known {
    readonly key: string;
    readonly item: number;
    readonly cost: number;
    readonly expiresAt: number;
  }

  /** Every eviction of one set must have been due at its moment, and none that was due may be missing. */
  const applySet = (
    model: Known[],
    bounds: { maxBytes: number; maxEntries: number },
    set: Known,
    kept: boolean,
    evictions: [Slot<number>, EvictionCause][],
    now: number,
  ): void => {
    const drop = (gone: string) => {
      const index = model.findIndex((known) => known.key === gone);
      if (index >= 0) model.splice(index, 1);
    };
    const bytes = () => model.reduce((sum, known) => sum + known.cost, set.cost);
    const isFull = () => model.length >= bounds.maxEntries || bytes() > bounds.maxBytes;
    const expired = () => model.filter((known) => known.expiresAt <= now).map((known) => known.key);
    drop(set.key);
    for (const [index, [slot, cause]] of evictions.entries()) {
      if (cause === "expired") {
        expect(expired()).toContain(slot.key);
        expect(isFull() || index < 2).toBe(true);
      } else {
        expect([isFull(), expired(), slot.key]).toEqual([true, [], model[0]?.key]);
      }
      drop(slot.key);
    }
    if (!kept) return;
    expect(isFull()).toBe(false);
    if (evictions.length < 2) expect(expired()).toEqual([]);
    model.push(set);
  };

  test("any operations leave the same contents, bytes and order, and every eviction was due", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(0, 400, 1_200, 2_400, 1_000_000),
        fc.constantFrom(0, 1_700_000_000_000),
        fc.array(operation, { maxLength: 80 }),
        (maxEntries, maxBytes, startAt, operations) => {
          const evictions: [Slot<number>, EvictionCause][] = [];
          const bounds = { maxBytes, maxEntries };
          const tier = createMemoryTier<number>({ ...bounds, onEvict: (...event) => evictions.push(event) });
          let model: Known[] = []; // oldest first
          let now = startAt;
          operations.forEach((op, item) => {
            const known = "key" in op ? model.find((candidate) => candidate.key === op.key) : undefined;
            evictions.length = 0;
            switch (op.kind) {
              case "set": {
                const expected: Known = { key: op.key, item, cost: costOf(op.key, op.bytes), expiresAt: now + op.life };
                const kept = tier.set(op.key, item, op.bytes, expected.expiresAt, now);
                expect(kept).toBe(op.bytes <= maxBytes / 8 && expected.cost <= maxBytes);
                applySet(model, bounds, expected, kept, evictions, now);
                expect(evictions.every(([slot]) => isUnlinked(slot))).toBe(true);
                break;
              }
              case "get":
                expect(tier.get(op.key)?.item).toBe(known?.item);
                if (known !== undefined) model = [...model.filter((other) => other !== known), known];
                break;
              case "peek":
                expect(tier.peek(op.key)?.item).toBe(known?.item);
                break;
              case "delete":
                expect(tier.delete(op.key)).toBe(known !== undefined);
                model = model.filter((other) => other !== known);
                break;
              case "pass":
                now += op.ms;
                break;
              case "clear":
                tier.clear();
                model = [];
                break;
            }
            if (op.kind !== "set") expect(evictions).toEqual([]);
            const slots = KEYS.flatMap((name) => tier.peek(name) ?? []);
            expect(checkRings(slots)).toEqual(model.map((entry) => entry.key));
            for (const entry of model) {
              const { item: held, bytes, expiresAt } = tier.peek(entry.key)!;
              expect({ key: entry.key, item: held, cost: bytes, expiresAt }).toEqual(entry);
            }
            expect(tier.entries).toBe(model.length);
            expect(tier.bytes).toBe(model.reduce((sum, entry) => sum + entry.cost, 0));
          });
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
