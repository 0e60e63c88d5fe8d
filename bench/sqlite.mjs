// What one call of sqliteStore costs on a file: medians of single calls. The same in Node and Bun: node bench/sqlite.mjs
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPlatform } from "../src/default-platform.ts";
import { sqliteStore } from "../src/store/sql.ts";

const KEYS = 2_000;
const ROUNDS = 5; // over all keys; the first is not counted
const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;

/** @param {string} path */
async function open(path) {
  // Two names, so that neither runtime looks for the other's module.
  const [module, name] = process.versions.bun ? ["bun:sqlite", "Database"] : ["node:sqlite", "DatabaseSync"];
  const { [name]: Database } = await import(module);
  return new Database(path);
}

const folder = mkdtempSync(join(tmpdir(), "isocache-bench-"));
const path = join(folder, "cache.db");
const connection = sqliteStore(await open(path)).connect({ name: "bench", platform: defaultPlatform() });
const bytes = new Uint8Array(1_000).fill(7);
const windows = { ttlMs: 3_600_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
const entry = { ...windows, tags: ["@", "product", "shop"], bytes };
const lease = (token) => ({ token, leaseMs: 10_000, scopes: ["@"] });
const must = (holds) => {
  if (!holds) throw new Error("a wrong answer");
};

let samples = {};
/** Times one call, and gives its answer. */
async function timed(what, call) {
  const startedAt = performance.now();
  const answer = await call();
  (samples[what] ??= []).push(performance.now() - startedAt);
  return answer;
}

for (let round = 0; round < ROUNDS; round++) {
  if (round === 1) samples = {};
  for (let index = 0; index < KEYS; index++) {
    const key = `product:${index}`;
    const other = `product:${(index + KEYS / 2) % KEYS}`; // half of the keys are there at any time
    const token = `${round}-${index}`;
    const miss = await timed("miss with lease", () => connection.read(0, { key, lease: lease(token), waitMs: 0 }, {}));
    const { version } = miss.lease;
    const commit = { key, token, epoch: miss.epoch, version, entry };
    must((await timed("commit", () => connection.commit(0, commit, {}))).outcome === "stored");
    const hit = await timed("hit, two tags", () => connection.read(0, { key, lease: lease(token), waitMs: 0 }, {}));
    must(hit.entry.bytes.length === bytes.length && hit.lease === undefined);
    const since = { epoch: hit.epoch, seq: hit.seq, tip: hit.tip };
    must((await timed("sync", () => connection.changesSince(0, { since }, {}))).records.length === 0);
    const nonce = `s${token}`;
    await timed("set", () => connection.write(0, { nonce, write: { kind: "set", key, entry } }, {}));
    await timed("delete", () => connection.write(0, { nonce: `d${token}`, write: { kind: "delete", key: other } }, {}));
    await timed("invalidate a tag", () =>
      connection.write(0, { nonce: `t${token}`, write: { kind: "tags", tags: [`tag:${index % 100}`] } }, {}),
    );
  }
}

console.log(`${runtime}, values of ${bytes.length} bytes, ${(ROUNDS - 1) * KEYS} calls each, in microseconds`);
console.log(`${"".padEnd(18)}${["median", "99 %", "max"].map((head) => head.padStart(9)).join("")}`);
for (const [what, times] of Object.entries(samples)) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) =>
    ((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1_000).toFixed(0);
  console.log(`${what.padEnd(18)}${[0.5, 0.99, 1].map((share) => at(share).padStart(9)).join("")}`);
}
console.log(`the file: ${(statSync(path).size / 1e6).toFixed(1)} MB`);
await connection.close();
rmSync(folder, { recursive: true });
