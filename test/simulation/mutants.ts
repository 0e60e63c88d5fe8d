// Broken engines and stores, by name: each breaks one rule, and the checkers must catch it.
import type { PartitionStorage, StoredLease } from "../../src/store/partition-storage.ts";
import { edited, real, type Edit, type Subject } from "./subject.ts";

/** A mutant of the engine: one or a few lines changed. */
const edits: Readonly<Record<string, readonly Edit[]>> = {
  "a sync is proved from when its answer came": [
    { file: "engine/view.ts", from: "    proveBy(view, stamp, sentAt);", to: "    proveBy(view, stamp, nowAt);" },
  ],
  "a newer seq on any answer counts as caught up": [
    {
      file: "engine/view.ts",
      from: "  view.newest = Math.max(view.newest, stamp.seq);\n  return true;",
      to: "  if (stamp.seq > view.applied) { view.applied = stamp.seq; view.tip = stamp.tip; view.provedAt = sentAt; }\n  return true;",
    },
  ],
  "a log that does not reach back drops nothing": [
    {
      file: "engine/sync.ts",
      from: "if (reply.seq > view.applied) drop(view, reply, sentAt, ++engine.tick);",
      to: "view.applied = reply.seq; view.tip = reply.tip;",
    },
  ],
  "a new epoch drops nothing": [{ file: "engine/view.ts", from: "  view.generation++;\n", to: "" }],
  "an answer is installed whatever was invalidated meanwhile": [
    {
      file: "engine/install.ts",
      from: "if (view.pending.some(({ write }) => covers(write, key, tags, true))) return false;",
      to: "copy.checked = view.tagChanges;",
    },
    { file: "engine/install.ts", from: " || !isSpared(copy, key)", to: "" },
  ],
  "what the store refused is installed": [
    {
      file: "engine/load.ts",
      from: `done && done.reply.outcome === "stored" ? done : undefined`,
      to: "done || undefined",
    },
    {
      file: "engine/load.ts",
      from: "freshForMs: stored.reply.freshForMs",
      to: "freshForMs: ttlMs",
    },
  ],
  "a joiner takes an older load": [
    { file: "engine/join.ts", from: "    since(view.keys.get(key)?.tick) ||\n", to: "" },
    {
      file: "engine/join.ts",
      from: "    view.pending.some((pending) => since(",
      to: "    view.pending.some((pending) => false && since(",
    },
    { file: "engine/join.ts", from: "if (known?.gone) return undefined;", to: "" },
    { file: "engine/join.ts", from: `if (!own.every(({ write }) => isExpiry(write))) return "pending";`, to: "" },
    {
      file: "engine/join.ts",
      from: "if (joined && provedAt < needAt) return undefined;",
      to: "",
    },
  ],
  "a joiner waits for a dead leader": [
    {
      file: "engine/join.ts",
      from: "await within(engine, landed, BEAT_MS)",
      to: "await flight.promise",
    },
  ],
  "a strong read trusts memory": [
    {
      file: "engine/read.ts",
      from: "const copy = options.memory && !options.strong ?",
      to: "const copy = options.memory ?",
    },
    {
      file: "cache.ts",
      from: "const boundMs = options.strong ? 0 : engine.maxStalenessMs;",
      to: "const boundMs = engine.maxStalenessMs;",
    },
  ],
  "an own write in doubt is not honoured": [
    { file: "engine/read.ts", from: "if (found.length === 0) return undefined;", to: "return undefined;" },
    { file: "engine/join.ts", from: `if (!own.every(({ write }) => isExpiry(write))) return "pending";`, to: "" },
  ],
  "a write in doubt is not retried": [
    {
      file: "engine/write.ts",
      from: 'background(engine, request, "retry", retry(engine, view).then(done));',
      to: "void done;",
    },
  ],
  "a set in doubt is set again": [
    {
      file: "engine/write.ts",
      from: `kind === "set" ? { kind: "delete", key: write.key } : write;`,
      to: "write;",
    },
  ],
  "a retry goes on after a later write": [
    {
      file: "engine/write.ts",
      from: "!(other.tick < tick && supersedes(write, other.write))",
      to: "true",
    },
  ],
  "a store that fails, fails reads": [
    {
      file: "engine/lead.ts",
      from: `    .catch(failOpen(engine, "read", name))\n`,
      to: "",
    },
  ],
  "what is read counts from its answer": [
    {
      file: "engine/lead.ts",
      from: "const { reply, sentAt } = answered;",
      to: "const { reply } = answered; const sentAt = engine.clock();",
    },
  ],
  "a suspended process does not age": [
    { file: "engine/clock.ts", from: "if (driftMs > 0 && lastWall !== undefined) addedMs += driftMs;", to: "" },
  ],
  "background work may reject": [
    {
      file: "engine/engine.ts",
      from: "request.waitUntil(work.catch((error: unknown) => report(engine, operation, error)));",
      to: "request.waitUntil(work);",
    },
  ],
  "close leaves timers": [{ file: "cache.ts", from: "engine.stops", to: "new Set<() => void>()" }],
};

