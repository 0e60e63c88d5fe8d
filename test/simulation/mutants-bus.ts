// Mutants of the bus, and of what its messages do to an engine.
import type { Edited } from "./mutants-many.ts";

export const busEdits: Readonly<Record<string, Edited>> = {
  "a message proves": {
    by: "strict",
    edits: [
      {
        file: "engine/push.ts",
        from: "else if (record.seq > view.applied) applyRecord(engine, view, record, ++engine.tick);",
        to: `else if (record.seq > view.applied) {
          applyRecord(engine, view, record, ++engine.tick);
          if (view.applied >= record.seq) view.provedAt = clock();
        }`,
      },
    ],
  },
  "a heartbeat proves": {
    by: "strict",
    edits: [
      {
        file: "engine/push.ts",
        from: `      return epoch !== view.epoch ? "foreign" : seq > view.applied`,
        to: `      if (epoch === view.epoch && seq === view.applied) view.provedAt = clock();
      return epoch !== view.epoch ? "foreign" : seq > view.applied`,
      },
    ],
  },
  "a message that shows a gap is enough": {
    by: "bound",
    edits: [
      {
        file: "engine/view.ts",
        from: "if (record.seq === view.applied + 1) {",
        to: "if (record.seq > view.applied) {",
      },
    ],
  },
  "a gap is not asked about": {
    by: "prompt",
    edits: [
      {
        file: "bus/receiver.ts",
        from: `if (outcome === "ahead" || isWorthAsking(epoch)) catchUp([partition]);`,
        to: `if (outcome !== "ahead" && isWorthAsking(epoch)) catchUp([partition]);`,
      },
      { file: "bus/dedupe.ts", from: "return before !== undefined && number >", to: "return false && before! >" },
    ],
  },
  "a heartbeat that shows a gap is not asked about": {
    by: "prompt",
    edits: [
      {
        file: "bus/receiver.ts",
        from: "if (behind.length > 0) catchUp(behind.map(({ partition }) => partition));",
        to: "void behind;",
      },
      { file: "bus/dedupe.ts", from: "return before !== undefined && number >", to: "return false && before! >" },
    ],
  },
  "after a reconnect nothing is asked": {
    by: "prompt",
    edits: [{ file: "bus/create.ts", from: "if (isUp) receiver.missed(); // whatever was said before", to: "" }],
  },
  "what was missed at rest is not doubted": {
    by: "prompt",
    edits: [{ file: "engine/push.ts", from: "        else doubt(view);\n", to: "" }],
  },
  "nobody is told": {
    by: "prompt",
    edits: [
      {
        file: "engine/write.ts",
        from: "    const told = bus.tell({",
        to: "    const told = (async (_: object) => undefined)({",
      },
    ],
  },
  "a silent loss is never found": {
    by: "prompt",
    edits: [
      {
        file: "bus/heartbeat.ts",
        from: "if (port.hasLog && isTold) return;",
        to: "if (port.hasLog && !isTold) return;",
      },
    ],
  },
  "a frame that cannot be read throws": {
    by: "well-behaved",
    edits: [{ file: "bus/intake.ts", from: `      port.report("bus", error);`, to: "      throw error;" }],
  },
  "a publish leaves its timer": {
    by: "growth",
    edits: [
      {
        file: "bus/create.ts",
        from: "    } finally {\n      platform.clearTimeout(timer);",
        to: "    } finally {",
      },
    ],
  },
  "closing waits for who was cut off": {
    by: "no hang",
    edits: [
      { file: "bus/outbox.ts", from: "      await Promise.race([running, over]);", to: "      await running;" },
      { file: "bus/outbox.ts", from: "      if (!isAlive()) running = run(++runs);\n", to: "" },
    ],
  },
};
