// Many requests at once for a page that nobody has: how often the origin is asked.
import { quantile, showMs } from "../report.mjs";

const REQUESTS = 200;
const PAGE = "LICENSE";

const ways = [
  { name: "without a cache", path: "/none" },
  { name: "caches.default", path: "/cache-api" },
  { name: "isocache", path: "/file", promised: 1 },
];

export async function stampede({ origin, edges, report }) {
  report.section(`Stampede: ${REQUESTS} requests at once over both isolates for a page that no cache has`);
  const rows = [];
  for (const { name, path, promised } of ways) {
    const before = origin.loads(PAGE);
    const asked = Array.from({ length: REQUESTS }, (_, index) => edges[index % edges.length].get(`${path}/${PAGE}`));
    const answers = await Promise.all(asked);
    const loads = origin.loads(PAGE) - before;
    const times = answers.map(({ tookMs }) => tookMs);
    rows.push([name, loads, showMs(quantile(times, 0.5)), showMs(Math.max(...times))]);
    if (promised !== undefined) report.expect(loads === promised, `${promised} origin load for the stampede`);
  }
  report.table(["", "origin loads", "median answer", "last answer"], rows);
}
