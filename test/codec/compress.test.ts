// compress: when it pays, what reads what, and bombs that are stopped while they stream.
import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import * as fflate from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { compress, type CompressOptions } from "../../src/codec/compress.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { CodecError, OptionError } from "../../src/errors.ts";

const HEADER = 13;
const text = (length: number): string => "lorem ipsum ".repeat(length / 12 + 1).slice(0, length);
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 2_654_435_761) ^ Math.imul(i * i, 40_503)) >>> 13);
const formatOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 3));
const squeeze = (options: CompressOptions = {}) => compress(jsonCodec(), { thresholdBytes: 0, ...options });

/** What `compress` would have written: method, size it promises, compressed bytes. */
function frame(method: number, sizeBytes: number, packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + packed.length);
  bytes.set([0x69, 0x63, 0x7a, 1, method]);
  new DataView(bytes.buffer).setUint32(5, sizeBytes, true);
  new DataView(bytes.buffer).setUint32(9, packed.length, true);
  bytes.set(packed, HEADER);
  return bytes;
}
const written = (length: number): Uint8Array => jsonCodec().encode(text(length)) as Uint8Array; // synchronous

afterEach(() => void vi.unstubAllGlobals());

describe("compress", () => {
  it("leaves values below 64 KiB as they are, synchronously", async () => {
    const codec = compress(jsonCodec());
    const small = codec.encode(text(60_000));
    expect(small).toBeInstanceOf(Uint8Array);
    expect(codec.decode(small as Uint8Array)).toBe(text(60_000));
    expect(formatOf(await codec.encode(text(70_000)))).toBe("icz");
  });

  it("leaves values as they are that shrink by less than 15 %, and tells how much by an option", async () => {
    const value = { noise: noise(80_000), text: text(12_000) };
    expect(formatOf(await squeeze().encode(value))).toBe("icx");
    expect(formatOf(await squeeze({ minGain: 0.05 }).encode(value))).toBe("icz");
    expect(formatOf(await squeeze({ minGain: 0 }).encode(noise(80_000)))).toBe("icx");
  });

  it("reads what was stored before it was turned on, and after it was turned off by its threshold", async () => {
    expect(await squeeze().decode(written(100))).toBe(text(100));
    const off = compress(jsonCodec(), { thresholdBytes: Infinity });
    const bytes = await squeeze().encode(text(100_000));
    expect(await off.decode(bytes)).toBe(text(100_000));
    expect(off.encode(text(100_000))).toEqual(written(100_000));
  });

  it.each([
    ["gzip", 0],
    ["deflate-raw", 1],
    ["brotli", 2],
  ] as const)("writes %s and names it in the header, so that any setting reads it", async (format, method) => {
    const bytes = await squeeze({ format }).encode(text(5_000));
    expect([bytes[4], bytes.length < 500]).toEqual([method, true]);
    expect(await squeeze().decode(bytes)).toBe(text(5_000));
  });

  it("writes gzip where the runtime does not know the format", async () => {
    const known = CompressionStream;
    vi.stubGlobal("CompressionStream", function (format: string) {
      if (format === "zstd") throw new TypeError("unsupported");
      return new known(format as CompressionFormat);
    });
    const bytes = await squeeze({ format: "zstd" }).encode(text(5_000));
    expect([bytes[4], await squeeze().decode(bytes)]).toEqual([0, text(5_000)]);
  });

  it("stores a value that is larger than it would decompress again as it is", async () => {
    const codec = squeeze({ maxBytes: 1_000 });
    expect(formatOf(await codec.encode(text(2_000)))).toBe("icj");
    expect(await codec.decode(await codec.encode(text(900)))).toBe(text(900));
  });

  it("is for every reader the same, in any order around the others", async () => {
    const bytes = await squeeze().encode(text(2_000));
    const wide = new Uint8Array(bytes.length + 7);
    wide.set(bytes, 3);
    expect(await squeeze().decode(wide.subarray(3, 3 + bytes.length))).toBe(text(2_000));
  });

  it("hands hint and place on", async () => {
    const seen: unknown[] = [];
    const inner = jsonCodec();
    const codec = compress(
      {
        name: "spy",
        encode: (value, hint) => (seen.push(hint), inner.encode(value)),
        decode: (bytes, place) => (seen.push(place), inner.decode(bytes)),
      },
      { thresholdBytes: 0 },
    );
    const [hint, place] = [{ plain: true }, { cache: "shop", key: "k" }];
    await codec.decode(await codec.encode(text(2_000), hint), place);
    expect(seen).toEqual([hint, place]);
  });
});

