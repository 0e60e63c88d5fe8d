// Storing a value that the caller has: checked, encoded, written, and kept in memory if nothing was newer.
import { hold } from "../codec/walk.ts";
import { CodecError } from "../errors.ts";
import type { ResolvedEntry } from "../options/entry.ts";
import { createCopy } from "./copy.ts";
import type { Engine, RequestScope } from "./engine.ts";
import { entryMeta, install, isStorable, optionsFor, sizeError } from "./install.ts";
import type { Scope } from "./names.ts";
import { writeKey } from "./write.ts";

/** What is set, and by whom. */
export interface Setting {
  readonly request: RequestScope;
  readonly scope: Scope;
  /** The stored key; `name` is what the user calls it. */
  readonly key: string;
  readonly name: string;
  readonly given: ResolvedEntry;
}

/** Rejects with a CodecError if the value cannot be carried, and with a StoreError if the write was not acknowledged. */
export async function setValue(engine: Engine, setting: Setting, value: unknown): Promise<void> {
  const { request, scope, key, name, given } = setting;
  const options = optionsFor(engine, given, value);
  options.signal?.throwIfAborted();
  const held = hold(value, engine.values);
  const stores = engine.store && options.store && options.ttlMs > 0;
  const fault = !isStorable(options, value)
    ? "undefined is stored only with negativeTtl"
    : (held.stream ?? (stores && held.uncarried));
  if (fault) throw new CodecError(`set ${JSON.stringify(name)}: ${fault}`);
  const meta = entryMeta(scope, options);
  const checkSize = (bytes: number): void => {
    const error = sizeError(options, name, bytes);
    if (error) throw error;
  };
  const sized = (bytes: Uint8Array): Uint8Array => {
    checkSize(bytes.length);
    return bytes;
  };
  const encoded = stores && engine.codec.encode(held.value, { ...held, cache: engine.name, key });
  // Not awaited here: from the moment it is asked for, reads must not see the old value (P5), nor later writes lose to it.
  const later = encoded instanceof Promise ? encoded.then(sized) : undefined;
  if (later) request.many?.waitFor(later);
  const bytes = encoded && !(encoded instanceof Promise) ? sized(encoded) : new Uint8Array();
  if (!encoded && options.ttlMs > 0) checkSize(held.bytes);
  const done = await writeKey(
    engine,
    request,
    // Without a store nothing is encoded: the write is a set all the same.
    encoded || !engine.store ? { kind: "set", key, entry: { ...meta, bytes } } : { kind: "delete", key },
    later,
  );
  if (!done) return;
  const { view, record, stamp, sentAt, ordered } = done;
  if (!options.memory || options.ttlMs === 0) return;
  const { seq, nonce } = record;
  const origin = {
    id: encoded ? nonce : "",
    epoch: stamp.epoch,
    version: seq,
    seq,
    provedAt: sentAt,
    ageMs: 0,
    freshForMs: options.ttlMs,
  };
  install(engine, key, createCopy(view, held, meta, origin, options.memoryTtlMs), ordered);
}
