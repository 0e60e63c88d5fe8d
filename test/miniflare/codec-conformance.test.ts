// The codec conformance suite in real workerd.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";

describe.each(["2024-01-01", "2026-10-23"])("the codec at compatibility date %s", (compatibilityDate) => {
  let workerd: Workerd;
  beforeAll(async () => {
    workerd = await startWorkerd({ script: "./codec-worker.ts", compatibilityDate, isolates: ["codec"], objects: {} });
  });
  afterAll(() => workerd?.stop());

  test.each(codecConformance.map(({ name }, index) => [name, index] as const))("%s", async (_, index) => {
    const response = await workerd.fetch("codec", `/?case=${index}`);
    expect(await response.text()).toBe("ok");
  });
});
