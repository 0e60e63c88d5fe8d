// How long an answer takes from each tier, and how many trips to the store it costs.
import { quantile, showMs } from "../report.mjs";

const PAGES = 40;
const HITS = 400;

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** One request after the other, so that what each costs can be told apart. */
async function readAll(edge, paths) {
  const answers = [];
  for (const path of paths) answers.push(await edge.get(path));
  return answers;
}

function row(name, answers) {
  const times = answers.map(({ tookMs }) => tookMs);
  const trips = sum(answers.map(({ headers }) => Number(headers["x-store-trips"])));
  const perRead = Number.isNaN(trips) ? "-" : (trips / answers.length).toFixed(2);
  return [name, answers.length, showMs(quantile(times, 0.5)), showMs(quantile(times, 0.95)), perRead];
}

const everyTrips = (answers, count) => answers.every(({ headers }) => headers["x-store-trips"] === String(count));

export async function latency({ origin, edges: [first, second], report, storeDelayMs }) {
  const delay = storeDelayMs > 0 ? `, each trip to the store delayed by ${storeDelayMs} ms in the Durable Object` : "";
  origin.delayMs = 50;
  report.section(`Latency by tier, seen by a client on loopback; the origin takes ${origin.delayMs} ms${delay}`);
  const pages = origin.files.filter((name) => name.startsWith("src/")).slice(0, PAGES);
  const under = (prefix) => pages.map((name) => `${prefix}/${name}`);
  await first.get("/none/LICENSE"); // the first fetch of an isolate connects
  const without = await readAll(first, under("/none").slice(0, 20));
  await readAll(first, under("/cache-api").slice(0, 20));
  const cacheApi = await readAll(first, under("/cache-api").slice(0, 20));
  const misses = await readAll(first, under("/file"));
  const storeHits = await readAll(second, under("/file"));
  const hit = under("/file").slice(0, 1);
  const memoryHits = await readAll(
    first,
    Array.from({ length: HITS }, () => hit[0]),
  );
  const syncs = sum(memoryHits.map(({ headers }) => Number(headers["x-syncs"])));
  const trips = sum(memoryHits.map(({ headers }) => Number(headers["x-store-trips"])));
  report.table(
    ["", "reads", "p50", "p95", "store trips a read"],
    [
      row("without a cache", without),
      row("caches.default, hit", cacheApi),
      row("isocache, hit in memory", memoryHits),
      row("isocache, hit in the store", storeHits),
      row("isocache, miss", misses),
    ],
  );
  report.note(`Trips for all hits in memory: ${trips}. One a second asks what was invalidated meanwhile.`);
  report.expect(everyTrips(storeHits, 1), "1 trip for a hit in the store");
  report.expect(everyTrips(misses, 2), "2 trips for a miss");
  report.expect(trips === syncs, "no trips for hits in memory but syncs");
}
