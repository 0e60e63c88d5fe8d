// Starts four processes that serve one port. One that dies while it serves is replaced; Ctrl-C ends all.
import cluster from "node:cluster";

const PROCESSES = 4;

if (cluster.isPrimary) {
  const serving = new Set();
  let stopping = false;
  const stop = () => {
    stopping = true;
    cluster.disconnect(); // each stops listening, and ends when nothing is left to do
  };
  cluster.on("listening", ({ id }, { port }) => {
    serving.add(id);
    if (serving.size === PROCESSES) console.log(`${PROCESSES} processes on http://127.0.0.1:${port}`);
  });
  cluster.on("exit", ({ id }, code) => {
    if (stopping) return;
    if (serving.has(id)) return cluster.fork();
    process.exitCode = code || 1; // it could not even begin, and said why
    stop();
  });
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  for (let count = 0; count < PROCESSES; count++) cluster.fork();
} else {
  process.on("SIGINT", () => undefined); // Ctrl-C reaches the whole group; the first process sees to the rest
  await import("./server.mjs");
}
