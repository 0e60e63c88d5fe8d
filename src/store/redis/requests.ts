// Operations as the keys and arguments that the script takes.
import type { BatchItem, ChangesRequest, EntryMeta, Write } from "../contract.ts";
import { lines, toOptional, toText } from "./text.ts";

/** How much a partition remembers. */
export interface RedisLimits {
  readonly maxTags: number;
  readonly maxLogRecords: number;
}

/** One operation of the script. */
export type Step =
  | BatchItem
  | { readonly operation: "changesSince"; readonly request: ChangesRequest }
  | { readonly operation: "info" };

/** The line of an operation, the key it is about, and the bytes that go with it. */
interface Encoded {
  readonly line: string;
  readonly key?: string;
  readonly bytes?: Uint8Array;
}

const joined = (tags: readonly string[]): string => lines(...tags.map(toText));

const labelsOf = ({ ttlMs, staleWhileRevalidateMs, staleIfErrorMs, tags, etag, lastModified }: EntryMeta): string =>
  lines(ttlMs, staleWhileRevalidateMs, staleIfErrorMs, toOptional(etag), toOptional(lastModified)) + joined(tags);

const KINDS = { set: "s", delete: "d", expire: "e", tags: "t", expireTags: "x" } as const;

function encodeWrite(write: Write, nonce: string, deadline: number | "", limits: RedisLimits): Encoded {
  const head = lines("w", KINDS[write.kind], toText(nonce), deadline, limits.maxTags, limits.maxLogRecords);
  if ("tags" in write) return { line: head + joined(write.tags) };
  const { key } = write;
  if (write.kind !== "set") return { line: head, key };
  return { line: head + labelsOf(write.entry), key, bytes: write.entry.bytes };
}

function encodeStep(step: Step, limits: RedisLimits): Encoded {
  switch (step.operation) {
    case "read": {
      const { key, lease, refresh, hold } = step.request;
      const wish = lines(
        "r",
        toOptional(lease?.token),
        lease?.leaseMs ?? 0,
        toOptional(refresh),
        toOptional(hold),
      );
      return { line: wish + joined(lease?.scopes ?? []), key };
    }
    case "commit": {
      const { key, token, epoch, version, deadline = "", entry } = step.request;
      const kept = "keep" in entry ? entry.keep : undefined;
      const head = lines("c", toOptional(token), epoch, version, deadline, toOptional(kept));
      return { line: head + labelsOf(entry), key, ...("bytes" in entry && { bytes: entry.bytes }) };
    }
    case "renew":
    case "release": {
      const { key, token } = step.request;
      const spanMs = step.operation === "renew" ? step.request.leaseMs : step.request.backoffMs;
      return { line: lines(step.operation === "renew" ? "n" : "l", toOptional(token), spanMs), key };
    }
    case "write":
      return encodeWrite(step.request.write, step.request.nonce, step.request.deadline ?? "", limits);
    case "changesSince": {
      const { epoch, seq, tip } = step.request.since;
      return { line: lines("h", epoch, seq, toText(tip)) };
    }
    case "info":
      return { line: lines("i") };
  }
}

/** The keys of a partition begin with this. Braces in a name must not end Redis Cluster's hash tag. */
export const baseOf = (prefix: string, name: string, partition: number): string =>
  `${prefix}{${toText(name).replace(/[{}%]/g, encodeURIComponent)}:${partition}}`;

/** What follows the script in EVALSHA and EVAL: the number of keys, the keys, the head, and the operations. */
export function encodeSteps(
  base: string,
  head: string,
  steps: readonly Step[],
  limits: RedisLimits,
): (string | Uint8Array)[] {
  const keys = [`${base}:m`, `${base}:n`];
  const args: (string | Uint8Array)[] = [head];
  for (const step of steps) {
    const { line, key, bytes } = encodeStep(step, limits);
    if (key !== undefined) keys.push(`${base}:e:${toText(key)}`, `${base}:l:${toText(key)}`);
    args.push(line, bytes ?? "");
  }
  if (args.at(-1) === "") args.pop(); // a value of nothing is still a value: it comes as bytes
  return [String(keys.length), ...keys, ...args];
}
