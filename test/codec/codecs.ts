// The codecs under test, alone and composed; in plain TypeScript, so that they run in Node and in workerd.
import { compress } from "../../src/codec/compress.ts";
import type { Codec } from "../../src/codec/contract.ts";
import { encrypt } from "../../src/codec/encrypt.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { msgpackCodec } from "../../src/codec/msgpack.ts";

/** Text of 32 bytes: a key for tests. */
export const keyOf = (char: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(char.repeat(32)).slice();
const keys = { old: keyOf("o"), new: keyOf("n") };
const sealed = (codec: Codec): Codec => encrypt(codec, { keys, current: "new" });

/** Zeros behind what another codec writes, so that compression pays for small values too. */
export const padded = (codec: Codec, padding = 2_000): Codec => ({
  name: codec.name,
  async encode(value, hint) {
    const bytes = await codec.encode(value, hint);
    const wide = new Uint8Array(bytes.length + padding);
    wide.set(bytes);
    return wide;
  },
  decode: (bytes, place) => codec.decode(bytes.subarray(0, Math.max(0, bytes.length - padding)), place),
});

const all = { thresholdBytes: 0 } as const;

export const codecs: Readonly<Record<string, () => Codec>> = {
  "jsonCodec()": jsonCodec,
  "msgpackCodec()": msgpackCodec,
  "compress(jsonCodec())": () => compress(padded(jsonCodec()), all),
  "compress(msgpackCodec())": () => compress(padded(msgpackCodec()), { ...all, format: "deflate-raw" }),
  "encrypt(jsonCodec())": () => sealed(jsonCodec()),
  "encrypt(compress(msgpackCodec()))": () => sealed(compress(padded(msgpackCodec()), all)),
  "compress(encrypt(jsonCodec()))": () => compress(padded(sealed(jsonCodec())), all),
};
