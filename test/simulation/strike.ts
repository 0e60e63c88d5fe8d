// Does the faults of a schedule, each at its time, to the store or to an instance.
import { storedKey, child, ROOT } from "../../src/engine/names.ts";
import type { Phase } from "./life.ts";
import type { BUS_FAULT_KINDS, Fault, FaultKind } from "./plan.ts";
import type { World } from "./world.ts";

/** Brings back what the store held, and what is known of that. */
type Replica = () => void;

/** Sets the alarm for each fault; a replica that will lag is remembered when it stops to follow. */
export function schedule(world: World): void {
  for (const fault of world.plan.faults) {
    const { kind, at, ms } = fault;
    let replica: Replica | undefined;
    if (kind === "failOver") {
      world.base.setTimeout(
        () => {
          const restores = [world.server.snapshot(), world.network.observer.remember()];
          replica = () => restores.forEach((restore) => restore());
        },
        Math.max(0, at - ms),
      );
    }
    world.base.setTimeout(() => strike(world, fault, replica), at);
  }
}

function strike(world: World, fault: Fault, replica: Replica | undefined): void {
  const { kind, instance, ms, key } = fault;
  const { life, cache } = world.running[instance]!; // faults name those there are
  world.history.note("FAULT", () => `${kind} ${life.name} ${key} ${ms}`);
  switch (kind) {
    case "kill":
      return kill(world, instance);
    case "killInLoad":
      return doom(world, fault, "load");
    case "killInCommit":
      return doom(world, fault, "commit");
    case "close":
      world.history.struck("instance closed");
      life.closedEarly = true;
      void cache.close();
      return world.start(instance);
    case "freeze":
    case "suspend":
      world.history.struck(kind === "freeze" ? "instance frozen" : "instance suspended");
      return life.freeze(ms, kind === "suspend");
    case "wallClock":
      world.history.struck("clock jumped");
      return life.jump(ms);
    case "busDown":
      return world.hub?.down(ms);
    case "hubRestart":
      if (world.hub) world.history.struck("hub restarted");
      return world.hub?.restart();
    case "deaf":
      return world.hub?.deafen(life, ms);
    case "garble":
      return world.hub?.garble(ms);
    default:
      return strikeStore(world, fault, kind, replica);
  }
}

type StoreFault = Exclude<
  FaultKind,
  | "kill"
  | "killInLoad"
  | "killInCommit"
  | "close"
  | "freeze"
  | "suspend"
  | "wallClock"
  | (typeof BUS_FAULT_KINDS)[number]
>;

function strikeStore(
  { base, server, network, history, running }: World,
  fault: Fault,
  kind: StoreFault,
  replica: Replica | undefined,
): void {
  const { ms, instance } = fault;
  const { life } = running[instance]!; // see strike
  switch (kind) {
    case "restartEmpty":
      history.struck("store restarted empty");
      return server.restartEmpty();
    case "restart":
      history.struck("store restarted");
      return server.restart();
    case "loseMeta":
      history.struck("metadata lost");
      return server.loseMeta();
    case "loseEntry":
      history.struck("entry lost");
      return storedKeys(fault).forEach((key) => server.loseEntry(key));
    case "loseLease":
      history.struck("lease lost");
      return storedKeys(fault).forEach((key) => server.loseLease(key));
    case "failOver":
      history.struck("fail-over to a replica that lags");
      return replica!(); // it was remembered before, or in this millisecond
    case "storeDown":
      return void (network.downUntil = base.monotonic() + ms);
    case "storeStall":
      return void (network.stalledUntil = base.monotonic() + ms);
    case "storeClock":
      history.struck("store clock jumped");
      return server.jump(ms);
    case "evict":
      history.struck("key evicted");
      return server.redis?.evict(ms);
    case "full":
      return void (network.fullUntil = base.monotonic() + ms);
    case "cut":
      return network.cuts.get(life)?.forEach((cut) => cut());
  }
}

/** The key in each of the namespaces that schedules use. */
function storedKeys({ key }: Fault): string[] {
  const outer = child(ROOT, "n");
  return [ROOT, outer, child(outer, "m")].map((scope) => storedKey(scope, key));
}

function kill(world: World, instance: number): void {
  world.history.struck("instance killed");
  world.running[instance]!.life.dead = true; // see strike
  world.start(instance);
}

/** The instance dies so long after its next load or commit begins. */
function doom(world: World, { instance, ms }: Fault, phase: Phase): void {
  const { life } = world.running[instance]!; // see strike
  const die = (): void => {
    if (life.dead || world.running[instance]!.life !== life) return;
    world.history.note("FAULT", () => `${life.name} is killed in mid-${phase}`);
    world.history.struck(`killed in mid-${phase}`);
    kill(world, instance);
  };
  life.doom.set(phase, { afterMs: ms, die });
}
