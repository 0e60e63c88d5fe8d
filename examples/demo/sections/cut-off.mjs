// The request that loads a page is cut off, or never ends: what becomes of those who wait for it.
import { showMs } from "../report.mjs";

const LIMIT_MS = 9_000;
const FOLLOWERS_PER_EDGE = 5;
const LOAD_MS = 1_500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One follower: its answer, or undefined if it was not served in time. */
async function follow(edge, path) {
  try {
    const { tookMs, headers } = await edge.get(path, { limitMs: LIMIT_MS });
    return { edge: edge.name, tookMs, ranLoader: headers["cache-status"]?.includes("miss") === true };
  } catch {
    return undefined;
  }
}

/** A leader on the first edge, then followers on all; after 500 ms the leader's client is gone, if it is to go. */
async function scene({ origin, edges, way, page, delays, disconnects }) {
  origin.slow(page, delays);
  const before = origin.loads(page);
  const leader = edges[0].begin(`${way}/${page}`);
  await pause(150);
  const followers = edges.flatMap((edge) =>
    Array.from({ length: FOLLOWERS_PER_EDGE }, () => follow(edge, `${way}/${page}`)),
  );
  await pause(350);
  if (disconnects) leader.disconnect();
  const outcomes = await Promise.all(followers);
  leader.disconnect();
  const served = outcomes.filter((outcome) => outcome !== undefined);
  return { asked: followers.length, served, loads: origin.loads(page) - before };
}

const cases = [
  { title: "client disconnects", disconnects: true, delays: [LOAD_MS] },
  { title: "load never ends", disconnects: false, delays: [Infinity] },
];

const ways = [
  { name: "shared promise", way: "/promise" },
  { name: "isocache", way: "/file" },
];

function describe({ served, asked }, byCache) {
  if (served.length < asked) return `${asked - served.length} hung (given up after ${showMs(LIMIT_MS)})`;
  if (!byCache) return "all served";
  const loaders = [...new Set(served.filter(({ ranLoader }) => ranLoader).map(({ edge }) => edge))];
  return loaders.length === 0 ? "the first load went on" : `${loaders.join(" and ")} took over`;
}

export async function cutOff({ origin, edges, report }) {
  report.section(
    `A leader cut off in mid-load: ${FOLLOWERS_PER_EDGE} followers an isolate wait for a load of ${showMs(LOAD_MS)}`,
  );
  origin.delayMs = 300;
  const pages = origin.files.filter((name) => name.startsWith("src/engine/"));
  const scenes = cases.flatMap((one, row) =>
    ways.map(async ({ name, way }, column) => {
      const page = pages[row * ways.length + column];
      return { ...one, name, way, ...(await scene({ origin, edges, way, page, ...one })) };
    }),
  );
  const rows = await Promise.all(scenes);
  report.table(
    ["", "followers served", "slowest", "origin loads", "what happened"],
    rows.map((row) => [
      `${row.title}, ${row.name}`,
      `${row.served.length} of ${row.asked}`,
      row.served.length === 0 ? "-" : showMs(Math.max(...row.served.map(({ tookMs }) => tookMs))),
      row.loads,
      describe(row, row.way === "/file"),
    ]),
  );
  const ours = rows.filter(({ way }) => way === "/file");
  report.expect(
    ours.every(({ served, asked }) => served.length === asked),
    "every follower is served",
  );
  report.expect(
    ours.every(({ loads }) => loads <= 1 + 2 * edges.length),
    "at most two more loads an isolate",
  );
}
