// Encryption around another codec: AES-256-GCM by Web Crypto, keys by id, bytes bound to the entry they belong to.
import { CodecError, OptionError } from "../errors.ts";
import { each, type Parser, refuse, show } from "../options/parse.ts";
import type { Codec, CodecPlace } from "./contract.ts";
import { BODY, concat, ENCRYPTED, formatOf } from "./frame.ts";

/** 32 random bytes, as they are or in base64 (or base64url), or a CryptoKey for AES-GCM with 256 bits. */
export type EncryptionKey = Uint8Array | string | CryptoKey;

/**
 * Keys by id. An id is stored beside what its key encrypts: 1 to 32 printable ASCII characters, no secret, and never given to
 * another key.
 */
export type EncryptionKeys = Readonly<Record<string, EncryptionKey>>;

/** The options of `encrypt`. */
export interface EncryptOptions {
  /** All keys that can be met in the store, or a function that gives them at first use, when secrets are there. */
  readonly keys: EncryptionKeys | (() => EncryptionKeys);
  /** The id of the key that encrypts; the others only decrypt. Default: the only one there is. */
  readonly current?: string | undefined;
}

/** A key, not yet imported if it came as bytes. Never the promise of one: a request must not await another's. */
interface Key {
  readonly raw?: Uint8Array<ArrayBuffer>;
  imported?: CryptoKey;
}

interface Ring {
  readonly keys: ReadonlyMap<string, Key>;
  readonly current: string;
}

const TAKES = "32 bytes, their base64 text, or an AES-GCM CryptoKey of 256 bits";

// What is refused here is never quoted: it may be a secret, mistyped or in the wrong place.
const refuseKey = (id: string, why: string): never => {
  throw new OptionError(`keys: the key ${show(id)} ${why}; it must be ${TAKES}`);
};

function bytesOfText(id: string, text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return refuseKey(id, "is no base64"); // without a cause, which may quote the text
  }
}

function parseKey(id: string, key: unknown, encrypts: boolean): Key {
  const bytes = typeof key === "string" ? bytesOfText(id, key) : key;
  if (bytes instanceof Uint8Array) {
    if (bytes.length !== 32) refuseKey(id, `has ${bytes.length} bytes`);
    return { raw: new Uint8Array(bytes) };
  }
  // Whatever it is, it is checked here. On some runtimes nothing but its members tells a CryptoKey.
  const { algorithm, usages } = (bytes ?? {}) as { algorithm?: { name: string; length?: number }; usages?: string[] };
  if (algorithm?.name !== "AES-GCM" || algorithm.length !== 256) refuseKey(id, "is something else");
  if (!usages?.includes("decrypt") || (encrypts && !usages.includes("encrypt"))) refuseKey(id, "lacks a usage");
  return { imported: bytes as CryptoKey };
}

const ID = "an id of 1 to 32 printable ASCII characters";
/** Shorter than any text of 32 bytes, so that a secret in the place of an id is refused. */
const isId = (id: unknown): boolean => typeof id === "string" && /^[ -~]{1,32}$/.test(id);

function parseKeys(given: unknown, current: string | undefined): Ring {
  if (typeof given !== "object" || given === null) refuse("keys", undefined, "an object of keys by id");
  const entries = Object.entries(given);
  if (!entries.every(([id]) => isId(id))) throw new OptionError(`keys: what names a key is not ${ID}`);
  const id = current ?? (entries.length === 1 ? entries[0]![0] : "");
  if (!Object.hasOwn(given, id)) {
    throw new OptionError(
      `current: it must name the key that encrypts, one of ${entries.map(([id]) => id).join(", ")}`,
    );
  }
  return { keys: new Map(entries.map(([each, key]) => [each, parseKey(each, key, each === id)])), current: id };
}

const PARSERS: Readonly<Record<keyof EncryptOptions, Parser>> = {
  keys: (keys) => ({ keys }),
  current: (name, value) => (isId(value) ? { current: value } : refuse(name, undefined, ID)),
};

async function importKey(key: Key): Promise<CryptoKey> {
  // Two that come at once both import it, which does no harm.
  return (key.imported ??= await crypto.subtle.importKey(
    "raw",
    key.raw!, // what has none is imported
    "AES-GCM",
    false,
    ["encrypt", "decrypt"],
  ));
}

const IV_BYTES = 12;
const encoder = new TextEncoder();

/** Format and version, key id, cache and key. JSON lets no two places look alike, and writes any string. */
const additionalData = (id: string, { cache, key }: CodecPlace): Uint8Array<ArrayBuffer> =>
  encoder.encode(ENCRYPTED + JSON.stringify([id, cache ?? null, key ?? null])).slice();

/**
 * Encrypts what another codec writes with AES-256-GCM. The bytes are bound to the cache's name and the key: what was stored
 * under one key and is found under another, was changed, or was encrypted with a key that is not there, is a CodecError, and
 * with it a miss. So is everything that is not encrypted: turning encryption on is a cold start. Lengths and keys of entries,
 * tags and times stay readable to who can read the store, and who can write it can put an older value of the same entry back.
 *
 * To rotate: add the new key to `keys` on all instances, then make it `current`, and remove the old one when the longest ttl
 * (with its stale windows) has passed. Each value has a random IV of 96 bits: encrypt at most 2^32 values with one key
 * (NIST SP 800-38D, 8.3), which takes 136 years at one a second and 50 days at a thousand.
 *
 * Throws an OptionError that names the key's id, never the key; from the first use if `keys` is a function.
 */
export function encrypt(codec: Codec, options: EncryptOptions): Codec {
  if (typeof options !== "object") refuse("encrypt", undefined, "an object with keys");
  each("encrypt", options, PARSERS, () => undefined);
  const { keys, current } = options;
  let ring = typeof keys === "function" ? undefined : parseKeys(keys, current);
  const open = (): Ring => (ring ??= parseKeys((keys as () => unknown)(), current)); // an object has been parsed

  return {
    name: `encrypt(${codec.name})`,
    async encode(value, hint) {
      const { keys, current } = open();
      const plain = await codec.encode(value, hint);
      const key = await importKey(keys.get(current)!); // parseKeys saw it
      const id = encoder.encode(current);
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(current, hint ?? {}) };
      const sealed = await crypto.subtle.encrypt(algorithm, key, plain as Uint8Array<ArrayBuffer>); // no codec shares memory
      return concat([encoder.encode(ENCRYPTED), Uint8Array.of(id.length), id, iv, new Uint8Array(sealed)]);
    },
    async decode(bytes, place = {}) {
      if (formatOf(bytes) !== ENCRYPTED) throw new CodecError("unknown format: not encrypted");
      const { keys } = open();
      const start = BODY + 1;
      const end = start + (bytes[BODY] ?? 0);
      const id = new TextDecoder().decode(bytes.subarray(start, end));
      const found = keys.get(id);
      if (!found) throw new CodecError(`encrypted with the key ${show(id)}, which is not among keys`);
      const iv = bytes.slice(end, end + IV_BYTES);
      const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(id, place) };
      let plain: ArrayBuffer;
      try {
        plain = await crypto.subtle.decrypt(algorithm, await importKey(found), bytes.slice(end + IV_BYTES));
      } catch (cause) {
        throw new CodecError("cannot be decrypted: changed, of another entry, or of another key with this id", {
          cause,
        });
      }
      return codec.decode(new Uint8Array(plain), place);
    },
  };
}
