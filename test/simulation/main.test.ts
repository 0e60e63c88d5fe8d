// The command line of the simulator: what it prints, and how it exits.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const run = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { timeout: 60_000 }, (failure, out, error) => {
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error });
    });
  });

const lastLine = ({ out }: Ended): string => out.trimEnd().split("\n").at(-1) ?? "";

it("runs seeds, counts the faults, and ends with a line that sums up", async () => {
  const ended = await run("--seeds", "50", "--from", "1");
  expect(ended).toMatchObject({ code: 0, error: "" });
  expect(lastLine(ended)).toBe("50 schedules, 0 violations");
  expect(ended.out).toMatch(/^\d+ schedules a second; faults that struck:$/m);
  expect(ended.out).toMatch(/^ +[1-9]\d* {2}instance killed$/m);
});

it("replays one seed: its options, who did what when, and the end", async () => {
  const ended = await run("--seed", "12");
  expect(ended.code).toBe(0);
  expect(ended.out).toMatch(/^seed 12$/m);
  expect(ended.out).toMatch(/^ +\d+ {2}store +read of A /m);
  expect(lastLine(ended)).toBe("1 schedules, 0 violations");
});

it("shows what a mutant violates, shrunk, and exits with 1", async () => {
  const mutant = ["--mutant", "a store that fails, fails reads"];
  const found = await run("--seeds", "20", ...mutant);
  const seed = /^seed (\d+): P5, fail open: /m.exec(found.out)?.[1] ?? "none";
  expect(found.code).toBe(1);
  expect(lastLine(found)).toMatch(/^20 schedules, [1-9]\d* violations$/);
  const shrunk = await run("--seed", seed, "--shrink", ...mutant);
  expect(shrunk.code).toBe(1);
  expect(shrunk.out).toMatch(/^P5, fail open: /m);
  expect(shrunk.out.length).toBeLessThan((await run("--seed", seed, ...mutant)).out.length);
});

it.each([
  [["--seeds", "many"], "--seeds many: it takes a whole number"],
  [["--sede", "1"], "--sede"],
  [["--mutant", "none"], "no mutant has that name; there are:"],
  [["--store", "map"], "--store map: it takes redis"],
])("refuses %j, says why and how it is used, and exits with 2", async (args, why) => {
  const ended = await run(...args);
  expect(ended.code).toBe(2);
  expect(ended.error).toContain(why);
  expect(ended.error).toContain("npm run simulate -- [options]");
});
