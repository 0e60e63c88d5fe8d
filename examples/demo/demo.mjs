// The demo: an origin, two edges, a report, and then a page to play with.
import { createClient } from "./client.mjs";
import { startEdges } from "./edges.mjs";
import { startOrigin } from "./origin.mjs";
import { createReport } from "./report.mjs";
import { cutOff } from "./sections/cut-off.mjs";
import { latency } from "./sections/latency.mjs";
import { staleness } from "./sections/staleness.mjs";
import { stampede } from "./sections/stampede.mjs";

/** No report takes longer, whatever hangs. */
const LIMIT_MS = 120_000;

const sections = [stampede, latency, staleness, cutOff];

async function within(limitMs, work) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the report took longer than ${limitMs / 1_000} s`)), limitMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** Prints the report; resolves with the number of wrong figures. */
async function printReport(world) {
  for (const section of sections) await section(world);
  const { wrong } = world.report;
  console.log(wrong.length === 0 ? "\nEvery figure is as promised." : `\nWrong: ${wrong.join("; ")}.`);
  return wrong.length;
}

/** Serves until it is interrupted. */
function keepServing({ origin, edges }) {
  origin.delayMs = 300;
  origin.onLoad = (name, load) => console.log(`  origin: load ${load} of ${name}`);
  console.log(`\nServing. The origin takes ${origin.delayMs} ms and says here what it is asked for. Ctrl-C ends.`);
  for (const { name, url } of edges) console.log(`  ${name}: ${url}`);
}

/** Runs it. Resolves with the exit code when everything has stopped. */
export async function demo({ once, storeDelayMs }) {
  const interrupted = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve(signal));
  });
  const origin = await startOrigin();
  let workerd;
  try {
    console.log("Starting an origin and two isolates in workerd ...");
    workerd = await within(30_000, startEdges({ originUrl: origin.url, storeDelayMs }));
    const edges = workerd.urls.map((url, index) => createClient(`edge-${index + 1}`, url));
    const world = { origin, edges, storeDelayMs, report: createReport(console.log) };
    const wrong = await Promise.race([within(LIMIT_MS, printReport(world)), interrupted]);
    if (!once && typeof wrong === "number") {
      keepServing(world);
      await interrupted;
    }
    for (const edge of edges) edge.close();
    return wrong === 0 || !once ? 0 : 1;
  } catch (error) {
    console.error(`The demo failed: ${error.message}`);
    return 1;
  } finally {
    await workerd?.stop();
    origin.stop();
  }
}
