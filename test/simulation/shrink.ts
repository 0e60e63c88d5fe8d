// Makes a schedule that violates a promise smaller and plainer, as long as it still violates it.
import {
  PLAIN_BUS,
  PLAIN_ENTRY,
  PLAIN_INSTANCE,
  PLAIN_LIMITS,
  PLAIN_LOADER,
  PLAIN_NETWORK,
  PLAIN_OP,
} from "./plain.ts";
import { MANY, type Item, type ManyKind, type Op, type Plan } from "./plan.ts";
import type { Subject } from "./subject.ts";
import { simulate } from "./world.ts";

const without = <T>(list: readonly T[], index: number): T[] => list.filter((_, other) => other !== index);
const replaced = <T>(list: readonly T[], index: number, item: T): T[] =>
  list.map((old, other) => (other === index ? item : old));

/** The same with one field made plain, for each that is not. */
function plainer<T extends object>(given: T, plain: T): T[] {
  const names = Object.keys({ ...given, ...plain }) as (keyof T)[]; // they are its keys
  return names
    .filter((name) => JSON.stringify(given[name]) !== JSON.stringify(plain[name]))
    .map((name) => {
      if (name in plain) return { ...given, [name]: plain[name] };
      const entries = Object.entries(given).filter(([other]) => other !== name);
      return Object.fromEntries(entries) as T; // without what is optional
    });
}

const OPTIONAL = ["cancel", "leavesAfterMs", "yields", "repeats"] as const;

/** With fewer keys, or plainer ones; or the call for one key that does the same. */
function plainerItems({ items = [], ...op }: Op): Op[] {
  const fewer = items.length > 1 ? items.map((_, index) => ({ ...op, items: without(items, index) })) : [];
  const plain = items.flatMap((item, index) =>
    plainer<Item>(item, { key: item.key }).map((each) => ({ ...op, items: replaced(items, index, each) })),
  );
  const { repeats: _, ...single } = op;
  const one = items.length === 1 ? [{ ...single, kind: MANY[op.kind as ManyKind], key: items[0]!.key }] : []; // it has items
  return [...one, ...fewer, ...plain];
}

function plainerOps(op: Op): Op[] {
  const without = OPTIONAL.filter((name) => op[name] !== undefined).map((name): Op => {
    const { [name]: _, ...rest } = op;
    return rest;
  });
  return [
    ...without,
    ...plainerItems(op),
    ...plainer<Op>(op, { ...op, ...PLAIN_OP, ...(op.items && { key: op.key }) }),
    ...plainer(op.entry, PLAIN_ENTRY)
      .filter(({ tags }) => !op.kind.endsWith("Tags") || tags.length > 0)
      .map((entry) => ({ ...op, entry })),
    ...plainer(op.loader, PLAIN_LOADER).map((loader) => ({ ...op, loader })),
  ];
}

/** What one instance does, another does instead. */
function merged(plan: Plan, from: number, to: number): Plan {
  const moved = <T extends { readonly instance: number }>(list: readonly T[]): T[] =>
    list.map((item) => (item.instance === from ? { ...item, instance: to } : item));
  return { ...plan, ops: moved(plan.ops), faults: moved(plan.faults), instances: without(plan.instances, from) };
}

/** Each step leaves something out, or makes it plain. */
function* smaller(plan: Plan): Generator<Plan> {
  const { ops, faults, network, limits, instances } = plan;
  for (let size = ops.length >> 1; size > 1; size >>= 1) {
    for (let from = 0; from < ops.length; from += size) yield { ...plan, ops: ops.toSpliced(from, size) };
  }
  for (let i = ops.length - 1; i >= 0; i--) yield { ...plan, ops: without(ops, i) };
  for (let i = faults.length - 1; i >= 0; i--) yield { ...plan, faults: without(faults, i) };
  for (const plain of plainer(network, PLAIN_NETWORK)) yield { ...plan, network: plain };
  for (const plain of plainer(limits, PLAIN_LIMITS)) yield { ...plan, limits: plain };
  if (plan.breaker) yield { ...plan, breaker: false };
  if (plan.bus) {
    yield { ...plan, bus: undefined };
    for (const plain of plainer(plan.bus, { ...PLAIN_BUS, prompt: plan.bus.prompt })) yield { ...plan, bus: plain };
  }
  if (plan.store !== "map") yield { ...plan, store: "map" };
  const last = instances.length - 1;
  const isUsed = [...ops, ...faults].some(({ instance }) => instance === last);
  if (!isUsed && last > 0) yield { ...plan, instances: without(instances, last) };
  for (let other = 0; other < last; other++) yield merged(plan, last, other);
  for (const [i, instance] of instances.entries()) {
    for (const plain of plainer(instance, PLAIN_INSTANCE)) yield { ...plan, instances: replaced(instances, i, plain) };
  }
  for (const [i, op] of ops.entries()) {
    for (const plain of plainerOps(op)) yield { ...plan, ops: replaced(ops, i, plain) };
  }
}

/** The smallest schedule found that violates the same promise. */
export async function shrink(plan: Plan, subject: Subject): Promise<Plan> {
  const checkers = new Set((await simulate(plan, subject)).violations.map(({ checker }) => checker));
  const fails = async (candidate: Plan): Promise<boolean> =>
    (await simulate(candidate, subject)).violations.some(({ checker }) => checkers.has(checker));
  search: for (let current = plan; ;) {
    for (const candidate of smaller(current)) {
      if (!(await fails(candidate))) continue;
      current = candidate;
      continue search;
    }
    return current;
  }
}
