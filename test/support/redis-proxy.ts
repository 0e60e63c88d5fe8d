// A TCP proxy in front of Redis: counts the commands that go through, and loses answers, besides what any such proxy does.
import { respReader, textOf } from "./resp.ts";
import type { Reply } from "./resp.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpConnection, TcpProxy } from "./tcp-proxy.ts";

/** How often each command was sent, by its name in upper case. */
export type Counts = Readonly<Record<string, number>>;

export interface ProxiedConnection extends TcpConnection {
  readonly counts: Counts;
}

export interface RedisProxy extends Omit<TcpProxy, "connections" | "forget"> {
  /** What a client connects to, instead of Redis itself. */
  readonly url: string;
  /** All connections since the start or the last reset, those that have ended included. */
  connections(): readonly ProxiedConnection[];
  /** The commands of all connections since the start or the last reset. */
  counts(): Counts;
  /** Forgets what was counted, and the connections that have ended. */
  reset(): void;
  /** Lets the next command of that name through and cuts its connection instead of passing on any further answer. */
  loseAnswerOf(name: string): void;
}

const nameOf = (command: Reply): string | undefined =>
  command.type === "array" ? textOf(command.items?.[0] ?? command)?.toUpperCase() : undefined;

function sum(all: readonly ReadonlyMap<string, number>[]): Counts {
  const total: Record<string, number> = {};
  for (const [name, count] of all.flatMap((counts) => [...counts])) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** Starts a proxy to a `redis://host:port`; whoever starts it closes it. Inline commands are not understood. */
export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const losing = new Set<string>();
  /** Of the connections that are not forgotten, by their numbers. */
  const countsOf = new Map<number, Map<string, number>>();
  const proxy = await startTcpProxy({ host: hostname, port: Number(targetPort || 6379) }, (id) => {
    const counts = new Map<string, number>();
    const read = respReader();
    let isLosing = false;
    countsOf.set(id, counts);
    return {
      request(piece) {
        for (const name of read(piece).map(nameOf)) {
          if (name === undefined) continue;
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (losing.delete(name)) isLosing = true;
        }
      },
      answer: () => isLosing,
    };
  });
  const { forget, connections, ...rest } = proxy;
  const url = new URL(target); // with its password, if any
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  return {
    ...rest,
    url: url.href,
    connections: () => connections().map((each) => ({ ...each, counts: sum([countsOf.get(each.id) ?? new Map()]) })),
    counts: () => sum([...countsOf.values()]),
    reset() {
      forget();
      const open = new Set(connections().map(({ id }) => id));
      for (const [id, counts] of countsOf) {
        if (open.has(id)) counts.clear();
        else countsOf.delete(id);
      }
    },
    loseAnswerOf: (name) => void losing.add(name.toUpperCase()),
  };
}
