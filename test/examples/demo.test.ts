// The demo, run as a newcomer runs it, and what it makes of its command line and its figures.
import { afterEach, describe, expect, it } from "vitest";
import { readOptions } from "../../examples/demo/options.mjs";
import { createReport, quantile } from "../../examples/demo/report.mjs";
import { root } from "../tooling/install.mjs";
import { newcomersEnv, startCommand, type Command } from "./command.ts";

/** With the time that the first run takes to install. */
const LIMIT_MS = 240_000;

let demo: Command | undefined;
afterEach(() => demo?.stop());

function start(...args: string[]): Command {
  return (demo = startCommand("node", ["examples/demo/run.mjs", ...args], root, newcomersEnv()));
}

describe("the demo", () => {
  it(
    "prints every figure beside its control, ends with 0, and leaves nothing running",
    async () => {
      const { code, output, hasEnded } = start("--once");
      expect(await code, output()).toBe(0);
      const text = output();
      expect(text).toMatch(/^ +without a cache +200 .* m?s$/m);
      expect(text).toMatch(/^ +caches\.default +\d+ .* m?s$/m);
      expect(text).toMatch(/^ +isocache +1 .* m?s$/m);
      expect(text).toMatch(/^ +isocache, hit in memory +400 .* m?s +0\.0\d$/m);
      expect(text).toMatch(/^ +isocache, hit in the store +40 .* m?s +1\.00$/m);
      expect(text).toMatch(/^ +isocache, miss +40 .* m?s +2\.00$/m);
      expect(text).toMatch(/^ +caches\.default, ttl 60 s +\d+ +\d+ +[34]\.\d\d s +-$/m);
      expect(text).toMatch(/^ +isocache, edge-1 +\d+ +0 +0\.0 ms +1\.00 s$/m);
      expect(text).toMatch(/^ +isocache, edge-2 +\d+ +\d+ +[\d.]+ m?s +1\.00 s$/m);
      expect(text).toMatch(/^ +client disconnects, shared promise +5 of 10 /m);
      expect(text).toMatch(/^ +client disconnects, isocache +10 of 10 /m);
      expect(text).toMatch(/^ +load never ends, shared promise +5 of 10 /m);
      expect(text).toMatch(/^ +load never ends, isocache +10 of 10 /m);
      expect(text).toMatch(/\nEvery figure is as promised\.\n$/);
      expect(await hasEnded()).toBe(true);
    },
    LIMIT_MS,
  );

  it(
    "serves pages after the report, until it is interrupted",
    async () => {
      const { printed, stop, hasEnded } = start();
      const [, first = "", second = ""] = await printed(/edge-1: (http\S+)\s+edge-2: (http\S+)\s/);
      const read = async (url: string): Promise<string | null> =>
        (await fetch(new URL("/file/package.json", url))).headers.get("cache-status");
      expect(await (await fetch(first)).text()).toContain("/file/README.md");
      expect(await read(first)).toBe("isocache; fwd=miss");
      expect(await read(second)).toBe("isocache; hit");
      await fetch(new URL("/invalidate?tag=package.json", second), { method: "POST" });
      expect(await read(second)).toBe("isocache; fwd=miss");
      await stop();
      expect(await hasEnded()).toBe(true);
    },
    LIMIT_MS,
  );
});

describe("the demo's options", () => {
  it("are none by default", () => {
    expect(readOptions([])).toEqual({ once: false, help: false, storeDelayMs: 0 });
  });

  it("take a delay of the store", () => {
    expect(readOptions(["--once", "--store-delay", "50"])).toMatchObject({ once: true, storeDelayMs: 50 });
  });

  it.each([["--nope"], ["extra"], ["--store-delay"], ["--store-delay=x"], ["--store-delay="], ["--store-delay=401"]])(
    "refuse %s",
    (...args) => {
      expect(() => readOptions(args)).toThrow(/--nope|extra|--store-delay/);
    },
  );

  it("end the process with 2 and the usage when they are wrong", async () => {
    const { code, output } = start("--nope");
    expect(await code).toBe(2);
    expect(output()).toMatch(/--nope[^]*--once/);
  });
});

describe("the demo's report", () => {
  it("counts and shows the figures that are not as promised", () => {
    const lines: string[] = [];
    const report = createReport((line: string) => lines.push(line));
    report.expect(true, "this");
    report.expect(false, "that");
    expect(report.wrong).toEqual(["that"]);
    expect(lines).toEqual(["  WRONG. Promised: that"]);
  });

  it("aligns tables: words left, numbers right", () => {
    const lines: string[] = [];
    createReport((line: string) => lines.push(line)).table(
      ["", "loads"],
      [
        ["with", 1],
        ["without", 200],
      ],
    );
    expect(lines).toEqual(["            loads", "  with          1", "  without     200"]);
  });

  it.each([
    [0.5, 3],
    [0.95, 5],
    [1, 5],
  ])("finds the value below which %d of them lie", (share, value) => {
    expect(quantile([5, 1, 4, 2, 3], share)).toBe(value);
  });
});
