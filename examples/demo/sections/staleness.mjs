// Both isolates read while pages change and tags are invalidated through one of them: how old is the oldest that is seen?
import { showMs } from "../report.mjs";

const DURATION_MS = 5_000;
const BOUND_MS = 1_000; // maxStaleness in examples/worker/src/cache.ts
const READERS = 3;

const revisionOf = ({ headers }) => Number(/^"(\d+)\./.exec(headers.etag)[1]);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Who invalidated what, and when the answer came. */
function createLedger(names) {
  const done = new Map(names.map((name) => [name, []]));
  return {
    count: 0,
    acknowledge(name, revision) {
      this.count++;
      done.get(name).push({ revision, at: performance.now() });
    },
    /** How long before the read was sent the page it got had been invalidated; 0 if it was not. */
    staleForMs(name, { sentAt, revision }) {
      const first = done.get(name).find((one) => one.revision > revision);
      return first === undefined ? 0 : Math.max(0, sentAt - first.at);
    },
  };
}

/** Changes a page or a whole folder, then invalidates its tag, again and again. */
async function keepChanging({ origin, edge, names, ledger, isOver }) {
  for (let turn = 0; !isOver(); turn++) {
    const name = names[turn % names.length];
    const folder = turn % 6 === 5;
    const changed = (folder ? names.filter((other) => other.split("/")[0] === name.split("/")[0]) : [name]).map(
      (each) => ({ name: each, revision: origin.change(each) }),
    );
    const tag = folder ? name.split("/")[0] : name;
    const { status, body } = await edge.send(`/invalidate?tag=${tag}`, { method: "POST" });
    if (status !== 200) throw new Error(`invalidate ${tag}: ${status} ${body}`);
    for (const { name: each, revision } of changed) ledger.acknowledge(each, revision);
    await pause(60 + (turn % 5) * 60);
  }
}

/** Reads one page after the other. Resolves with each read. */
async function keepReading({ edge, way, names, offset, isOver }) {
  const reads = [];
  for (let turn = offset; !isOver(); turn++) {
    const name = names[turn % names.length];
    const answer = await edge.get(`${way}/${name}`);
    reads.push({ name, sentAt: answer.sentAt, revision: revisionOf(answer) });
  }
  return reads;
}

export async function staleness({ origin, edges, report }) {
  report.section(
    `Staleness: both isolates read for ${DURATION_MS / 1_000} s while pages change; ` +
      `each change is invalidated through ${edges[0].name}, by tag`,
  );
  origin.delayMs = 30;
  const names = origin.files.filter((name) => /^(src|runtimes)\//.test(name)).filter((_, index) => index % 5 === 0);
  const ledger = createLedger(names);
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt >= DURATION_MS;
  const read = async (label, edge, way, readers) => {
    const run = (_, index) => keepReading({ edge, way, names, offset: index * 3, isOver });
    return { label, reads: (await Promise.all(Array.from({ length: readers }, run))).flat() };
  };
  const [, ...readings] = await Promise.all([
    keepChanging({ origin, edge: edges[0], names, ledger, isOver }),
    read("caches.default, ttl 60 s", edges[1], "/cache-api", READERS),
    ...edges.map((edge) => read(`isocache, ${edge.name}`, edge, "/file", READERS)),
  ]);
  const rows = readings.map(({ label, reads }) => {
    const ages = reads.map((one) => ledger.staleForMs(one.name, one));
    const bound = label.startsWith("isocache") ? showMs(BOUND_MS) : "-";
    return {
      label,
      reads: reads.length,
      stale: ages.filter((age) => age > 0).length,
      worstMs: Math.max(...ages),
      bound,
    };
  });
  report.table(
    ["", "reads", "stale after the answer", "worst age", "bound"],
    rows.map(({ label, reads, stale, worstMs, bound }) => [label, reads, stale, showMs(worstMs), bound]),
  );
  report.note(`${ledger.count} changes. Stale: sent after the invalidation was answered, and older than it.`);
  report.note(
    "Worst age: from that answer to the sending of the read. caches.default has no tags: it waits for its ttl.",
  );
  const ours = rows.filter(({ bound }) => bound !== "-");
  report.expect(
    ours.every(({ worstMs }) => worstMs <= BOUND_MS),
    `nothing older than ${BOUND_MS} ms after an invalidation was answered`,
  );
  report.expect(ledger.count > 0 && ours.every(({ reads }) => reads > 0), "reads while pages change");
}
