// Mutants of the calls for many keys, and of the batches that they send.
import type { Checker } from "./history.ts";
import type { Edit } from "./subject.ts";

export interface Edited {
  readonly by: Checker;
  readonly edits: readonly Edit[];
}

export const manyEdits: Readonly<Record<string, Edited>> = {
  "a batch has no witness": {
    by: "no resurrection",
    edits: [
      {
        file: "store/partition.ts",
        from: "const request = { ...item.request, witness };",
        to: "const request = { ...item.request, witness: undefined && witness };",
      },
    ],
  },
  "the replies of a batch that is answered in part go to others": {
    by: "well-behaved",
    edits: [
      {
        file: "engine/many.ts",
        from: "const answer = replies[index]!;",
        to: "const answer = replies[replies.length < left.length ? replies.length - 1 - index : index]!;",
      },
    ],
  },
  "a batch that is answered in part forgets the rest": {
    by: "no hang",
    edits: [{ file: "engine/many.ts", from: "left = left.slice(replies.length);", to: "left = [];" }],
  },
  "a batch that fails acknowledges its writes": {
    by: "loud writes",
    edits: [
      {
        file: "engine/many.ts",
        from: "for (const { reject } of left) reject(error);",
        to: `for (const { item, resolve, reject } of left) {
          if (item.operation !== "write") { reject(error); continue; }
          const record = { seq: view.newest, nonce: item.request.nonce, expire: false, agoMs: 0 };
          const stamp = { epoch: view.epoch ?? "", seq: view.newest, tip: view.newestTip, time: 0 };
          resolve({ reply: { ...stamp, record }, sentAt: 0, tick: 0, ordered: false });
        }`,
      },
    ],
  },
  "a batch that fails settles nothing": {
    by: "no hang",
    edits: [{ file: "engine/many.ts", from: "for (const { reject } of left) reject(error);", to: "void error;" }],
  },
  "a batch wakes nobody": {
    by: "no hang",
    edits: [
      {
        file: "store/partition.ts",
        from: "for (const key of toWake.splice(0)) waiters.wake(key);",
        to: "toWake.splice(0);",
      },
    ],
  },
  "what a batch answers counts from its end": {
    by: "windows",
    edits: [
      {
        file: "engine/many.ts",
        from: "resolve({ reply: answer, sentAt, tick, ordered: takeIn(engine, view, answer, sentAt, tick) });",
        to: `resolve({
          reply: answer, sentAt: engine.clock(), tick, ordered: takeIn(engine, view, answer, engine.clock(), tick) });`,
      },
    ],
  },
  "who waits for another instance keeps others from being loaded": {
    by: "one load",
    edits: [{ file: "engine/lead.ts", from: "      request.many?.decided(key);\n", to: "" }],
  },
  "what is found keeps others from being loaded": {
    by: "no hang",
    edits: [{ file: "cache.ts", from: "              many.decided(keyOf(key));", to: "              void 0;" }],
  },
  "a loader of many gives its values to others": {
    by: "well-behaved",
    edits: [
      {
        file: "calls/many.ts",
        from: "resolve(part(answer, context));",
        to: "resolve(part(answer, missing.at(-1)!.context));",
      },
    ],
  },
  "a loader of many that fails settles nothing": {
    by: "no hang",
    edits: [{ file: "engine/many.ts", from: "for (const { reject } of all) reject(error);", to: "void error;" }],
  },
  "one key that fails fails all": {
    by: "well-behaved",
    edits: [{ file: "calls/many.ts", from: "{ keys: failed });", to: "{ keys: names });" }],
  },
  "of a key that is set twice the first value counts": {
    by: "well-behaved",
    edits: [
      {
        file: "calls/many.ts",
        from: "settings.set(key, [value, resolveEntry(defaults, options)]);",
        to: "if (!settings.has(key)) settings.set(key, [value, resolveEntry(defaults, options)]);",
      },
    ],
  },
  "what is found comes in the order of its arrival": {
    by: "well-behaved",
    edits: [
      {
        file: "calls/many.ts",
        from: "const found = new Map(names.map((name) => [name, hit(name, given)]));",
        to: "const found = new Map(names.flatMap((name) => { const at = hit(name, given); return at ? [[name, at]] : []; }));",
      },
    ],
  },
  "a load of many goes on when all have left": {
    by: "in time",
    edits: [{ file: "engine/many.ts", from: "let left = signals.length;", to: "let left = signals.length + 1;" }],
  },
  "a load of many ends when one has left": {
    by: "fail open",
    edits: [{ file: "engine/many.ts", from: "let left = signals.length;", to: "let left = 1;" }],
  },
  "many keys are loaded one by one": {
    by: "load limit",
    edits: [
      {
        file: "engine/many.ts",
        from: "if (first) await inTurn(engine, first.flight, signal, () => loadAll?.(all, signal));",
        to: "await Promise.all(all.map((one) => loadAll?.([one], one.context.signal)));",
      },
    ],
  },
  "many keys are loaded without waiting for their turn": {
    by: "load limit",
    edits: [
      {
        file: "engine/many.ts",
        from: "if (first) await inTurn(engine, first.flight, signal, () => loadAll?.(all, signal));",
        to: "await loadAll?.(all, signal);",
      },
    ],
  },
  "the lease of a key that came with others is not given back": {
    by: "no hang",
    edits: [
      {
        file: "engine/load.ts",
        from: `background(engine, request, "release", ask(`,
        to: `if (!request.many) background(engine, request, "release", ask(`,
      },
    ],
  },
  "what is missing is loaded before the others are decided": {
    by: "one load",
    edits: [
      {
        file: "engine/many.ts",
        from: "if (isLoading || missing.length === 0 || undecided.size > 0) return;",
        to: "if (missing.length === 0) return;",
      },
    ],
  },
};
