// Run by any runtime: the bus conformance suite on the buses of one process; one line for each case that fails, then how
// many held. The process ends by itself.
import { busConformance } from "../../src/testing/bus-conformance.ts";
import { buses } from "./buses.ts";

let held = 0;
let all = 0;
for (const [bus, make] of Object.entries(buses)) {
  for (const { name, cuts, run } of busConformance) {
    if (cuts) continue;
    all++;
    try {
      await run(async () => make());
      held++;
    } catch (error) {
      console.log(`FAILED: ${bus}: ${name}: ${error}`);
    }
  }
}
console.log(`${held} of ${all} held`);
