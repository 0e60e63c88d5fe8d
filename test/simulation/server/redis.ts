// A server of Redis: the store's own script on emulated keys, behind its own client without a network.
import { plainPreludes } from "../../../src/store/redis/preludes.ts";
import { baseOf } from "../../../src/store/redis/requests.ts";
import { toText } from "../../../src/store/redis/text.ts";
import type { RedisReply, RedisTransport } from "../../../src/store/redis/transport.ts";
import { PROTOCOL } from "../../../src/store/wire.ts";
import { createRedisServer, type Published } from "../redis/emulator.ts";
import type { Backend, BackendOptions, Holdings } from "./backend.ts";

/** The name of the cache, by which its keys are found. */
export const CACHE = "simulated";

const decoder = new TextDecoder();
const text = (reply: RedisReply): string => (reply instanceof Uint8Array ? decoder.decode(reply) : "");
const texts = (reply: RedisReply): string[] => (reply as readonly RedisReply[]).map(text); // of a list of names

/** The limits that the store knows. */
export const remembers = ({ maxTags, maxLogRecords }: BackendOptions["limits"]) => ({
  ...(maxTags !== undefined && { maxTags }),
  ...(maxLogRecords !== undefined && { maxLogRecords }),
});

export function createRedis({ subject, partitions, limits, platform }: BackendOptions): Backend {
  const listeners = new Set<Published>();
  const server = createRedisServer({
    now: platform.now,
    random: platform.random,
    published: (channel, message) => listeners.forEach((listener) => listener(channel, message)),
    script: subject.runs,
  });
  let believed: number | undefined;

  const base = (partition: number): string => baseOf(`isocache:${PROTOCOL}:`, CACHE, partition);
  const keys = (): string[] => texts(server.send(["KEYS"]));
  const lose = (...names: readonly string[]): void => void server.send(["DEL", ...names]);
  const listen = (published: Published): (() => void) => {
    listeners.add(published);
    return () => void listeners.delete(published);
  };

  /** As over HTTP: it does not know when the process is another one. */
  const transport: RedisTransport = {
    preludes: plainPreludes,
    incarnation: false,
    send: async (command) => server.send(command),
    subscribe(channel, events) {
      let isOpen = true;
      const stop = listen((to, message) => {
        if (to === channel) queueMicrotask(() => void (isOpen && events.message(message)));
      });
      queueMicrotask(() => void (isOpen && events.state(true)));
      return {
        async close() {
          isOpen = false;
          stop();
        },
      };
    },
  };

  const count = (): number =>
    Number(text(server.send(["HGET", `${base(0)}:m`, "q"])).split("\n")[0]) || (believed ?? partitions);

  /** Counted from the keys, not by what the script has counted. */
  const held = (partition: number, all: readonly string[]): Holdings => {
    const begins = (kind: string): string[] => all.filter((key) => key.startsWith(`${base(partition)}:${kind}:`));
    const fields = texts(server.send(["HKEYS", `${base(partition)}:m`]));
    const entries = begins("e");
    const bytes = entries.reduce((sum, key) => {
      const size = (field: string): number => Number(server.send(["HSTRLEN", key, field]));
      return sum + 200 + size("h") + size("b");
    }, 0);
    return {
      entries: entries.length,
      bytes,
      leases: begins("l").length,
      tags: fields.filter((field) => /^[gx](?!@)/.test(field)).length,
      logRecords: fields.filter((field) => /^l\d/.test(field)).length,
    };
  };

  return {
    connect(shards) {
      believed ??= shards;
      const options = { partitions: shards, ...remembers(limits) };
      return subject.storeOver("redis", () => transport, options).connect({ name: CACHE, platform });
    },
    get partitions() {
      return count();
    },
    meddle: (_operation, _partition, request) => request,
    begin(survival) {
      if (survival === "nothing") server.send(["FLUSHALL"]);
      else if (survival !== "data") survival();
      // A replica that was promoted has lost the past of its primary; only INFO tells it from a snapshot that was loaded.
      server.restart(survival === "nothing" || (survival !== "data" && platform.random() < 0.5));
    },
    loseMeta: () => lose(...Array.from({ length: count() }, (_, partition) => `${base(partition)}:m`)),
    loseEntry: (key) => lose(...keys().filter((name) => name.endsWith(`}:e:${toText(key)}`))),
    loseLease: (key) => lose(...keys().filter((name) => name.endsWith(`}:l:${toText(key)}`))),
    snapshot: server.snapshot,
    jumped: () => undefined,
    holdings() {
      const all = keys();
      return Array.from({ length: count() }, (_, partition) => held(partition, all));
    },
    redis: {
      send: server.send,
      listen,
      setFull: server.setFull,
      evict(place) {
        const all = keys();
        if (all.length > 0) lose(all[place % all.length]!); // one of them
      },
    },
    close: server.close,
  };
}
