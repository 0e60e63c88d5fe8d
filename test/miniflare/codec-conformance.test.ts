// The codecs in real workerd: the conformance suite, no eval, and a bound on what is decompressed while it streams.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { codecs } from "../codec/codecs.ts";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";

describe.each(["2024-01-01", "2026-10-23"])("codecs at compatibility date %s", (compatibilityDate) => {
  let workerd: Workerd;
  const ask = async (path: string): Promise<string> => (await workerd.fetch("codec", path)).text();
  beforeAll(async () => {
    workerd = await startWorkerd({ script: "./codec-worker.ts", compatibilityDate, isolates: ["codec"], objects: {} });
  });
  afterAll(() => workerd?.stop());

  describe.each(Object.keys(codecs))("%s", (codec) => {
    test.each(codecConformance.map(({ name }, index) => [name, index] as const))("%s", async (_, index) => {
      expect(await ask(`/?codec=${encodeURIComponent(codec)}&case=${index}`)).toBe("ok");
    });
  });

  test("code cannot be made of strings, and msgpackCodec does not try", async () => {
    expect(await ask("/eval")).toBe("false");
  });

  test("a bomb is stopped before the rest of it is decompressed", async () => {
    const { error, fed, size } = JSON.parse(await ask("/bomb")) as { error: string; fed: number; size: number };
    expect(error).toContain("more than 1048576 bytes when decompressed");
    expect(size).toBeGreaterThan(30_000);
    expect(fed).toBeLessThanOrEqual(8192); // what the bound leaves room for, and nothing after it
  });

  test("nothing is left to reject on its own", () => {
    expect(workerd.uncaught).toEqual([]);
  });
});
