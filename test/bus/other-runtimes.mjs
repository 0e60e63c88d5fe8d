// Run by Bun and by Deno: frames and signatures; a line for each case that fails, then how many held.
import { vectors } from "./vectors.ts";

let held = 0;
for (const { name, run } of vectors) {
  try {
    await run();
    held++;
  } catch (error) {
    console.log(`FAILED: ${name}: ${error}`);
  }
}
console.log(`${held} of ${vectors.length} held`);
