// Every bus keeps the promises of the bus contract.
import { describe, test } from "vitest";
import { broadcastBus } from "../../src/bus/broadcast.ts";
import { memoryBus } from "../../src/bus/memory.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import { busConformance } from "../../src/testing/bus-conformance.ts";
import type { BusFixture } from "../../src/testing/bus-driver.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A medium in real time. */
const inRealTime = (bus: BusFixture["bus"]): BusFixture => ({
  bus,
  platform: defaultPlatform(),
  advance: sleep,
  close: async () => undefined,
});

/** Users of one case share a medium, though each has options of its own. */
const fixtures: Readonly<Record<string, () => BusFixture>> = {
  memoryBus() {
    const medium = {};
    return inRealTime((options) => memoryBus({ ...options, medium }));
  },
  broadcastBus: () => inRealTime(broadcastBus),
};

for (const [name, make] of Object.entries(fixtures)) {
  describe(name, () => {
    for (const { name, run, cuts } of busConformance) {
      if (!cuts) test(name, () => run(async () => make()));
    }
  });
}
