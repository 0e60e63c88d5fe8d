// A thread with a cache of its own, which answers what it has in memory.
import { parentPort } from "node:worker_threads";
import { broadcastBus } from "../../src/bus/broadcast.ts";
import { createCache } from "../../src/index.ts";

const cache = createCache({ name: "threads", bus: broadcastBus() });
await cache.getOrSet("k", () => "loaded by the thread");
const answer = async (question: "ask" | "end"): Promise<void> => {
  if (question === "ask") return parentPort?.postMessage(await cache.get("k"));
  await cache.close();
  parentPort?.close(); // nothing else keeps the thread
};
parentPort?.on("message", (question: "ask" | "end") => void answer(question));
parentPort?.postMessage(await cache.get("k"));
