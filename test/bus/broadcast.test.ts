// broadcastBus between the threads of a process.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { broadcastBus } from "../../src/bus/broadcast.ts";
import { createCache } from "../../src/index.ts";

test("what one thread deletes, the memory of another forgets; both end by themselves", async () => {
  const thread = new Worker(new URL("thread.ts", import.meta.url));
  const answer = async (): Promise<unknown> => ((await once(thread, "message")) as unknown[])[0];
  expect(await answer()).toBe("loaded by the thread");
  const cache = createCache({ name: "threads", bus: broadcastBus() });
  await cache.delete("k");
  let last: unknown = "unknown";
  for (let tries = 0; last !== undefined && tries < 100; tries++) {
    thread.postMessage("ask");
    last = await answer();
  }
  expect(last).toBe(undefined);
  const ended = once(thread, "exit");
  thread.postMessage("end");
  expect(await ended).toEqual([0]);
  await cache.close();
});
