// Broken engines and stores, by name: each breaks one rule, and the checker that is named must catch it.
import type { PartitionStorage, StoredLease } from "../../src/store/partition-storage.ts";
import type { Checker } from "./history.ts";
import { busEdits } from "./mutants-bus.ts";
import { manyEdits, type Edited } from "./mutants-many.ts";
import { scriptOf } from "../tooling/script.mjs";
import { scriptEdits } from "./mutants-script.ts";
import { edited, real, replaceOnce, type Subject } from "./subject.ts";

export interface Mutant {
  /** The checker that catches it. */
  readonly by: Checker;
  /** The store that it concerns, or the bus. */
  readonly on?: "redis" | "bus";
  make(): Promise<Subject>;
}

/** A mutant of the engine: one or a few lines changed. */
const edits: Readonly<Record<string, Edited>> = {
  "a sync is proved from when its answer came": {
    by: "bound",
    edits: [
      { file: "engine/view.ts", from: "    proveBy(view, stamp, sentAt);", to: "    proveBy(view, stamp, nowAt);" },
    ],
  },
  "a newer seq on any answer counts as caught up": {
    by: "bound",
    edits: [
      {
        file: "engine/view.ts",
        from: "  see(view, stamp.seq, stamp.tip);\n  return true;",
        to: "  if (stamp.seq > view.applied) { view.applied = stamp.seq; view.tip = stamp.tip; view.provedAt = sentAt; }\n  return true;",
      },
    ],
  },
  "a log that does not reach back drops nothing": {
    by: "bound",
    edits: [
      {
        file: "engine/sync.ts",
        from: "if (reply.seq > view.applied) drop(view, reply, sentAt, ++engine.tick);",
        to: "view.applied = reply.seq; view.tip = reply.tip;",
      },
    ],
  },
  "a new epoch drops nothing": {
    by: "bound",
    edits: [{ file: "engine/view.ts", from: "  view.generation++;\n", to: "" }],
  },
  "an answer is installed whatever was invalidated meanwhile": {
    by: "loud writes",
    edits: [
      {
        file: "engine/install.ts",
        from: "if (view.pending.touching(key).some(({ write }) => covers(write, key, tags, true))) return false;",
        to: "copy.checked = view.tagChanges;",
      },
      { file: "engine/install.ts", from: " || !isSpared(copy, key)", to: "" },
    ],
  },
  "what the store refused is installed": {
    by: "bound",
    edits: [
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
  },
  "a joiner takes an older load": {
    by: "bound",
    edits: [
      { file: "engine/join.ts", from: "    since(view.keys.get(key)?.tick) ||\n", to: "" },
      {
        file: "engine/join.ts",
        from: "some(({ tick, write }) => since(tick)",
        to: "some(({ write }) => false",
      },
      { file: "engine/join.ts", from: "if (known?.gone) return undefined;", to: "" },
      { file: "engine/join.ts", from: `if (!own.every(({ write }) => isExpiry(write))) return "pending";`, to: "" },
      {
        file: "engine/join.ts",
        from: "if (joined && provedAt < needAt) return undefined;",
        to: "",
      },
    ],
  },
  "a joiner waits for a dead leader": {
    by: "no hang",
    edits: [
      {
        file: "engine/join.ts",
        from: "await within(engine, landed, BEAT_MS)",
        to: "await flight.promise",
      },
    ],
  },
  "a strong read trusts memory": {
    by: "bound",
    edits: [
      {
        file: "engine/read.ts",
        from: "const copy = options.memory && !(options.strong && engine.store) ?",
        to: "const copy = options.memory ?",
      },
      {
        file: "cache.ts",
        from: "const boundMs = options.strong ? 0 : engine.maxStalenessMs;",
        to: "const boundMs = engine.maxStalenessMs;",
      },
    ],
  },
  "an own write in doubt is not honoured": {
    by: "loud writes",
    edits: [
      { file: "engine/read.ts", from: "if (found.length === 0) return undefined;", to: "return undefined;" },
      { file: "engine/join.ts", from: `if (!own.every(({ write }) => isExpiry(write))) return "pending";`, to: "" },
    ],
  },
  "a write in doubt is not retried": {
    by: "loud writes",
    edits: [
      {
        file: "engine/write.ts",
        from: 'background(engine, request, "retry", retry(engine, request, view).then(done));',
        to: "void done;",
      },
    ],
  },
  "a set in doubt is set again": {
    by: "loud writes",
    edits: [
      {
        file: "engine/write.ts",
        from: `kind === "set" ? { kind: "delete", key: write.key } : write;`,
        to: "write;",
      },
    ],
  },
  "a retry goes on after a later write": {
    by: "loud writes",
    edits: [
      {
        file: "engine/write.ts",
        from: "if (other.tick < tick && supersedes(write, other.write)) view.pending.delete(other.nonce);",
        to: "",
      },
    ],
  },
  "a store that fails, fails reads": {
    by: "fail open",
    edits: [
      {
        file: "engine/lead.ts",
        from: `if (engine.onStoreError === "throw") throw error;`,
        to: "throw error;",
      },
    ],
  },
  "what is read counts from its answer": {
    by: "windows",
    edits: [
      {
        file: "engine/lead.ts",
        from: "const { reply, sentAt } = answered;",
        to: "const { reply } = answered; const sentAt = engine.clock();",
      },
    ],
  },
  "a suspended process does not age": {
    by: "windows",
    edits: [
      { file: "engine/clock.ts", from: "if (driftMs > 0 && lastWall !== undefined) addedMs += driftMs;", to: "" },
    ],
  },
  "background work may reject": {
    by: "well-behaved",
    edits: [
      {
        file: "engine/engine.ts",
        from: "request.waitUntil(work.catch((error: unknown) => report(engine, request, operation, error)));",
        to: "request.waitUntil(work);",
      },
    ],
  },
  "close leaves timers": {
    by: "growth",
    edits: [{ file: "cache.ts", from: "engine.stops", to: "new Set<() => void>()" }],
  },
  "a pull does not wait for its delete": {
    by: "loud writes",
    edits: [
      { file: "cache.ts", from: "      await remove(key);", to: "      void remove(key).catch(() => undefined);" },
    ],
  },
  "a pull trusts memory": {
    by: "bound",
    edits: [
      { file: "cache.ts", from: "strong: engine.store !== undefined && defaults.store });", to: "strong: false });" },
    ],
  },
  "a lease is renewed without end": {
    by: "convergence",
    edits: [{ file: "engine/load.ts", from: "engine.clock() - beganAt < renewalMs", to: "true" }],
  },
  "epochs are not compared": {
    by: "no resurrection",
    edits: [{ file: "store/validity.ts", from: "epoch !== now.epoch || ", to: "" }],
  },
  "a commit does not look at tags": {
    by: "no resurrection",
    edits: [
      { file: "store/validity.ts", from: "if (version >= mark.seq) continue;", to: "if (version > -1) continue;" },
    ],
  },
  "a witness is ignored": {
    by: "no resurrection",
    edits: [{ file: "store/partition.ts", from: "contradicts(meta, request.witness) || ", to: "" }],
  },
  "a flight is kept for ever": {
    by: "growth",
    edits: [
      { file: "engine/join.ts", from: "    if (flights.get(key) === flight) flights.delete(key);\n  };", to: "  };" },
    ],
  },
  "waits are never forgotten": {
    by: "growth",
    edits: [
      {
        file: "engine/engine.ts",
        from: "    platform.clearTimeout(timer);\n    stops.delete(stop);",
        to: "    platform.clearTimeout(timer);",
      },
    ],
  },
  "what was invalidated is remembered for ever": {
    by: "growth",
    edits: [{ file: "engine/view.ts", from: "if (keys.size <= MAX_KEYS) break;", to: "break;" }],
  },
  "the log is never trimmed": {
    by: "growth",
    edits: [
      { file: "store/partition.ts", from: "if (seq > maxLogRecords) storage.trimLog(seq - maxLogRecords);", to: "" },
    ],
  },
  "a strict read goes on without the store": {
    by: "strict",
    edits: [{ file: "engine/lead.ts", from: `      if (engine.onStoreError === "throw") throw error;\n`, to: "" }],
  },
  "a strict read goes on although an own write is in doubt": {
    by: "strict",
    edits: [
      {
        file: "engine/read.ts",
        from: `if (isStrict(engine, reader)) throw new StoreError("read: an own write has not reached the store");`,
        to: "",
      },
      { file: "engine/read.ts", from: "if (gone && isStrict(engine, reader)) return ALONE;", to: "" },
    ],
  },
  "a strict read is given what is not proved": {
    by: "strict",
    edits: [
      {
        file: "engine/read.ts",
        from: "    if (copy && !isProved(copy, reader) && isStrict(engine, reader)) return undefined;\n",
        to: "",
      },
    ],
  },
  "all load at once": {
    by: "load limit",
    edits: [{ file: "engine/slots.ts", from: "return running.size < engine.maxConcurrentLoads;", to: "return true;" }],
  },
  "whoever comes takes the place of one in line": {
    by: "load limit",
    edits: [
      { file: "engine/slots.ts", from: "if (queue.size > 0 || !isFree(engine))", to: "if (!isFree(engine))" },
      {
        file: "engine/slots.ts",
        from: "while (next(engine)?.[0] !== flight || !isFree(engine))",
        to: "while (next(engine)?.[0] !== flight)",
      },
    ],
  },
  "a load does not give its place back": {
    by: "load limit",
    edits: [{ file: "engine/slots.ts", from: "    running.delete(flight);\n    next", to: "    next" }],
  },
  "a load waits in line after it has given up": {
    by: "growth",
    edits: [
      { file: "engine/slots.ts", from: "  } finally {\n    queue.delete(flight);\n  }", to: "  } finally {\n  }" },
    ],
  },
  "a hard time-out ends nothing": {
    by: "in time",
    edits: [
      { file: "engine/patience.ts", from: "    arm(hardTimeoutMs, () => {", to: "    arm(2 * hardTimeoutMs, () => {" },
    ],
  },
  "a soft time-out serves nothing": {
    by: "in time",
    edits: [{ file: "engine/patience.ts", from: "    arm(softTimeoutMs, soft);\n", to: "    void soft;\n" }],
  },
  "an eager refresh comes too early": {
    by: "windows",
    edits: [{ file: "engine/copy.ts", from: "storedAt + fraction * ttlMs", to: "storedAt" }],
  },
  "a hard time-out serves nothing": {
    by: "in time",
    edits: [
      {
        file: "engine/patience.ts",
        from: "leave(stale ? () => resolve(stale) : late);",
        to: "void stale; leave(late);",
      },
    ],
  },
  "a signal ends nothing": {
    by: "in time",
    edits: [{ file: "engine/patience.ts", from: `signal?.addEventListener("abort", abort);`, to: "" }],
  },
  "a load goes on when all have left": {
    by: "in time",
    edits: [
      { file: "engine/read.ts", from: "void (--mine.callers || mine.cancel?.())", to: "void --mine.callers" },
      { file: "engine/join.ts", from: "      if (flight.callers < 1) flight.cancel?.();\n", to: "" },
    ],
  },
  "who leaves ends the load of others": {
    by: "fail open",
    edits: [{ file: "engine/read.ts", from: "void (--mine.callers || mine.cancel?.())", to: "void mine.cancel?.()" }],
  },
  "a soft time-out serves what memory holds": {
    by: "bound",
    edits: [
      {
        file: "engine/patience.ts",
        from: "  const flight = engine.flights.get(reader.key);\n",
        to: `  const held = engine.tier.peek(reader.key)?.item;
          if (held && isServableOnError(held, engine.clock())) return { copy: held, state: "stale", tier: "memory" };
          const flight = engine.flights.get(reader.key);`,
      },
    ],
  },
  "a soft time-out serves what is past its windows": {
    by: "windows",
    edits: [
      {
        file: "engine/patience.ts",
        from: "  if (!isServableOnError(copy, engine.clock())) return undefined;\n",
        to: "",
      },
    ],
  },
  "jitter makes longer": {
    by: "windows",
    edits: [{ file: "engine/install.ts", from: "(1 - jitter *", to: "(1 + jitter *" }],
  },
  "what stands for nothing lives as long as a value": {
    by: "windows",
    edits: [{ file: "engine/install.ts", from: "(negativeTtlMs ?? options.ttlMs)", to: "options.ttlMs" }],
  },
  "an undefined is stored without being asked for": {
    by: "admission",
    edits: [{ file: "engine/install.ts", from: "value !== undefined || negativeTtlMs !== undefined;", to: "true;" }],
  },
  "what is too large is stored": {
    by: "admission",
    edits: [{ file: "engine/install.ts", from: "  bytes > maxValueBytes\n", to: "  bytes > Infinity\n" }],
  },
  "what is not valid is served": {
    by: "admission",
    edits: [{ file: "engine/lead.ts", from: "validate ? await validate(decoded) : decoded", to: "decoded" }],
  },
  "memory keeps for as long as it can": {
    by: "admission",
    edits: [{ file: "engine/copy.ts", from: "memoryUntil: provedAt + memoryTtlMs", to: "memoryUntil: Infinity" }],
  },
  "what is for memory alone is stored": {
    by: "admission",
    edits: [
      { file: "engine/lead.ts", from: "if (!engine.store || !options.store) {", to: "if (!engine.store) {" },
      { file: "engine/load.ts", from: "lease && store && ttlMs > 0 && (await", to: "lease && ttlMs > 0 && (await" },
    ],
  },
  "the tier evicts nothing": {
    by: "memory bytes",
    edits: [
      {
        file: "memory/tier.ts",
        from: "const full = slots.size >= maxEntries || tier.bytes + bytes > maxBytes;",
        to: "const full = false;",
      },
    ],
  },
  "the tier does not count what it removes": {
    by: "memory bytes",
    edits: [{ file: "memory/tier.ts", from: "      count(-slot.bytes);", to: "      count(0);" }],
  },
};

/** What a storage is said to do instead of what it does. */
interface Lie {
  readonly by: Checker;
  tell(storage: PartitionStorage): Partial<PartitionStorage>;
}

/** A mutant of the store: its storage lies. */
const storages: Readonly<Record<string, Lie>> = {
  "tags are compared with <": {
    by: "no resurrection",
    tell: (storage) => ({
      marks: (tags) =>
        storage.marks(tags).map((mark) => ({ ...mark, seq: mark.staleAt === undefined ? mark.seq - 1 : mark.seq })),
    }),
  },
  "an expiry of tags is forgotten": {
    by: "no resurrection",
    tell: (storage) => ({ marks: (tags) => storage.marks(tags).filter((mark) => mark.staleAt === undefined) }),
  },
  "the log forgets what was invalidated": {
    by: "bound",
    tell: (storage) => ({
      append: (record) => storage.append(record.key === undefined ? record : { ...record, key: "forgotten" }),
    }),
  },
  "a write that is repeated is done twice": { by: "loud writes", tell: () => ({ recordOf: () => undefined }) },
  "a store that restarts goes by its old epoch": {
    by: "loud writes",
    tell: (storage) => ({
      reset: (epochs) => storage.reset(storage.meta() === undefined ? "always" : epochs),
      recordAt: () => undefined,
    }),
  },
};

interface Meddler {
  readonly by: Checker;
  readonly meddle: NonNullable<Subject["meddle"]>;
}

/** A mutant of the store: it treats requests as it should not. */
const meddlers: Readonly<Record<string, Meddler>> = {
  "a commit needs no lease": {
    by: "no resurrection",
    meddle: (operation, request, storage) => {
      if (operation !== "commit") return request;
      const { key, token, epoch, version } = request as Pick<StoredLease, "key" | "version"> & Record<string, string>; // a commit
      const lease = { key, token, epoch, version, at: 0, spanMs: 1e15, scopes: [] };
      storage.putLease(lease as unknown as StoredLease);
      return request;
    },
  },
  "everybody gets the lease": {
    by: "one load",
    meddle: (operation, request, storage) => {
      if (operation === "read") storage.deleteLease((request as { key: string }).key); // a read
      return request;
    },
  },
  "a write that comes too late is done": {
    by: "loud writes",
    meddle: (operation, request) => (operation === "write" ? { ...request, deadline: undefined } : request),
  },
  "a hold is answered whatever is held": {
    by: "bound",
    meddle: (operation, request, storage) => {
      const { key, hold } = request as { key: string; hold?: string }; // of a read
      return operation === "read" && hold !== undefined ? { ...request, hold: storage.head(key)?.id } : request;
    },
  },
};

/** Every mutant by its name. */
export const mutants: Readonly<Record<string, Mutant>> = {
  ...map({ ...edits, ...manyEdits }, ({ edits: lines }) => edited(lines)),
  ...map(busEdits, ({ edits: lines }) => edited(lines), "bus"),
  ...map(storages, async ({ tell }) => {
    const subject = await real();
    return {
      ...subject,
      mapStorage: () => {
        const storage = subject.mapStorage();
        return { ...storage, ...tell(storage) };
      },
    };
  }),
  ...map(
    scriptEdits,
    async ({ edits: lines }) => {
      const runs = scriptOf((name, text) => lines.filter(({ file }) => file === name).reduce(replaceOnce, text));
      return { ...(await real()), runs };
    },
    "redis",
  ),
  ...map(meddlers, async ({ meddle }) => ({ ...(await real()), meddle })),
};

function map<T extends { readonly by: Checker }>(
  of: Readonly<Record<string, T>>,
  make: (item: T) => Promise<Subject>,
  on?: "redis" | "bus",
): Record<string, Mutant> {
  return Object.fromEntries(
    Object.entries(of).map(([name, item]): [string, Mutant] => [
      name,
      { by: item.by, ...(on && { on }), make: () => make(item) },
    ]),
  );
}
