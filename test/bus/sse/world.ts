// What the tests of sseHub and sseBus share: a hub behind a proxy that can be cut, and buses there, in real time.
import { onTestFinished } from "vitest";
import { sseBus, sseHub } from "../../../src/bus/sse.ts";
import type { SseBusOptions, SseHubOptions } from "../../../src/bus/sse.ts";
import { defaultPlatform } from "../../../src/default-platform.ts";
import type { BusFixture } from "../../../src/testing/bus-driver.ts";
import { serveFetch } from "../../support/fetch-server.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

export const TOKEN = "the-token-of-this-hub";

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A fixture of the conformance suite on a hub at this port, whatever runs it, behind a proxy of its own. */
export async function busFixture(port: number, given: SseBusOptions = {}, path = "/"): Promise<BusFixture> {
  const proxy = await startTcpProxy({ host: "127.0.0.1", port });
  return {
    bus: (options) => sseBus(`http://127.0.0.1:${proxy.port}${path}`, { ...given, ...options }),
    platform: defaultPlatform(),
    advance: sleep,
    async cut() {
      proxy.refuse();
      proxy.cut();
    },
    restore: async () => proxy.accept(),
    close: () => proxy.close(),
  };
}

/** A hub on a port of its own, until the test is over. */
export async function startHub(options: SseHubOptions = {}) {
  const hub = sseHub(options);
  const server = await serveFetch(hub.fetch);
  const close = async (): Promise<void> => {
    await hub.close();
    await server.close();
  };
  onTestFinished(close);
  return { hub, server, close };
}
