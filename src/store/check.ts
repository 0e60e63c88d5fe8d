// The bounds of a request: what no engine sends is refused before it costs memory.
import { StoreError } from "../errors.ts";
import { FOREVER } from "./contract.ts";
import type { CommitRequest, EntryMeta, ReadRequest, WriteRequest } from "./contract.ts";

const MAX_KEY = 8_192;
const MAX_TAGS = 1_024;
const MAX_TAG_CHARS = 65_536;
const MAX_VALIDATOR = 8_192;
const MAX_VALUE_BYTES = 64 * 1_048_576;

function demand(ok: boolean, what: string): void {
  if (!ok) throw new StoreError(`The store refuses the request: ${what}`);
}

/** A key: 1 to 8,192 UTF-16 code units. */
export function checkKey(key: string): void {
  demand(typeof key === "string" && key !== "" && key.length <= MAX_KEY, "bad key");
}

/** A token, nonce or id: 1 to 128 visible ASCII characters. */
export function checkId(id: string): void {
  demand(typeof id === "string" && /^[!-~]{1,128}$/.test(id), "bad id");
}

/** At most 1,024 tags of together 65,536 UTF-16 code units. */
export function checkTags(tags: readonly string[]): void {
  let chars = 0;
  demand(Array.isArray(tags) && tags.length <= MAX_TAGS, "too many tags");
  for (const tag of tags) {
    demand(typeof tag === "string", "bad tag");
    chars += tag.length;
  }
  demand(chars <= MAX_TAG_CHARS, "tags too long");
}

/** A duration from 0 to FOREVER. */
export function checkMs(durationMs: number): void {
  demand(durationMs >= 0 && durationMs <= FOREVER, "bad duration");
}

function checkMeta(entry: EntryMeta): void {
  checkTags(entry.tags);
  for (const durationMs of [entry.ttlMs, entry.staleWhileRevalidateMs, entry.staleIfErrorMs]) checkMs(durationMs);
  for (const validator of [entry.etag ?? "", entry.lastModified ?? ""]) {
    demand(typeof validator === "string" && validator.length <= MAX_VALIDATOR, "bad validator");
  }
}

function checkBytes(bytes: Uint8Array): void {
  demand(bytes instanceof Uint8Array && bytes.length <= MAX_VALUE_BYTES, "bad value");
}

export function checkRead(request: ReadRequest): void {
  checkKey(request.key);
  checkMs(request.waitMs);
  if (request.lease === undefined) return;
  checkId(request.lease.token);
  checkMs(request.lease.leaseMs);
  checkTags(request.lease.scopes);
}

export function checkCommit(request: CommitRequest): void {
  checkKey(request.key);
  checkId(request.token);
  checkMeta(request.entry);
  if (!("keep" in request.entry)) checkBytes(request.entry.bytes);
}

export function checkWrite({ nonce, write }: WriteRequest): void {
  checkId(nonce);
  if ("tags" in write) return checkTags(write.tags);
  checkKey(write.key);
  if (write.kind !== "set") return;
  checkMeta(write.entry);
  checkBytes(write.entry.bytes);
}