type Storage = (storage: PartitionStorage) => Partial<PartitionStorage>;

/** A mutant of the store: its storage lies. */
const storages: Readonly<Record<string, Storage>> = {
  "tags are compared with one less": (storage) => ({
    marks: (tags) =>
      storage.marks(tags).map((mark) => ({ ...mark, seq: mark.staleAt === undefined ? mark.seq - 1 : mark.seq })),
  }),
  "an expiry of tags is forgotten": (storage) => ({
    marks: (tags) => storage.marks(tags).filter((mark) => mark.staleAt === undefined),
  }),
  "the log forgets what was invalidated": (storage) => ({
    append: (record) => storage.append(record.key === undefined ? record : { ...record, key: "forgotten" }),
  }),
  "a write that is repeated is done twice": () => ({ recordOf: () => undefined }),
  "a store that restarts goes by its old epoch": (storage) => ({
    reset: (epoch) => storage.reset(storage.meta() === undefined ? "always" : epoch),
    recordAt: () => undefined,
  }),
};

type Meddle = NonNullable<Subject["meddle"]>;

/** A mutant of the store: it treats requests as it should not. */
const meddlers: Readonly<Record<string, Meddle>> = {
  "a commit needs no lease": (operation, request, storage) => {
    if (operation !== "commit") return request;
    const { key, token, epoch, version } = request as { key: string; token: string; epoch: string; version: number }; // a commit
    storage.putLease({ key, token, epoch, version, at: 0, spanMs: 1e15, scopes: [] } as unknown as StoredLease);
    return request;
  },
  "everybody gets the lease": (operation, request, storage) => {
    if (operation === "read") storage.deleteLease((request as { key: string }).key); // a read
    return request;
  },
  "a write that comes too late is done": (operation, request) =>
    operation === "write" ? { ...request, deadline: undefined } : request,
  "a hold is answered whatever is held": (operation, request, storage) => {
    const { key, hold } = request as { key: string; hold?: string }; // of a read
    return operation === "read" && hold !== undefined ? { ...request, hold: storage.head(key)?.id } : request;
  },
};

/** Every mutant by its name. */
export const mutants: Readonly<Record<string, () => Promise<Subject>>> = {
  ...map(edits, edited),
  ...map(storages, (lie) => ({
    ...real,
    mapStorage: () => {
      const storage = real.mapStorage();
      return { ...storage, ...lie(storage) };
    },
  })),
  ...map(meddlers, (meddle) => ({ ...real, meddle })),
};

function map<T>(of: Readonly<Record<string, T>>, make: (item: T) => Subject | Promise<Subject>) {
  return Object.fromEntries(Object.entries(of).map(([name, item]) => [name, async () => make(item)]));
}
