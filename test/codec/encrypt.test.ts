// encrypt: keys, rotation, the binding to an entry's place, and no secret in any message.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encrypt, type EncryptOptions } from "../../src/codec/encrypt.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { CodecError } from "../../src/errors.ts";
import { keyOf } from "./codecs.ts";

const [a, b] = [keyOf("a"), keyOf("b")];
const place = { cache: "shop", key: "user:1" };
const hint = { plain: true, ...place };
const sealing = (options: EncryptOptions) => encrypt(jsonCodec(), options);
const textOf = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);
const errorOf = (run: () => unknown): Error & { code?: string } => {
  try {
    run();
  } catch (error) {
    return error as Error; // only errors are thrown
  }
  return new Error("nothing was thrown");
};

describe("what encrypt writes", () => {
  it("shows the key's id and nothing of the value, and is never the same twice", async () => {
    const codec = sealing({ keys: { "2026-11": a } });
    const [one, two] = await Promise.all([codec.encode("a secret", hint), codec.encode("a secret", hint)]);
    expect(textOf(one).slice(0, 12)).toBe("ice\x01\x072026-11");
    expect(textOf(one)).not.toContain("secret");
    expect(textOf(one)).not.toBe(textOf(two));
    expect(one.length).toBe(two.length);
  });

  it("is what AES-256-GCM makes of the other codec's bytes, with format, id, cache and key as additional data", async () => {
    const bytes = await sealing({ keys: { k: a } }).encode([1], hint);
    const key = await crypto.subtle.importKey("raw", a, "AES-GCM", false, ["decrypt"]);
    const additionalData = new TextEncoder().encode('ice\x01["k","shop","user:1"]');
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: bytes.slice(6, 18), additionalData },
      key,
      bytes.slice(18),
    );
    expect(textOf(new Uint8Array(opened))).toBe("icj\x01[1]");
  });
});

describe("encrypt refuses", () => {
  const codec = sealing({ keys: { k: a } });

  it.each([
    ["another key of the same cache", { cache: "shop", key: "user:2" }],
    ["another cache", { cache: "other", key: "user:1" }],
    ["a place that looks alike when joined", { cache: "shopuser", key: ":1" }],
    ["no place at all", undefined],
  ])("what was written for one entry and is read for %s", async (_, elsewhere) => {
    const bytes = await codec.encode(1, hint);
    await expect(codec.decode(bytes, elsewhere)).rejects.toThrow(CodecError);
    expect(await codec.decode(bytes, place)).toBe(1);
  });

  it("every flipped bit", async () => {
    const bytes = await codec.encode("value", hint);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const flipped = bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        await expect(codec.decode(flipped, place)).rejects.toThrow(CodecError);
      }),
    );
  });

  it("what another key with the same id wrote", async () => {
    const bytes = await sealing({ keys: { k: b } }).encode(1, hint);
    await expect(codec.decode(bytes, place)).rejects.toThrow(/cannot be decrypted/);
  });

  it("what was stored before encryption was turned on: anybody could write that", async () => {
    const plain = await jsonCodec().encode({ admin: true });
    await expect(codec.decode(plain, place)).rejects.toThrow("unknown format: not encrypted");
  });
});

describe("rotation", () => {
  it("reads with the old key and writes with the new one, until the old one is removed", async () => {
    const before = await sealing({ keys: { old: a } }).encode("v", hint);
    const during = sealing({ keys: { old: a, new: b }, current: "new" });
    expect(await during.decode(before, place)).toBe("v");
    const after = await during.encode("v", hint);
    const alone = sealing({ keys: { new: b } });
    expect(await alone.decode(after, place)).toBe("v");
    await expect(alone.decode(before, place)).rejects.toThrow('encrypted with the key "old", which is not among keys');
  });
});

