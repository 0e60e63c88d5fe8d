// The expiry wheel by itself: whatever the clock does, what has expired is found and nothing else is.
import fc from "fast-check";
import { expect, test } from "vitest";
import { createExpiryWheel } from "../../src/memory/expiry-wheel.ts";
import { Slot } from "../../src/memory/slot.ts";
import { isUnlinked } from "./rings.ts";

const YEAR = 365 * 86_400_000;

const create = (...expiries: number[]) => {
  const wheel = createExpiryWheel<number>();
  const slots = expiries.map((expiresAt) => new Slot(String(expiresAt), 0, 1, expiresAt));
  const takeAll = (now: number): string[] => {
    const keys: string[] = [];
    for (let slot = wheel.take(now); slot !== undefined; slot = wheel.take(now)) keys.push(slot.key);
    return keys;
  };
  return { wheel, slots, takeAll };
};

test.each([0, 1, 63, 64, 65, 4095, 4096, 4097, 60_000, 262_144, 16_777_216, 2 ** 30, 2 ** 30 + 1, YEAR, 100 * YEAR])(
  "a slot with %i ms left is found at its instant and not a millisecond earlier",
  (left) => {
    for (const startAt of [0, 1, 63, 4095, 1_700_000_000_000, 1_699_999_999_999]) {
      const { wheel, slots, takeAll } = create(startAt + left);
      wheel.insert(slots[0]!, startAt);
      expect(takeAll(startAt + left - 1)).toEqual([]);
      expect(takeAll(startAt + left)).toHaveLength(1);
      expect(isUnlinked(slots[0]!)).toBe(true);
    }
  },
);

test("a slot whose time was over when it came in is found at once, while the clock stands still", () => {
  for (const now of [0, 1_700_000_000_000]) {
    const { wheel, slots, takeAll } = create(now - 5, now, -YEAR, -Infinity, now + 1);
    for (const slot of slots) wheel.insert(slot, now);
    expect(takeAll(now)).toHaveLength(4);
    expect(takeAll(now)).toEqual([]);
  }
});

test("a slot that never expires is never found and waits in no bucket", () => {
  const { wheel, slots, takeAll } = create(Infinity);
  wheel.insert(slots[0]!, 0);
  expect(isUnlinked(slots[0]!)).toBe(true);
  expect(takeAll(Number.MAX_SAFE_INTEGER)).toEqual([]);
});

test.each([Number.MAX_SAFE_INTEGER, 1e300])("a slot that ends at %d is found by then", (expiresAt) => {
  const { wheel, slots, takeAll } = create(expiresAt);
  wheel.insert(slots[0]!, 1_700_000_000_000);
  expect(takeAll(1_700_000_000_000 + 10 * YEAR)).toEqual([]);
  expect(takeAll(expiresAt)).toHaveLength(1);
});

test("a removed slot is not found, and can be removed again", () => {
  const { wheel, slots, takeAll } = create(10, 10, 10);
  for (const slot of slots) wheel.insert(slot, 0);
  wheel.remove(slots[1]!);
  wheel.remove(slots[1]!);
  expect(isUnlinked(slots[1]!)).toBe(true);
  expect(takeAll(10)).toHaveLength(2);
});

test("a clock that went a year ahead and came back makes nothing expire early or late", () => {
  const { wheel, slots, takeAll } = create(50, 5_000, 500_000, YEAR);
  for (const slot of slots) wheel.insert(slot, 0);
  wheel.insert(new Slot("later", 0, 1, 2 * YEAR), YEAR - 1); // moves the wheel, takes nothing
  expect(takeAll(49)).toEqual([]);
  expect(takeAll(50)).toEqual(["50"]);
  expect(takeAll(499_999)).toEqual(["5000"]);
  expect(takeAll(YEAR)).toEqual(["500000", String(YEAR)]);
  expect(takeAll(2 * YEAR)).toEqual(["later"]);
});

test("fractions of a millisecond delay a slot by less than one, and never make it early", () => {
  const { wheel, slots, takeAll } = create(10.5);
  wheel.insert(slots[0]!, 0.25);
  expect(takeAll(10.49)).toEqual([]);
  expect(takeAll(11)).toEqual(["10.5"]);
});

test("a jump of a year costs about as much as a second, with many slots waiting", () => {
  const { wheel } = create();
  for (let index = 0; index < 100_000; index++) wheel.insert(new Slot("", 0, 1, 2 * YEAR + index * 1_000), 0);
  const startedAt = performance.now();
  let now = 0;
  for (let jump = 0; jump < 1_000; jump++) wheel.insert(new Slot("", 0, 1, Infinity), (now += YEAR / 1_000));
  expect(now).toBeCloseTo(YEAR);
  expect(performance.now() - startedAt).toBeLessThan(1_000); // 1,000 jumps; stepping by the millisecond takes minutes
});

test("under any clock it finds exactly what a scan finds", () => {
  const duration = fc.oneof(
    fc.integer({ min: -3, max: 130 }),
    fc.integer({ min: 4_000, max: 300_000 }),
    fc.integer({ min: 0, max: 2 * YEAR }),
    fc.nat(36).map((bits) => 2 ** bits),
    fc.constant(Infinity),
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("insert" as const), ms: duration }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: duration }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("back" as const), ms: duration }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), ms: fc.nat(20) }) },
  );
  fc.assert(
    fc.property(fc.constantFrom(0, 1_700_000_000_000), fc.array(step, { maxLength: 60 }), (startAt, steps) => {
      const { wheel, takeAll } = create();
      let waiting: Slot<number>[] = [];
      let now = startAt;
      steps.forEach(({ kind, ms }, index) => {
        if (kind === "insert") {
          const slot = new Slot(String(index), 0, 1, now + ms);
          wheel.insert(slot, now);
          waiting.push(slot);
        } else if (kind === "remove") {
          const [slot] = waiting.splice(ms, 1);
          if (slot !== undefined) wheel.remove(slot);
        } else if (ms !== Infinity) {
          now += kind === "pass" ? ms : -ms;
        }
        if (index % 3 === 2) return; // some changes of the clock go unseen
        const expired = waiting.filter((slot) => slot.expiresAt <= now).map((slot) => slot.key);
        expect(takeAll(now).sort()).toEqual(expired.sort());
        waiting = waiting.filter((slot) => slot.expiresAt > now);
      });
    }),
    { numRuns: 1_000 },
  );
});
