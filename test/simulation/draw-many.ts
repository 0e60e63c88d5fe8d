// Draws calls for many keys: in some schedules, over the few keys on which everything collides.
import type { Draw } from "./draw.ts";
import { MANY, type Item, type ManyKind, type Op, type OpKind } from "./plan.ts";

/** The keys of a schedule that has such calls, two to five; undefined: it has none. */
export type ManyKeys = readonly string[] | undefined;

const KEYS = ["k", "l", "m", "o", "p"];
const TAGS = ["t", "u"];

export const drawManyKeys = (draw: Draw, chance: number): ManyKeys =>
  draw.chance(chance) ? KEYS.slice(0, draw.int(2, KEYS.length)) : undefined;

const KINDS = Object.keys(MANY) as ManyKind[]; // they are its keys

/** The call for many keys that does what a call for one does. */
const manyOf = (kind: OpKind): ManyKind | undefined => KINDS.find((many) => MANY[many] === kind);

function drawItem(draw: Draw, key: string, { kind, entry, yields }: Op, calm: boolean): Item {
  const padding = draw.pick([0, 0, 0, 300]);
  // What the first key may be, others may be, too: it has been drawn for this kind of operation.
  const none = yields !== undefined && draw.chance(0.5);
  const odd = !calm && kind === "getOrSet" && draw.chance(0.3);
  const isLeftOut = odd && draw.chance(0.3);
  const own = !calm && kind === "set" && draw.chance(0.4);
  return {
    key,
    ...(padding > 0 && { padding }),
    ...(isLeftOut ? { yields: "undefined" } : none && { yields }),
    ...(own && { entry: { ttl: draw.pick([0, 50, entry.ttl]), tags: draw.some(TAGS, 0.4) } }),
    ...(odd && {
      loader: {
        kind: draw.pick(["value", "fail", "skip", "notModified", "conditional"] as const),
        ...(draw.chance(0.3) && { tags: draw.some(TAGS, 0.6) }),
        ...(draw.chance(0.2) && { ttl: draw.pick([0, 50, 1_000]) }),
      },
    }),
  };
}

/** Some operations for many keys, the others on one of the same: drawn apart, so that all else is as it was without. */
export function withMany(draw: Draw, op: Op, keys: ManyKeys, calm: boolean): Op {
  if (keys === undefined) return op;
  const kind = manyOf(op.kind);
  // Who waits for the load of another, asks again and again for no longer than a lease: then there may be a second one.
  const loader = calm ? { ...op.loader, ms: Math.min(op.loader.ms, 100), readsAfterMs: 0 } : op.loader;
  if (kind === undefined || draw.chance(calm ? 0.2 : 0.5))
    return { ...op, loader, key: draw.chance(0.6) ? draw.pick(keys) : op.key };
  const { yields: _, ...rest } = op;
  const order = [...keys].sort(() => draw.int(0, 1) - 0.5).slice(0, calm ? keys.length : draw.int(1, keys.length));
  const items = order.map((key) => drawItem(draw, key, op, calm));
  return { ...rest, loader, kind, padding: 0, items, ...(draw.chance(0.2) && { repeats: true }) };
}
