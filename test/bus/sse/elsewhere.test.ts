// The hub on other servers, with clients in Node and in the same runtime; all of them end by themselves.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { sseHub } from "../../../src/bus/sse.ts";
import { busConformance } from "../../../src/testing/bus-conformance.ts";
import { serveFetch } from "../../support/fetch-server.ts";
import { binary, root, runTool, toolEnv } from "../../tooling/install.mjs";
import { leavingMakesRoom, stuckMakesRoom } from "./leaving.ts";
import { busFixture, TOKEN } from "./world.ts";

const deno = ["run", "--no-check", "--no-lock", "--no-remote", "--node-modules-dir=manual", "--no-prompt"];

const runtimes = {
  bun: [],
  deno: [...deno, "--allow-net=127.0.0.1", "--allow-env"],
};

/** Starts the hub; `stop` gives what it printed and how it ended. */
async function startHub(program: string, options: readonly string[]) {
  const child = spawn(program, [...options, "test/bus/sse/hub.mjs"], {
    cwd: root,
    env: { ...toolEnv(), NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<string>((resolve) => child.on("close", (code) => resolve(`${output}code ${code}`)));
  const port = await new Promise<number>((resolve, reject) => {
    const look = (piece: Buffer): void => {
      output += piece.toString();
      const [, digits] = /^port (\d+)$/m.exec(output) ?? [];
      if (digits) resolve(Number(digits));
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    void ended.then((all) => reject(new Error(all)));
  });
  const stop = (): Promise<string> => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    return ended.finally(() => clearTimeout(timer));
  };
  return { port, url: `http://127.0.0.1:${port}/`, stop };
}

for (const [name, options] of Object.entries(runtimes)) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  describe.skipIf(reason !== "")(`a hub in ${name}${reason}`, () => {
    let hub: Awaited<ReturnType<typeof startHub>>;
    beforeAll(async () => {
      hub = await startHub(program, options);
    });
    afterAll(() => hub?.stop());

    for (const { name: promise, run } of busConformance) {
      test(`to clients in Node: ${promise}`, () => run(() => busFixture(hub.port, { token: TOKEN })));
    }

    test(`to clients in ${name}, every promise that needs no cut`, async () => {
      const { code, output } = await runTool(program, [...options, "test/bus/sse/client.mjs", hub.url]);
      expect(output).toMatch(/^(\d+) of \1 held$/m);
      expect(code).toBe(0);
    });

    test("forgets at once who disconnects", () => leavingMakesRoom(`${hub.url}one`));

    test("cuts off who never reads", () => stuckMakesRoom(`${hub.url}one`));

    test("ends by itself once it was closed, although somebody listens", async () => {
      const { signal } = new AbortController();
      const { status } = await fetch(`${hub.url}?channel=c`, { headers: { authorization: `Bearer ${TOKEN}` }, signal });
      expect(status).toBe(200);
      // Some servers log why a stream was cut off.
      expect(await hub.stop()).toMatch(
        /^port \d+\n(BusError: sseHub: a subscriber was too slow\n[^]*\n}\n)?ended\ncode 0$/,
      );
    });
  });
}

describe("a hub in Node", () => {
  const start = async (): Promise<string> => {
    const hub = sseHub({ token: TOKEN, maxSubscribers: 1, keepAlive: "1h" });
    const server = await serveFetch(hub.fetch);
    onTestFinished(async () => {
      await hub.close();
      await server.close();
    });
    return server.url;
  };

  test("forgets at once who disconnects", async () => leavingMakesRoom(await start()));

  test("cuts off who never reads", async () => stuckMakesRoom(await start()));
});
