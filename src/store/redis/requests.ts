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
  BatchItem | { readonly operation: "changesSince"; readonly request: ChangesRequest } | { readonly operation: "info" };

/** Arguments of a command. */
export type Arguments = (string | number | Uint8Array)[];

const joined = (tags: readonly string[]): string => lines(...tags.map(toText));

/** The script counts in whole milliseconds, and what is left of a value is never less than was asked for. */
function entryOf(meta: EntryMeta, bytes: Uint8Array | ""): Arguments {
  const { ttlMs, staleWhileRevalidateMs, staleIfErrorMs, tags, etag, lastModified } = meta;
  const staleMs = Math.max(staleWhileRevalidateMs, staleIfErrorMs);
  const labels = lines(ttlMs, staleWhileRevalidateMs, staleIfErrorMs, toOptional(etag), toOptional(lastModified));
  return [Math.ceil(ttlMs), Math.ceil(staleMs), labels + joined(tags), bytes];
}

const KINDS = { set: "s", delete: "d", expire: "e", tags: "t", expireTags: "x" } as const;

function writeOf(write: Write): Arguments {
  if (write.kind === "set") return entryOf(write.entry, write.entry.bytes);
  return [0, 0, "tags" in write ? joined(write.tags) : "", ""];
}

/** The arguments of an operation, always as many as its name says to the script. */
function argumentsOf(step: Step, { maxTags, maxLogRecords }: RedisLimits): Arguments {
  switch (step.operation) {
    case "read": {
      const { lease, refresh, hold } = step.request;
      const { token, leaseMs = 0, scopes = [] } = lease ?? {};
      const wish = lines(toOptional(token), Math.ceil(leaseMs)) + joined(scopes);
      return ["r", toOptional(hold), toOptional(refresh), wish];
    }
    case "commit": {
      const { token, epoch, version, deadline = "", entry } = step.request;
      const [keep, bytes] = "keep" in entry ? [toOptional(entry.keep), "" as const] : ["", entry.bytes];
      return ["c", toOptional(token), epoch, version, deadline, keep, ...entryOf(entry, bytes)];
    }
    case "renew":
      return ["n", toOptional(step.request.token), Math.ceil(step.request.leaseMs)];
    case "release":
      return ["l", toOptional(step.request.token), Math.ceil(step.request.backoffMs)];
    case "write": {
      const { write, nonce, deadline = "" } = step.request;
      return ["w", KINDS[write.kind], toText(nonce), deadline, maxTags, maxLogRecords, ...writeOf(write)];
    }
    case "changesSince": {
      const { epoch, seq, tip } = step.request.since;
      return ["h", epoch, seq, toText(tip)];
    }
    case "info":
      return ["i"];
  }
}

/** What concerns no key says so by one that it does not touch: the script counts on two keys for each operation. */
function keyOf(step: Step): string {
  if (step.operation === "changesSince" || step.operation === "info") return "";
  const about = step.operation === "write" ? step.request.write : step.request;
  return "key" in about ? about.key : "";
}

/** The keys of a partition begin with this. Braces in a name must not end Redis Cluster's hash tag. */
export const baseOf = (prefix: string, name: string, partition: number): string =>
  `${prefix}{${toText(name).replace(/[{}%]/g, encodeURIComponent)}:${partition}}`;

/** What follows the script in EVALSHA and EVAL: the number of keys, the keys, the head, and the operations. */
export function encodeSteps(base: string, head: Arguments, steps: readonly Step[], limits: RedisLimits) {
  const keys = [`${base}:m`, `${base}:n`];
  const args = head;
  for (const step of steps) {
    const key = toText(keyOf(step));
    keys.push(`${base}:e:${key}`, `${base}:l:${key}`);
    args.push(...argumentsOf(step, limits));
  }
  return [keys.length, ...keys, ...args].map((part) => (typeof part === "number" ? String(part) : part));
}
