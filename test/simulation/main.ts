// `npm run simulate`: runs schedules from the command line, replays one, or makes one smaller.
import { parseArgs } from "node:util";
import { drawPlan } from "./draw-plan.ts";
import { showFaults, showRun } from "./report.ts";
import { runSeeds } from "./run-seeds.ts";
import { shrink } from "./shrink.ts";
import { real, type Subject } from "./subject.ts";
import type { Plan } from "./plan.ts";

const USAGE = `npm run simulate -- [options]
  --seeds N     run N schedules, each from its seed (default 10000)
  --from N      the first seed (default 1)
  --seed N      run one and print who did what when
  --shrink      with --seed: print the smallest schedule found that violates the same promise
  --store redis all of them with the emulated Redis, instead of a share
  --bus         all of them with a bus, instead of a share
  --mutant NAME break the cache on purpose first; without a name that exists, prints the names`;

async function subjectNamed(name: string | undefined): Promise<Subject> {
  if (name === undefined) return real();
  const { mutants } = await import("./mutants.ts");
  const mutant = mutants[name];
  if (mutant === undefined)
    throw new Error(`no mutant has that name; there are:\n  ${Object.keys(mutants).join("\n  ")}`);
  return mutant.make();
}

/** A number given on the command line. */
function count(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} ${text}: it takes a whole number`);
  return number;
}

function storeNamed(name: string | undefined): "redis" | undefined {
  if (name === undefined || name === "redis") return name;
  throw new Error(`--store ${name}: it takes redis`);
}

async function replay(plan: Plan, subject: Subject): Promise<number> {
  const { text, violations } = await showRun(plan, subject);
  console.log(text);
  return violations;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "10000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      shrink: { type: "boolean", default: false },
      store: { type: "string" },
      bus: { type: "boolean", default: false },
      mutant: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const subject = await subjectNamed(values.mutant);
  const on = subject.runs !== undefined ? "redis" : values.bus ? "bus" : storeNamed(values.store);
  let schedules = 1;
  let violations: number;
  if (values.seed !== undefined) {
    const plan = drawPlan(count("seed", values.seed), on);
    violations = await replay(values.shrink ? await shrink(plan, subject) : plan, subject);
  } else {
    schedules = count("seeds", values.seeds);
    const run = await runSeeds({
      from: count("from", values.from),
      seeds: schedules,
      on,
      subject,
      onViolation: console.log,
    });
    console.log(`${Math.round(run.perSecond)} schedules a second; faults that struck:\n${showFaults(run.faults)}`);
    violations = run.violations;
  }
  console.log(`${schedules} schedules, ${violations} violations`);
  process.exitCode = violations > 0 ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
