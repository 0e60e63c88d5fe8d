// The hub in a Durable Object of real workerd: clients in Node keep every promise of a bus there, and Workers publish.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sseBus } from "../../src/bus/sse.ts";
import { createCache } from "../../src/index.ts";
import { busConformance } from "../../src/testing/bus-conformance.ts";
import { leavingMakesRoom, stuckMakesRoom } from "../bus/sse/leaving.ts";
import { busFixture, TOKEN } from "../bus/sse/world.ts";
import { startWorkerd } from "./harness.ts";
import type { Workerd } from "./harness.ts";

const settings = [{ compatibilityDate: "2024-01-01" }, { compatibilityDate: "2026-10-23" }];

describe.each(settings)("a hub in a Durable Object of $compatibilityDate", (setting) => {
  let workerd: Workerd;
  beforeAll(async () => {
    workerd = await startWorkerd({ script: "./sse-worker.ts", ...setting, objects: { HUB: "HubObject" } });
  });
  afterAll(() => workerd?.stop());

  for (const { name, run } of busConformance) {
    test(name, () => run(() => busFixture(Number(workerd.url("edge1").port), { token: TOKEN })));
  }

  test("forgets at once whose connection is reset", async () => {
    const { port, hostname } = workerd.url("edge1");
    const openAndReset = async (): Promise<string> => {
      const socket = connect(Number(port), hostname).on("error", () => undefined);
      socket.write(`GET /one?channel=c HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
      let answer = "";
      await new Promise<void>((resolve) => {
        socket.on("data", (piece) => /event: reset|too many/.test((answer += piece.toString())) && resolve());
        socket.on("close", () => resolve());
      });
      socket.resetAndDestroy();
      return answer.split("\r\n")[0] ?? "";
    };
    for (let round = 0; round < 3; round++) await expect.poll(openAndReset).toBe("HTTP/1.1 200 OK");
    expect(workerd.uncaught).toEqual([]);
  });

  test("forgets who has left otherwise by the next keep-alives", () =>
    leavingMakesRoom(`${workerd.url("edge1").href}quick`));

  test("cuts off who never reads", () => stuckMakesRoom(`${workerd.url("edge1").href}quick`));

  /** A cache in Node that listens, and how often it was told that its bus is up or down. */
  const listener = async () => {
    const cache = createCache({ name: "shop", bus: sseBus(workerd.url("edge1").href, { token: TOKEN }) });
    const states: string[] = [];
    cache.on("bus", ({ state }) => states.push(state));
    await cache.getOrSet("k", () => 1);
    await expect.poll(() => states).toEqual(["up"]);
    return { cache, states };
  };

  test("what a Worker invalidates is gone from the memory of a server", async () => {
    const { cache } = await listener();
    await cache.getOrSet("k", () => 1);
    expect(await (await workerd.fetch("edge2", "/tell?key=k")).text()).toBe("told");
    await expect.poll(() => cache.get("k")).toBe(undefined);
    await cache.close();
  });

  test("clients find the hub again after its object was ended", async () => {
    const { cache, states } = await listener();
    await workerd.fetch("edge1", "/abort").catch(() => undefined);
    await expect.poll(() => states).toEqual(["up", "down", "up"]);
    await cache.getOrSet("k", () => 1);
    await workerd.fetch("edge2", "/tell?key=k");
    await expect.poll(() => cache.get("k")).toBe(undefined);
    await cache.close();
  });
});
