// The calls for many keys: each key is judged as if it had been asked for alone.
import type { Cache } from "../../src/cache-types.ts";
import {
  acknowledged,
  askFor,
  checkFound,
  end,
  entryOptions,
  readOptions,
  refused,
  showHit,
  showValue,
  signalOf,
} from "./calls.ts";
import { checkRejection } from "./checks/fail-open.ts";
import { CallerLeft, checkLeft } from "./checks/in-time.ts";
import { showOp } from "./history.ts";
import { carried, manyLoaderOf, newValue, type Carried } from "./loaders.ts";
import type { Op } from "./plan.ts";
import type { Call, World } from "./world.ts";

type Values = Map<string, Carried | null | undefined>;

const keysOf = ({ repeats }: Op, calls: readonly Call[]): string[] => {
  const keys = calls.map(({ op }) => op.key);
  return repeats ? [...keys, keys[0]!] : keys; // there is no call for no key
};

/** Which of them have failed, in their order. An error that is the caller's own names none: it may be that of any. */
function failedOf({ history }: World, op: Op, calls: readonly Call[], error: unknown): readonly Call[] {
  const { keys } = error as { keys?: readonly string[] }; // any error may lack them
  if (keys === undefined) return calls;
  history.struck("many failed in part");
  const failed = calls.filter((call) => keys.includes(call.op.key));
  if (failed.length === 0 || failed.map((call) => call.op.key).join() !== keys.join()) {
    history.violate("well-behaved", `${showOp(op)} names the keys ${keys.join()}, not those it has in their order`);
  }
  for (const call of failed) {
    if (call.request.hit === undefined) continue;
    history.violate("well-behaved", `${showOp(op)} names ${call.op.key} as failed, which it has found`);
  }
  return failed;
}

export async function readMany(world: World, cache: Cache, op: Op, calls: readonly Call[]): Promise<void> {
  const [first] = calls;
  let found: Values;
  try {
    found = await ask(world, cache, op, calls);
  } catch (error) {
    end(world, cache, calls, op, `rejects: ${String(error)}`);
    const failed = failedOf(world, op, calls, error);
    const { leavesAfterMs = Infinity } = op;
    const hasLeft = first!.ended!.at - first!.begun.at >= leavesAfterMs; // it has just ended, and is one of them
    if (hasLeft) failed.forEach((call) => void (call.left = true));
    if (error instanceof CallerLeft) return failed.forEach((call) => checkLeft(world, call));
    // It is that of the first; what the others have failed with is not told.
    return checkRejection(world, failed[0] ?? first!, error);
  }
  const show = (call: Call): string => `${call.op.key}: ${showValue(found.get(call.op.key))} ${showHit(call)}`;
  end(world, cache, calls, op, `ends: ${calls.map(show).join(", ")}`);
  const keys = calls.flatMap(({ op: { key } }) => (found.has(key) ? [key] : []));
  if (keys.join() !== [...found.keys()].join()) {
    world.history.violate(
      "well-behaved",
      `${showOp(op)} gives ${[...found.keys()].join()}, not in the order of its keys`,
    );
  }
  for (const call of calls) checkFound(world, call, { value: found.get(call.op.key) });
}

function ask(world: World, cache: Cache, op: Op, calls: readonly Call[]): Promise<Values> {
  const [first] = calls;
  const signal = signalOf(world, first!); // there is no call for no key
  const keys = keysOf(op, calls);
  if (op.kind === "getMany") return cache.getMany<Carried | null>(keys, readOptions(op.entry, signal));
  return cache.getOrSetMany(keys, manyLoaderOf(world, first!.life, op), entryOptions(op.entry, signal));
}

export async function writeMany(world: World, cache: Cache, op: Op, calls: readonly Call[]): Promise<void> {
  for (const call of calls) askFor(world, call);
  try {
    await order(world, cache, op, calls);
  } catch (error) {
    end(world, cache, calls, op, `rejects: ${String(error)}`);
    const failed = failedOf(world, op, calls, error);
    for (const call of calls) {
      const isFirst = call === failed[0];
      if (!failed.includes(call)) acknowledged(world, call);
      else refused(world, call, isFirst ? ((error as { code?: string }).code ?? String(error)) : undefined);
    }
    return;
  }
  end(world, cache, calls, op, "is acknowledged");
  for (const call of calls) acknowledged(world, call);
}

function order(world: World, cache: Cache, op: Op, calls: readonly Call[]): Promise<void> {
  const [first] = calls;
  if (op.kind === "deleteMany") return cache.deleteMany(keysOf(op, calls));
  const signal = signalOf(world, first!); // there is no call for no key
  const entries = calls.map(({ op: part, request }) => {
    const value = carried(request.invalidation!.made!, part); // see askFor, which has made it
    return { key: part.key, value, options: entryOptions(part.entry, signal) };
  });
  if (!op.repeats) return cache.setMany(entries);
  // Of another key: nobody may ever see it under this one.
  const { n } = newValue(world.history, { ...first!.op, key: "overwritten" }, first!.life);
  return cache.setMany([{ ...entries[0]!, value: { n } }, ...entries]);
}
