// The memory tier stays within its bytes and its entries, at every instant.
import type { Cache } from "../../../src/cache-types.ts";
import type { History } from "../history.ts";
import type { Life } from "../life.ts";
import type { InstancePlan } from "../plan.ts";

export function checkMemory(
  history: History,
  life: Life,
  cache: Cache,
  { memory, maxBytes, maxEntries }: InstancePlan,
): void {
  const { bytes, entries } = cache.stats();
  const limits = memory ? [maxBytes, maxEntries] : [0, 0];
  if (bytes > limits[0]! || entries > limits[1]! || bytes < 0 || (entries === 0) !== (bytes === 0)) {
    const held = `${bytes} bytes in ${entries} entries`;
    history.violate("memory bytes", `${life.name} holds ${held}; at most ${limits[0]} bytes in ${limits[1]}`);
  }
}
