// The emulated Redis gives the replies of the real one: of single commands in a script, and of the store's own requests.
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultPlatform } from "../../../src/default-platform.ts";
import type { BatchItem, Position, Stamp, StoreConnection, Write } from "../../../src/store/contract.ts";
import { plainPreludes } from "../../../src/store/redis/preludes.ts";
import { storeOver } from "../../../src/store/redis/store-over.ts";
import type { RedisReply } from "../../../src/store/redis/transport.ts";
import { startRedis, type RedisServer as RealServer } from "../../support/redis.ts";
import { whyNoRedis } from "../../store/redis/servers.ts";
import { createDraw, type Draw } from "../draw.ts";
import { createRedisServer, type Command, type RedisServer } from "./emulator.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env["RUNS"] ?? 40);
const LIMITS = { maxTags: 3, maxLogRecords: 6 };
/** The script's END. */
const END = 4_000_000_000_000;

/** A reply in the terms of a test, its bytes one character each. */
function plain(reply: RedisReply): unknown {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("latin1");
  if ((reply as unknown) instanceof Error) return `error ${String((reply as unknown as Error).message)}`; // in a list
  return Array.isArray(reply) ? (reply as readonly RedisReply[]).map(plain) : reply;
}

/** What a command comes to; of an error its beginning, as Redis adds where in a script it was. */
async function outcome(ask: () => RedisReply | Promise<RedisReply>): Promise<unknown> {
  try {
    return plain(await ask());
  } catch (error) {
    return `error ${(error as Error).message.split(" script: ")[0]}`;
  }
}

