// P3, one load: each key is loaded once across all instances, if nothing disturbs them.
import type { History } from "../history.ts";

export function checkOneLoad({ loads, violate }: History): void {
  for (const [key, count] of loads) {
    if (count > 1) violate("one load", `${count} loads of ${key} in a calm schedule`);
  }
}
