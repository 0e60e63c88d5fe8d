// What is published is one list, package.json's `exports`; everything that repeats it agrees, and budgets can fail.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entryPoints, packageJson } from "../tooling/entries.mjs";
import { root } from "../tooling/install.mjs";
import { measure } from "../tooling/measure.mjs";

type Target = string | { readonly [condition: string]: Target };
const { exports } = packageJson as { exports: Record<string, Target> }; // read from JSON
const published = Object.entries(exports).filter(([path]) => path !== "./package.json");

/** The source that a subpath stands for under a condition. */
function sourceOf(target: Target, condition: string): string | undefined {
  const chosen = typeof target === "string" ? target : (target[condition] ?? target["default"] ?? target);
  return Object.values(entryPoints({ chosen }))[0];
}

describe("entry points", () => {
  it("are the sources of what exports name, each once", () => {
    const target = { types: "./dist/src/a.d.ts", default: "./dist/src/a.js" };
    const conditions = { workerd: { default: "./dist/runtimes/b.js" }, default: target };
    expect(entryPoints({ ".": conditions, "./a": target, "./package.json": "./package.json" })).toEqual({
      "runtimes/b": "runtimes/b.ts",
      "src/a": "src/a.ts",
    });
  });

  it("refuse a file that the build does not make, and types without a module", () => {
    expect(() => entryPoints({ ".": "./src/a.ts" })).toThrow("exports name ./src/a.ts");
    expect(() => entryPoints({ ".": { types: "./dist/a.d.ts", default: "./dist/b.js" } })).toThrow("./dist/a.d.ts");
  });

  it.each([
    ["tsconfig.json", "default"],
    ["tsconfig.workers.json", "workerd"],
  ])("are what the paths of %s lead to", (config, condition) => {
    const { compilerOptions } = JSON.parse(readFileSync(join(root, config), "utf8")) as {
      compilerOptions: { paths: Record<string, string[]> };
    };
    const wanted = published.map(([path, target]) => [
      `isocache${path.slice(1)}`,
      [`./${sourceOf(target, condition)}`],
    ]);
    expect(compilerOptions.paths).toEqual(Object.fromEntries(wanted));
  });
});

describe("a size budget", () => {
  const entry = `export { partitionOf } from "./src/store/hash.ts"`;

  it("holds for what is small and stands alone", async () => {
    expect(await measure({ entry, limit: 1_000, without: ["src/errors.ts"] }, root)).toMatchObject({ faults: [] });
  });

  it("fails when over its limit, and for what it should not pull in", async () => {
    const { faults } = await measure({ entry, limit: 10, without: ["src/store/"] }, root);
    expect(faults).toEqual([
      expect.stringMatching(/^\d+ bytes over its limit$/),
      expect.stringContaining("src/store/hash.ts"),
    ]);
  });

  it("does not count what tree shaking removes", async () => {
    const unused = `import { KeyError } from "./src/errors.ts"; ${entry}`;
    expect(await measure({ entry: unused, limit: 1_000, without: ["src/errors.ts"] }, root)).toMatchObject({
      faults: [],
    });
  });

  it("fails when the source does not exist", async () => {
    const { faults } = await measure({ entry: `export * from "./src/none.ts"`, limit: 1_000, without: [] }, root);
    expect(faults).toEqual([expect.stringContaining("./src/none.ts")]);
  });
});