describe.skipIf(whyNoRedis !== undefined)(`an emulated Redis (seed ${SEED})`, () => {
  let real: RealServer;
  let client: Redis;
  let names = "";
  beforeAll(async () => {
    real = await startRedis({ "maxmemory-policy": "noeviction" });
    client = new Redis(real.url);
    const info = await client.info();
    names = ["master_replid", "run_id"].map((name) => new RegExp(`${name}:(\\w+)`).exec(info)![1]).join(""); // INFO has both
  });
  afterAll(async () => {
    client?.disconnect();
    await real?.close();
  });

  const send = (command: Command): Promise<RedisReply> => {
    const [name = "", ...args] = command;
    return client.callBuffer(
      String(name),
      args.map((arg) => Buffer.from(arg as string)),
    ) as Promise<RedisReply>;
  };

  interface Pair {
    readonly emulated: RedisServer;
    /** Sets the emulated clock. */
    set(at: number): void;
    now(): number;
    setFull(isFull: boolean): Promise<void>;
    /** Both do it, and say the same. */
    both(command: Command): Promise<void>;
  }

  /** Both, empty, with the same names in INFO. */
  async function pair(): Promise<Pair> {
    await client.config("SET", "maxmemory", "0");
    await client.flushall();
    await client.script("FLUSH");
    const [seconds, micros] = await client.time();
    let clock = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    let drawn = 0;
    const emulated = createRedisServer({
      now: () => clock,
      random: () => (parseInt(names[drawn++]!, 16) + 0.5) / 16,
      published: () => undefined,
    });
    return {
      emulated,
      set: (at) => void (clock = at),
      now: () => clock,
      async setFull(isFull) {
        await client.config("SET", "maxmemory", isFull ? "1" : "0");
        emulated.setFull(isFull);
      },
      async both(command) {
        const said = await outcome(() => send(command));
        expect(await outcome(() => emulated.send(command)), String(command)).toEqual(said);
      },
    };
  }

  /** All keys and what is in them. */
  async function contents(ask: (command: Command) => RedisReply | Promise<RedisReply>): Promise<unknown> {
    const keys = (plain(await ask(["KEYS", "*"])) as string[]).sort();
    const found: unknown[] = [];
    for (const key of keys) {
      const type = String(plain(await ask(["TYPE", key])));
      const bytes = Buffer.from(key, "latin1");
      if (type === "string") found.push([key, plain(await ask(["GET", bytes]))]);
      const all = type === "hash" ? (plain(await ask(["HGETALL", bytes])) as string[]) : [];
      const fields = all.flatMap((name, at) => (at % 2 === 0 ? [`${name}=${all[at + 1]}`] : []));
      if (type === "hash") found.push([key, fields.sort()]);
      const left = Number(await ask(["PTTL", bytes]));
      found.push(left < 0 ? left : `ends in ${Math.round(left / 10_000)} times 10 s`);
    }
    return found;
  }

  const TELL = `
    local function tell(reply)
      if type(reply) ~= "table" then return type(reply).." "..tostring(reply) end
      if reply.err then return "err "..reply.err end
      if reply.ok then return "ok "..reply.ok end
      local parts = {}
      for i = 1, #reply do parts[i] = tell(reply[i]) end
      if ARGV[1] == "HKEYS" or ARGV[1] == "HGETALL" then table.sort(parts) end
      return "{"..table.concat(parts, ",").."}"
    end`;
  const PROTECTED = `${TELL} return tell(redis.pcall(unpack(ARGV)))`;
  const PLAIN = `${TELL} return tell(redis.call(unpack(ARGV)))`;

  function drawCommand(draw: Draw): string[] {
    const key = () => draw.pick(["a", "b", "c"]);
    const field = () => draw.pick(["f", "g", ""]);
    const value = () => draw.pick(["1", "-7", "01", "text", "", "9007199254740993x"]);
    return draw.pick<() => string[]>([
      () => ["GET", key()],
      () => ["SET", key(), value()],
      () => ["SET", key(), value(), "PX", draw.pick(["500000", "0", "-1", "x"])],
      () => ["DEL", key(), key()],
      () => ["EXISTS", key(), key()],
      () => ["PTTL", "none"],
      () => ["PEXPIRE", key(), draw.pick(["500000", "0", "-1", "1.5", "x"])],
      () => ["PEXPIREAT", key(), draw.pick(["4000000000000", "1", "x"])],
      () => ["PERSIST", key()],
      () => ["HGET", key(), field()],
      () => ["HMGET", key(), field(), field(), "none"],
      () => ["HSET", key(), field(), value(), field(), value()],
      () => ["HDEL", key(), field(), field()],
      () => ["HKEYS", key()],
      () => ["HGETALL", key()],
      () => ["HSTRLEN", key(), field()],
      () => ["HINCRBY", key(), field(), draw.pick(["3", "-3", "x", "1.0"])],
      () => ["PUBLISH", "nobody", value()],
    ])();
  }

  test("answers single commands in a script, protected or not, full or not", { timeout: 60_000 }, async () => {
    for (let run = 0; run < RUNS; run++) {
      const draw = createDraw(SEED + run);
      const { emulated, both, setFull } = await pair();
      for (let step = 0; step < 150; step++) {
        if (draw.chance(0.04)) await setFull(draw.chance(0.4));
        await both(["EVAL", draw.chance(0.7) ? PROTECTED : PLAIN, "0", ...drawCommand(draw)]);
      }
      await setFull(false);
      expect(await contents((command) => emulated.send(command))).toEqual(await contents(send));
      emulated.close();
    }
  });

  test.each<[string, string, string[]]>([
    ["numbers cut off", "return {1.9, -1.9, 2 ^ 53, true, false, 'a', nil, 'b'}", []],
    [
      "numbers as arguments",
      "redis.call('SET', 'n', 2 ^ 70) return {redis.call('GET', 'n'), redis.call('HSET', 'h', 1, 0.1)}",
      [],
    ],
    ["statuses and errors", "return {redis.status_reply('FINE'), redis.error_reply('ERR own')}", []],
    ["an error as reply", "return redis.error_reply('ERR own')", []],
    ["what is no argument", "return redis.call('SET', 'a', {})", []],
    ["zero bytes", "return {#ARGV[1], string.byte(ARGV[1], 1, -1)}", ["\0\u0001\u0002\0a\u0001"]],
    [
      "one write before another, when memory is full",
      "redis.call('DEL', 'x') return redis.call('SET', 'x', '1')",
      ["full"],
    ],
    [
      "a read before a write, when memory is full",
      "redis.call('GET', 'x') return redis.call('SET', 'x', '1')",
      ["full"],
    ],
    ["what is not there", "return nothing", []],
    ["a global that is set", "own = 1", []],
    ["nothing", "return nil", []],
  ])("answers as Redis does: %s", async (_, script, args) => {
    const { emulated, both, setFull } = await pair();
    await setFull(args[0] === "full");
    const command = ["EVAL", script, "0", ...args];
    const said = await outcome(() => send(command));
    const mine = await outcome(() => emulated.send(command));
    // Of an error in Lua, the words are the machine's.
    const isOdd = String(said).startsWith("error ERR user_script");
    expect(isOdd ? String(mine).startsWith("error ERR user_script") || mine : mine).toEqual(isOdd || said);
    await setFull(false);
    await both(["GET", "x"]);
    emulated.close();
  });

  test("knows a script by its hash, until it is another process", async () => {
    const { emulated } = await pair();
    const hash = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"; // of "return 1"
    expect(() => emulated.send(["EVALSHA", hash, "0"])).toThrow("NOSCRIPT No matching script. Please use EVAL.");
    await expect(send(["EVALSHA", hash, "0"])).rejects.toThrow("NOSCRIPT No matching script.");
    expect(emulated.send(["EVAL", "return 1", "0"])).toBe(1);
    expect(emulated.send(["EVALSHA", hash, "0"])).toBe(1);
    emulated.restart(false);
    expect(() => emulated.send(["EVALSHA", hash, "0"])).toThrow("NOSCRIPT");
  });

  test("ends keys by the clock that it is given, in the same millisecond as Redis", async () => {
    const { emulated, set, now } = await pair();
    emulated.send(["SET", "a", "1", "PX", "10"]);
    set(now() + 10);
    expect([emulated.send(["GET", "a"]), emulated.send(["PTTL", "a"])].map(plain)).toEqual(["1", 0]);
    set(now() + 1);
    expect([emulated.send(["EXISTS", "a"]), emulated.send(["PTTL", "a"])]).toEqual([0, -2]);
  });

  /** A request of the store, of what was told before. */
  function drawItem(draw: Draw, { at, held, leases }: Known): BatchItem {
    const key = draw.pick(["a", "b\0\u{1f600}", `it's "c"\n\\`]);
    const token = draw.pick(["p", "q\n", ""]);
    const tags = draw.some(["@", "@n", "t", "u\0", "v", "w", "\u{1f600}", ""], 0.3);
    const ms = (): number => draw.pick([0, 60_000, 60_000, 7_200_000, Number.MAX_SAFE_INTEGER]);
    const meta = {
      ttlMs: ms(),
      staleWhileRevalidateMs: ms(),
      staleIfErrorMs: ms(),
      tags,
      ...(draw.chance(0.2) && { etag: "\n" }),
    };
    const entry = { ...meta, bytes: Uint8Array.from({ length: draw.int(0, 40) }, () => draw.int(0, 255)) };
    const deadline = draw.chance(0.2) && { deadline: Date.now() + draw.pick([-1_000, 60_000]) };
    const known = leases.get(key + token) ?? { epoch: at.epoch, version: 0 };
    return draw.pick<() => BatchItem>([
      () => ({
        operation: "read",
        request: {
          key,
          waitMs: 0,
          ...(draw.chance(0.3) && { hold: held }),
          ...(draw.chance(0.3) && { refresh: held }),
          ...(draw.chance(0.7) && { lease: { token, leaseMs: draw.pick([0, 80_000]), scopes: ["@"] } }),
        },
      }),
      () => ({
        operation: "commit",
        request: { key, token, ...known, entry: draw.chance(0.2) ? { ...meta, keep: held } : entry, ...deadline },
      }),
      () => ({ operation: "renew", request: { key, token, leaseMs: 120_000 } }),
      () => ({ operation: "release", request: { key, token, backoffMs: ms() } }),
      () => {
        const write = draw.pick<Write>([
          { kind: "set", key, entry },
          { kind: "delete", key },
          { kind: "expire", key },
          { kind: "tags", tags },
          { kind: "expireTags", tags },
        ]);
        return { operation: "write", request: { write, nonce: `n${draw.int(0, 60)}\n`, ...deadline } };
      },
    ])();
  }

  interface Known {
    at: Position;
    held: string;
    readonly leases: Map<string, { epoch: string; version: number }>;
  }

  /** Asks the store something, whatever it answers. */
  async function step(draw: Draw, connection: StoreConnection, known: Known): Promise<void> {
    const { at } = known;
    const seq = Math.max(0, at.seq - draw.int(0, 8));
    const since = { epoch: at.epoch, seq, tip: draw.pick([at.tip, "n1\n"]) };
    const witness = draw.pick([at, at, at, { ...at, seq: at.seq + 1 }, since, undefined]);
    const item = drawItem(draw, known);
    const learn = (reply: Stamp & { entry?: { id: string }; lease?: { version: number } }): void => {
      known.at = { epoch: reply.epoch, seq: reply.seq, tip: reply.tip };
      if (reply.entry) known.held = reply.entry.id;
      const { key, lease } = item.request as { key: string; lease?: { token: string } }; // if it is a read
      if (reply.lease && lease)
        known.leases.set(key + lease.token, { epoch: reply.epoch, version: reply.lease.version });
    };
    const asked = draw.pick<() => Promise<unknown>>([
      () => connection.info(0, {}),
      () => connection.changesSince(0, { since }, {}),
      () => connection.batch(0, { items: [item, drawItem(draw, known), drawItem(draw, known)] }, {}),
      ...Array.from({ length: 9 }, () => () => {
        const ask = connection[item.operation] as (partition: number, request: object, call: object) => Promise<Stamp>; // of its kind
        return ask(0, { ...item.request, ...(item.operation === "read" && witness && { witness }) }, {}).then(learn);
      }),
    ]);
    await asked().catch(() => undefined);
  }

  test("answers what the store asks byte by byte, and keeps the same keys", { timeout: 120_000 }, async () => {
    for (let run = 0; run < RUNS; run++) {
      const draw = createDraw(SEED + run);
      const { emulated, both, set, now, setFull } = await pair();
      const metadata = "isocache:1:{d:0}:m";
      let epoch = "";
      let ends = END;
      // Compared outside: the client takes whatever is thrown here for a failure of Redis.
      const pairs: { command: Command; mine: unknown; said: unknown }[] = [];
      let sent = 0;
      const asks = async (command: Command): Promise<RedisReply> => {
        const said = await outcome(() => send(command));
        // A reply for each operation; of one that was refused, no time is told.
        const replies = Array.isArray(said) ? (said as (string | [string, number])[]) : [];
        const told = replies.find((reply) => typeof reply !== "string" && reply[0] !== "error");
        const [position, left] = typeof told === "object" ? told : [];
        // The clocks are one: by what is left of the metadata, the script tells what time it is.
        if (position && left !== undefined) {
          if (epoch !== position.split("\n")[0]) ends = END;
          epoch = position.split("\n")[0]!;
          set(ends - left);
        }
        const again: { reply?: RedisReply; error?: unknown } = {};
        const mine = await outcome(() => {
          try {
            return (again.reply = emulated.send(command));
          } catch (error) {
            again.error = error;
            throw error;
          }
        });
        pairs.push({ command, mine, said });
        if (again.error !== undefined) throw again.error as Error; // what it threw
        return again.reply!; // else it has one
      };
      const isTold = draw.chance(0.7);
      const transport = {
        preludes: plainPreludes,
        incarnation: isTold,
        send: asks,
        ...(isTold && { onLost: () => () => undefined }),
      } as const;
      const connection = storeOver("redis", () => transport, { ...LIMITS, bus: false }).connect({
        name: "d",
        platform: defaultPlatform(),
      });
      const known: Known = { at: { epoch: "", seq: 0, tip: "" }, held: "", leases: new Map() };
      for (let count = 0; count < 80; count++) {
        if (draw.chance(0.03)) await setFull(draw.chance(0.5));
        if (draw.chance(0.02))
          await both([
            "DEL",
            draw.pick([metadata, `isocache:1:{d:0}:e:a`, `isocache:1:{d:0}:l:a`, `isocache:1:{d:0}:n`]),
          ]);
        if (draw.chance(0.05)) {
          const left = await client.pttl(metadata);
          if (left > 0) {
            const span = left - draw.pick([10, 30_000, 60_000, 3_600_000, -3_600_000]);
            await both(["PEXPIRE", metadata, String(span)]);
            ends = now() + span;
          }
        }
        await step(draw, connection, known);
        for (const { command, mine, said } of pairs.splice(0)) {
          sent++;
          expect(mine, `run ${run}: ${command.slice(2).map(String).join(" ")}`).toEqual(said);
        }
      }
      await setFull(false);
      expect(await contents((command) => emulated.send(command)), `run ${run}`).toEqual(await contents(send));
      expect(sent).toBeGreaterThan(60);
      await connection.close();
      emulated.close();
    }
  });
});
