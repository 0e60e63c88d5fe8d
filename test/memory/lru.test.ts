// The LRU policy by itself.
import { expect, test } from "vitest";
import { createLru } from "../../src/memory/lru.ts";
import { Slot } from "../../src/memory/slot.ts";
import { isUnlinked } from "./rings.ts";

const createSlots = (...keys: string[]) => keys.map((key) => new Slot(key, key, 1, Infinity));

/** Removes victim after victim. */
const drain = (policy: ReturnType<typeof createLru<string>>): string[] => {
  const keys: string[] = [];
  for (let slot = policy.victim(); slot !== undefined; slot = policy.victim()) {
    keys.push(slot.key);
    policy.remove(slot);
  }
  return keys;
};

const fill = () => {
  const policy = createLru<string>();
  const slots = createSlots("a", "b", "c");
  for (const slot of slots) policy.insert(slot);
  return { policy, slots };
};

test("an empty policy has no victim", () => {
  expect(createLru().victim()).toBeUndefined();
});

test("slots that were never used go in the order they came", () => {
  expect(drain(fill().policy)).toEqual(["a", "b", "c"]);
});

test.each([
  [0, ["b", "c", "a"]],
  [1, ["a", "c", "b"]],
  [2, ["a", "b", "c"]],
])("using slot %i makes it the last to go", (index, order) => {
  const { policy, slots } = fill();
  policy.hit(slots[index]!);
  expect(drain(policy)).toEqual(order);
});

test("using the newest slot writes nothing", () => {
  const { policy, slots } = fill();
  for (const slot of slots) Object.freeze(slot);
  policy.hit(slots[2]!);
  expect(() => policy.hit(slots[1]!)).toThrow(TypeError); // writing to a frozen slot does throw
});

test("asking for the victim leaves it in", () => {
  const { policy } = fill();
  expect(policy.victim()).toBe(policy.victim());
});

test("a removed slot keeps no other alive, and can come back", () => {
  const { policy, slots } = fill();
  policy.remove(slots[1]!);
  expect(isUnlinked(slots[1]!)).toBe(true);
  policy.insert(slots[1]!);
  expect(drain(policy)).toEqual(["a", "c", "b"]);
  expect(slots.every(isUnlinked)).toBe(true);
});