describe("keys", () => {
  const base64 = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => 255 - i)).toString("base64");
  const forms: Record<string, EncryptOptions["keys"]> = {
    "32 bytes": { k: Buffer.from(base64, "base64") },
    base64: { k: base64 },
    "base64url without padding": { k: Buffer.from(base64, "base64").toString("base64url") },
    "a function": () => ({ k: base64 }),
  };
  it.each(Object.entries(forms))("may be %s", async (_, keys) => {
    const bytes = await sealing({ keys: { k: base64 } }).encode(1, hint);
    expect(await sealing({ keys }).decode(bytes, place)).toBe(1);
  });

  it("may be CryptoKeys, of which old ones need only decrypt", async () => {
    const [both, reads] = await Promise.all(
      ([["encrypt", "decrypt"], ["decrypt"]] satisfies KeyUsage[][]).map((usages) =>
        crypto.subtle.importKey("raw", a, "AES-GCM", false, usages),
      ),
    );
    const bytes = await sealing({ keys: { k: both! } }).encode(1, hint); // there are two
    expect(await sealing({ keys: { k: reads!, n: b }, current: "n" }).decode(bytes, place)).toBe(1);
    expect(errorOf(() => sealing({ keys: { k: reads! } })).message).toMatch(/"k" lacks a usage/);
  });

  it("are copied: changing the bytes afterwards changes nothing", async () => {
    const mine = a.slice();
    const codec = sealing({ keys: { k: mine } });
    mine.fill(0);
    expect(await sealing({ keys: { k: a } }).decode(await codec.encode(1, hint), place)).toBe(1);
  });

  it("are asked for at first use if they are a function, once, and refused then", async () => {
    let calls = 0;
    const codec = sealing({ keys: () => (calls++, { k: a }) });
    expect(calls).toBe(0);
    await codec.decode(await codec.encode(1, hint), place);
    expect(calls).toBe(1);
    const missing = sealing({ keys: () => ({ k: undefined as unknown as string }) });
    await expect(missing.encode(1, hint)).rejects.toMatchObject({ code: "ISOCACHE_OPTION" });
  });

  const secret = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2";
  const wrong: Record<string, [unknown, RegExp]> = {
    "no options": [undefined, /an object with keys/],
    "a key in place of options": [secret, /an object with keys/],
    "no keys": [{}, /keys: undefined is not an object/],
    "a key in place of keys": [{ keys: secret }, /keys: undefined is not an object/],
    "an empty object": [{ keys: {} }, /current: it must name/],
    "31 bytes": [{ keys: { k: new Uint8Array(31) } }, /"k" has 31 bytes/],
    "33 bytes": [{ keys: { k: new Uint8Array(33) } }, /"k" has 33 bytes/],
    "text that is no base64": [{ keys: { k: `${secret}!` } }, /"k" is no base64/],
    "base64 of another length": [{ keys: { k: btoa(secret) } }, /"k" has 47 bytes/],
    "a number": [{ keys: { k: 5 } }, /"k" is something else/],
    "an array": [{ keys: { k: [secret] } }, /"k" is something else/],
    "a key as its own id": [{ keys: { [secret]: "k" } }, /what names a key/],
    "two keys and no current": [{ keys: { a, b } }, /one of a, b$/],
    "a current that is not there": [{ keys: { a, b }, current: "c" }, /one of a, b$/],
    "a current that objects inherit": [{ keys: { a, b }, current: "toString" }, /one of a, b$/],
    "a key as current": [{ keys: { a }, current: secret }, /current: undefined is not an id/],
    "an unknown option": [{ keys: { a }, key: secret }, /key: unknown option/],
  };
  it.each(Object.entries(wrong))("cannot be %s", (_, [options, message]) => {
    const error = errorOf(() => sealing(options as EncryptOptions)); // that is the point
    expect(error).toMatchObject({ code: "ISOCACHE_OPTION", message: expect.stringMatching(message) as string });
    const told = `${error.message} ${String(error.cause)} ${JSON.stringify(error)}`;
    expect(told).not.toContain("hunter2");
    expect(told).not.toContain("aHVudGVy");
  });
});
