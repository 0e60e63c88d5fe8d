// sseBus and sseHub keep the promises of the bus contract, over real connections that are cut.
import { test } from "vitest";
import { busConformance } from "../../../src/testing/bus-conformance.ts";
import { busFixture, startHub, TOKEN } from "./world.ts";

for (const { name, run } of busConformance) {
  test(name, async () => {
    const { server } = await startHub({ token: TOKEN });
    await run(() => busFixture(server.port, { token: TOKEN }));
  });
}
