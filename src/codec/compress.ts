// Compression around another codec: large values that gain by it are stored compressed, the others as they are.
import { CodecError } from "../errors.ts";
import { parseSize, type Size } from "../options/durations.ts";
import { each, oneOf, type Parser, refuse, taking } from "../options/parse.ts";
import { deflate, type Fflate, hasStreams, inflate, type CompressionMethod } from "./compression.ts";
import type { Codec } from "./contract.ts";
import { BODY, COMPRESSED, concat, formatOf } from "./frame.ts";

/** The options of `compress`. */
export interface CompressOptions {
  /**
   * What to compress with. Default: "gzip", whose checksum finds corrupt bytes; "deflate-raw" is 18 bytes smaller and has
   * none. "brotli" and "zstd" work where the runtime's CompressionStream knows them, elsewhere gzip is written instead;
   * name one only if all instances that share the store can read it. What is read says itself what it is.
   */
  readonly format?: CompressionMethod | undefined;
  /** Values with fewer encoded bytes are stored as they are. Default: "64kb". Infinity: nothing is compressed, only read. */
  readonly thresholdBytes?: Size | undefined;
  /** A value is stored as it is unless compression saves this fraction of its bytes, from 0 to 1. Default: 0.15. */
  readonly minGain?: number | undefined;
  /**
   * No value is decompressed beyond this many bytes; one that is larger before compression is stored as it is, so that it can
   * be read again. Default: "32mb", since bytes, text and value of that size at once are what an isolate with 128 MB bears.
   */
  readonly maxBytes?: Size | undefined;
  /** The package fflate, used for gzip and deflate-raw where the runtime has no CompressionStream. Default: none. */
  readonly fflate?: Fflate | undefined;
}

interface Resolved {
  readonly format: CompressionMethod;
  readonly thresholdBytes: number;
  readonly minGain: number;
  readonly maxBytes: number;
  readonly fflate: Fflate | undefined;
}

/** As the header names them. Only ever added to. */
const METHODS: readonly CompressionMethod[] = ["gzip", "deflate-raw", "brotli", "zstd"];

const size: Parser = (name, value) => ({ [name]: parseSize(name, value) });
const isFflate = (value: unknown): boolean =>
  ["gzipSync", "deflateSync", "Gunzip", "Inflate"].every(
    (name) => typeof (value as Record<string, unknown> | null)?.[name] === "function", // also of no object
  );

const PARSERS: Readonly<Record<keyof CompressOptions, Parser>> = {
  format: oneOf(...METHODS),
  thresholdBytes: size,
  minGain: taking("a number from 0 to 1", (value) => typeof value === "number" && value >= 0 && value <= 1),
  maxBytes: size,
  fflate: taking("gzipSync, deflateSync, Gunzip and Inflate of the package fflate", isFflate),
};

function resolve(options: CompressOptions): Resolved {
  let resolved: Resolved = {
    format: "gzip",
    thresholdBytes: 64 * 1024,
    minGain: 0.15,
    maxBytes: 32 * 1024 ** 2,
    fflate: undefined,
  };
  each("compress", options, PARSERS, (parsed) => void (resolved = { ...resolved, ...parsed }));
  if (!hasStreams() && !resolved.fflate) {
    refuse("fflate", undefined, "the package fflate, which compress needs where the runtime has no CompressionStream");
  }
  return resolved;
}

// The header: format; method, 1 byte; size before and after compression, 4 bytes each, little-endian.
const METHOD = BODY;
const SIZE = METHOD + 1;
const PACKED_SIZE = SIZE + 4;
const HEADER = PACKED_SIZE + 4;

/**
 * Compresses what another codec writes: values of 64 KiB and more that shrink by at least 15 %. It reads those, and whatever
 * the other codec reads, such as values stored before compression was turned on. It is asynchronous only for values
 * that it compresses.
 *
 * Decompression stops at `maxBytes`, however much the bytes would become. What is truncated, has something after its end, or
 * was compressed in a way that this runtime cannot undo, is a CodecError. Throws an OptionError that names what is wrong, also
 * if there is nothing to compress with.
 *
 * Around `encrypt` it gains nothing: write `encrypt(compress(codec), ...)`.
 */
export function compress(codec: Codec, options: CompressOptions = {}): Codec {
  const { format, thresholdBytes, minGain, maxBytes, fflate } = resolve(options);

  const pack = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const { method, packed } = await deflate(bytes, format, fflate);
    if (HEADER + packed.length > (1 - minGain) * bytes.length) return bytes;
    const header = new Uint8Array(HEADER);
    header.set(new TextEncoder().encode(COMPRESSED));
    header[METHOD] = METHODS.indexOf(method);
    const view = new DataView(header.buffer);
    view.setUint32(SIZE, bytes.length, true);
    view.setUint32(PACKED_SIZE, packed.length, true);
    return concat([header, packed]);
  };

  const unpack = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const packed = bytes.subarray(HEADER);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const method = METHODS[bytes[METHOD] ?? METHODS.length];
    if (bytes.length < HEADER || view.getUint32(PACKED_SIZE, true) !== packed.length) {
      throw new CodecError("the compressed bytes are truncated, or something follows them");
    }
    if (!method) throw new CodecError(`compressed with an unknown method, number ${bytes[METHOD]}`);
    const sizeBytes = view.getUint32(SIZE, true);
    if (sizeBytes > maxBytes) throw new CodecError(`${sizeBytes} bytes when decompressed; maxBytes is ${maxBytes}`);
    const inner = await inflate(packed, method, sizeBytes, fflate).catch((cause: unknown) => {
      throw cause instanceof CodecError ? cause : new CodecError("the compressed bytes are corrupt", { cause });
    });
    if (inner.length !== sizeBytes) throw new CodecError("the compressed bytes are corrupt");
    return inner;
  };

  const wanted = (bytes: Uint8Array): boolean => bytes.length >= thresholdBytes && bytes.length <= maxBytes;
  const packed = (bytes: Uint8Array) => (wanted(bytes) ? pack(bytes) : bytes);
  return {
    name: `compress(${codec.name})`,
    encode(value, hint) {
      const bytes = codec.encode(value, hint);
      return bytes instanceof Uint8Array ? packed(bytes) : bytes.then(packed);
    },
    decode(bytes, place) {
      if (formatOf(bytes) !== COMPRESSED) return codec.decode(bytes, place);
      return unpack(bytes).then((inner) => codec.decode(inner, place));
    },
  };
}
