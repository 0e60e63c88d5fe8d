// Scripts that lock their keys alone, as Upstash documents them.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { redis, world } from "./world.ts";

const FLAG = "#!lua flags=allow-key-locking\n";
const hashOf = (script: string): string => createHash("sha1").update(script).digest("hex");
const refused = (error: string) => [400, { error: expect.stringContaining(error) }];

describe.skipIf(redis.isMissing)("a script that locks its keys alone", () => {
  test("is known by the digest of what was sent, the flag included", async () => {
    const { prefix, run } = await world();
    const script = `return redis.call("INCR", KEYS[1]) --${prefix}`;
    const key = `${prefix}k`;
    expect(await run(["EVAL", FLAG + script, 1, key])).toEqual([200, { result: 1 }]);
    expect(await run(["EVALSHA", hashOf(FLAG + script), 1, key])).toEqual([200, { result: 2 }]);
    expect(await run(["EVALSHA", hashOf(script), 1, key])).toEqual(refused("NOSCRIPT"));
    const other = `${FLAG}${script}-`;
    expect(await run(["SCRIPT", "LOAD", other])).toEqual([200, { result: hashOf(other) }]);
    expect(await run(["SCRIPT", "EXISTS", hashOf(other), hashOf(script)])).toEqual([200, { result: [1, 0] }]);
    const readOnly = `#!lua flags=no-writes,allow-key-locking\n${script}`;
    expect(await run(["EVAL", readOnly, 1, key])).toEqual(refused("not allowed from read-only script"));
  });

  test("may touch no key that is not in KEYS, and nothing that concerns all keys", async () => {
    const { prefix, run } = await world();
    const [mine, other] = [`${prefix}mine`, `${prefix}other`];
    expect(await run(["EVAL", `${FLAG}return redis.call("SET", ARGV[1], 1)`, 1, mine, other])).toEqual(
      refused("not in KEYS"),
    );
    expect(await run(["EVAL", `${FLAG}return redis.pcall("MGET", KEYS[1], ARGV[1])`, 1, mine, other])).toEqual(
      refused("not in KEYS"),
    );
    expect(await run(["EVAL", `${FLAG}return redis.call("dbsize")`, 0])).toEqual(refused("not allowed"));
    expect(await run(["EVAL", `${FLAG}return redis.call("PUBLISH", ARGV[1], 1)`, 0, other])).toEqual([
      200,
      { result: 0 },
    ]);
    expect(await run(["EXISTS", other])).toEqual([200, { result: 0 }]);
  });

  test("is refused by Redis where a proxy passes it on as it is", async () => {
    const { run } = await world({ keyLocking: false });
    expect(await run(["EVAL", `${FLAG}return 1`, 0])).toEqual(refused("Unexpected flag in script shebang"));
  });
});
