// The platform of Workers in real workerd: safe at module scope, and background work that outlives its request.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";
import { startOrigin } from "./origin.ts";
import type { Origin } from "./origin.ts";

describe.each(["2024-01-01", "2026-10-23"])("the platform at compatibility date %s", (compatibilityDate) => {
  let origin: Origin;
  let workerd: Workerd;
  beforeAll(async () => {
    origin = await startOrigin();
    const bindings = { ORIGIN: origin.url };
    const objects = { CACHE: "IsocacheObject" };
    workerd = await startWorkerd({ script: "./platform-worker.ts", compatibilityDate, objects, bindings });
  });
  afterAll(async () => {
    await workerd?.stop();
    await origin?.stop();
  });

  test("work handed to waitUntil goes on after the answer, other work does not", async () => {
    for (const path of ["/dropped", "/extended"]) {
      expect(await (await workerd.fetch("edge1", path)).text()).toBe("answered");
    }
    await expect.poll(() => origin.count("/extended")).toBe(1);
    expect(origin.count("/dropped")).toBe(0);
  });

  test("a cache made at module scope loads once for both isolates", async () => {
    expect(await (await workerd.fetch("edge1", "/page")).text()).toBe("/page 1");
    expect(await (await workerd.fetch("edge2", "/page")).text()).toBe("/page 1");
    expect(origin.count("/page")).toBe(1);
  });

  test("its numbers are drawn anew, its clock goes, and a long timer does not fire at once", async () => {
    const numbers = await (await workerd.fetch("edge1", "/numbers")).json();
    const crossRequestPromises = compatibilityDate > "2024-10-14";
    const rest = { memoryBytes: 16 * 1024 ** 2, now: expect.any(Number), far: true, crossRequestPromises };
    expect(numbers).toEqual({ inRange: true, ...rest });
    expect(numbers).toHaveProperty("now", expect.closeTo(Date.now(), -4));
  });
});
