// The buses that need nothing but their process, for the conformance suite in every runtime.
import { broadcastBus } from "../../src/bus/broadcast.ts";
import { memoryBus } from "../../src/bus/memory.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import type { BusFixture } from "../../src/testing/bus-driver.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A medium in real time. */
export const inRealTime = (bus: BusFixture["bus"]): BusFixture => ({
  bus,
  platform: defaultPlatform(),
  advance: sleep,
  close: async () => undefined,
});

/** Users of one case share a medium, though each has options of its own. */
export const buses: Readonly<Record<string, () => BusFixture>> = {
  memoryBus() {
    const medium = {};
    return inRealTime((options) => memoryBus({ ...options, medium }));
  },
  broadcastBus: () => inRealTime(broadcastBus),
};
