// The store conformance suite on Durable Objects in real workerd, the client inside a Worker, in real time.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeConformance } from "../../src/testing/store-conformance.ts";
import { startStoreWorkerd } from "./store-workerd.ts";
import type { StoreWorkerd } from "./store-workerd.ts";

describe.each(["2024-01-01", "2026-10-23"])("a Durable Object store at compatibility date %s", (date) => {
  let workerd: StoreWorkerd;
  beforeAll(async () => {
    workerd = await startStoreWorkerd(date);
  });
  afterAll(() => workerd?.stop());

  test.concurrent.each(storeConformance.map(({ name }, index) => [name, index] as const))("%s", async (_, index) => {
    const response = await workerd.fetch("edge1", `/conformance?case=${index}`);
    expect(await response.text()).toBe("ok");
  });
});
