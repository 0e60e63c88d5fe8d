// Whether scripts lock their keys alone: where the server takes the flag, and where it does not.
import { describe, expect, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import { carriedPreludes, carriedTextPreludes } from "../../../src/store/redis/preludes.ts";
import { storeOver } from "../../../src/store/redis/store-over.ts";
import { entryOf } from "../../../src/testing/store-driver.ts";
import { service } from "../../support/services.ts";
import { transports, upstash } from "./world.ts";

const redis = service("redis");
const FLAG = "#!lua flags=allow-key-locking\n";
const preludesOf = (kind: string) => (kind === "fetch" ? carriedPreludes : carriedTextPreludes);

describe.skipIf(redis.isMissing).each(Object.keys(transports))("a script by %s", (kind) => {
  const [locking, plain] = preludesOf(kind);
  const isOfFlag = (body: Uint8Array): boolean => Buffer.from(body).includes("allow-key-locking");

  test("says that it locks its keys alone", async () => {
    const { server, driver } = await upstash({}, kind);
    await driver.load("k", entryOf([1], { tags: ["a"] }));
    await driver.write({ kind: "tags", tags: ["a"] });
    expect(server.counts()).toEqual({ EVALSHA: 3, EVAL: 1 });
    const [asked, taught] = server.requests();
    expect(asked!.target + String(asked!.body)).toContain(locking![0]);
    expect(isOfFlag(taught!.body)).toBe(true);
  });

  test("does not say so again to a server that refused it: one more command once", async () => {
    const { server, driver } = await upstash({}, kind, { keyLocking: false });
    await driver.info();
    expect(server.counts()).toEqual({ EVALSHA: 1, EVAL: 2 });
    expect(server.requests().map(({ body }) => isOfFlag(body))).toEqual([false, true, false]);
    server.reset();
    await driver.load("k", entryOf([1, 255]));
    expect((await driver.read("k")).entry?.bytes).toEqual(Uint8Array.of(1, 255));
    expect(server.counts()).toEqual({ EVALSHA: 3 });
    for (const { target, body } of server.requests()) expect(target + String(body)).toContain(plain![0]);
  });
});

describe("a server that refuses a script", () => {
  /** A connection to a server that knows no script and answers EVAL as told, and the first lines of what it was sent. */
  function refusing(refusalOf: (script: string) => string) {
    const sent: string[] = [];
    const transport = {
      preludes: carriedPreludes,
      incarnation: false,
      async send([name, script]: readonly (string | Uint8Array)[]): Promise<never> {
        sent.push(`${String(name)} ${String(script).startsWith(FLAG) ? "with the flag" : ""}`.trim());
        throw new Error(name === "EVALSHA" ? "NOSCRIPT No matching script" : refusalOf(String(script)));
      },
    };
    const store = storeOver("redis", () => transport, {});
    return { sent, connection: store.connect({ name: "test", platform: defaultPlatform() }) };
  }

  test.each([
    "ERR Unexpected flag in script shebang: allow-key-locking",
    "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
    "ERR Error while compiling new script: [string \"f_1\"]:1: unexpected symbol near '#'",
  ])("for its first line gets it without that line: %s", async (refusal) => {
    const { sent, connection } = refusing((script) => (script.startsWith(FLAG) ? refusal : "READONLY"));
    await expect(connection.info(0, {})).rejects.toThrow("READONLY");
    await expect(connection.info(0, {})).rejects.toThrow("READONLY");
    expect(sent).toEqual(["EVALSHA", "EVAL with the flag", "EVAL", "EVALSHA", "EVAL"]);
    await connection.close();
  });

  test("for anything else is not asked again, and neither is one that refuses both", async () => {
    const { sent, connection } = refusing(() => "OOM command not allowed when used memory > 'maxmemory'");
    await expect(connection.info(0, {})).rejects.toThrow("OOM");
    expect(sent).toEqual(["EVALSHA", "EVAL with the flag"]);
    await connection.close();
    const other = refusing(() => "ERR Error compiling script");
    await expect(other.connection.info(0, {})).rejects.toThrow("compiling");
    expect(other.sent).toEqual(["EVALSHA", "EVAL with the flag", "EVAL"]);
    await other.connection.close();
  });
});
