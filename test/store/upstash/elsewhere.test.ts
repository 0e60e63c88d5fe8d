// The store over `fetch` in other runtimes, where address and token come from the environment.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { service } from "../../support/services.ts";
import { world } from "../../support/upstash/world.ts";
import { binary, runTool } from "../../tooling/install.mjs";

const redis = service("redis");
const deno = ["run", "--no-check", "--no-lock", "--no-remote", "--node-modules-dir=manual", "--no-prompt"];

const runtimes = {
  bun: [],
  deno: [...deno, "--allow-net=127.0.0.1", "--allow-env"],
};

for (const [name, options] of Object.entries(runtimes)) {
  const program = binary(name);
  const reason = existsSync(program) ? "" : ` (skipped: ${name} is not installed)`;
  test.skipIf(redis.isMissing || reason !== "")(
    `every promise of the store contract is kept over fetch in ${name}${reason}`,
    async () => {
      const { server, prefix } = await world();
      const env = { NO_COLOR: "1", UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: server.token };
      const { code, output } = await runTool(program, [...options, "test/store/upstash/elsewhere.mjs", prefix], {
        env,
      });
      expect(output).toMatch(/^(\d+) of \1 held$/m);
      expect(code).toBe(0);
    },
  );
}