describe("compress refuses", () => {
  const packed = gzipSync(written(50_000));
  const size = written(50_000).length;
  const changed = (at: number): Uint8Array => packed.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const cases: Record<string, [Uint8Array, RegExp]> = {
    "a header cut short": [frame(0, 1, new Uint8Array()).subarray(0, 9), /truncated/],
    "fewer bytes than announced": [frame(0, size, packed).subarray(0, -1), /truncated/],
    "more bytes than announced": [new Uint8Array([...frame(0, size, packed), 0]), /something follows/],
    "a stream that is cut off": [frame(0, size, packed.subarray(0, -9)), /corrupt/],
    "a stream with something behind it": [frame(0, size, new Uint8Array([...packed, 7, 7])), /corrupt/],
    "a stream of something else": [frame(0, size, deflateRawSync(written(50_000))), /corrupt/],
    "a flipped bit in the data": [frame(0, size, changed(packed.length >> 1)), /corrupt|decompressed/],
    "a flipped bit in the checksum": [frame(0, size, changed(packed.length - 6)), /corrupt/],
    "a size that is too small": [frame(0, size - 1, packed), /more than \d+ bytes when decompressed/],
    "a size that is too large": [frame(0, size + 1, packed), /corrupt/],
    "a size beyond the bound": [frame(0, 2 ** 32 - 1, packed), /maxBytes is 33554432/],
    "a method that nobody knows": [frame(9, size, packed), /unknown method, number 9/],
    "a method that this runtime lacks": [frame(3, size, packed), /this runtime cannot decompress zstd/],
    "another format inside": [frame(0, 4, gzipSync(new TextEncoder().encode("ic?\x01"))), /unknown format/],
    "its own format inside": [frame(0, 4, gzipSync(new TextEncoder().encode("icz\x01"))), /unknown format/],
  };
  it.each(Object.entries(cases))("%s", async (_, [bytes, message]) => {
    const error: unknown = await Promise.resolve(squeeze().decode(bytes)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CodecError);
    expect((error as Error).message).toMatch(message);
  });

  const zeros = new Uint8Array(64 << 20);
  const bombs: Record<string, [number, Uint8Array]> = {
    gzip: [0, gzipSync(zeros)],
    "deflate-raw": [1, deflateRawSync(zeros)],
    brotli: [2, brotliCompressSync(zeros)],
  };
  it.each(Object.entries(bombs))("a bomb of %s as soon as it passes its bound", async (_, [method, bomb]) => {
    let out = 0;
    const Real = DecompressionStream;
    vi.stubGlobal("DecompressionStream", function (format: CompressionFormat) {
      const count = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          out += chunk.length;
          controller.enqueue(chunk);
        },
      });
      const { readable, writable } = new Real(format);
      return { writable, readable: readable.pipeThrough(count) };
    });
    const bytes = frame(method, 1 << 20, bomb);
    await expect(squeeze().decode(bytes)).rejects.toThrow("more than 1048576 bytes when decompressed");
    expect(out).toBeLessThan(2 << 20);
  });
});

describe("without CompressionStream", () => {
  const bare = (): void => {
    vi.stubGlobal("CompressionStream", undefined);
    vi.stubGlobal("DecompressionStream", undefined);
  };

  it.each(["gzip", "deflate-raw"] as const)("fflate writes and reads %s as the runtimes do", async (format) => {
    const theirs = await squeeze({ format }).encode(text(5_000));
    bare();
    const codec = squeeze({ format, fflate });
    const ours = await codec.encode(text(5_000));
    expect(ours[4]).toBe(theirs[4]);
    expect([await codec.decode(theirs), await codec.decode(ours)]).toEqual([text(5_000), text(5_000)]);
    vi.unstubAllGlobals();
    expect(await squeeze().decode(ours)).toBe(text(5_000));
  });

  it("fflate stops a bomb at its bound, and what it cannot read is a CodecError", async () => {
    const bomb = gzipSync(new Uint8Array(64 << 20));
    const brotli = await squeeze({ format: "brotli" }).encode(text(5_000));
    bare();
    const codec = squeeze({ fflate });
    await expect(codec.decode(frame(0, 1 << 20, bomb))).rejects.toThrow("more than 1048576 bytes when decompressed");
    await expect(codec.decode(brotli)).rejects.toThrow("this runtime cannot decompress brotli");
    await expect(codec.decode(frame(0, 99, bomb.subarray(0, 99)))).rejects.toThrow(CodecError);
    expect(formatOf(await squeeze({ format: "brotli", fflate }).encode(text(5_000)))).toBe("icz");
  });

  it("and without fflate it is an OptionError at creation", () => {
    bare();
    expect(() => compress(jsonCodec())).toThrow(OptionError);
    expect(() => compress(jsonCodec())).toThrow(/fflate, which compress needs/);
  });
});

describe("the options of compress", () => {
  it.each([
    [{ format: "lzma" }, 'format: "lzma" is not "gzip" or "deflate-raw" or "brotli" or "zstd"'],
    [{ thresholdBytes: "64 KiB" }, "thresholdBytes"],
    [{ maxBytes: -1 }, "maxBytes: -1 is not a size"],
    [{ minGain: 15 }, "minGain: 15 is not a number from 0 to 1"],
    [{ minGain: NaN }, "minGain"],
    [{ fflate: {} }, "fflate: an object is not gzipSync"],
    [{ fflate: null }, "fflate: null is not gzipSync"],
    [{ level: 9 }, "level: unknown option"],
  ])("refuse %j", (options, message) => {
    expect(() => compress(jsonCodec(), options as CompressOptions)).toThrow(message);
    expect(() => compress(jsonCodec(), options as CompressOptions)).toThrow(OptionError);
  });
});
