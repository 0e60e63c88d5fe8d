// Bytes to fewer bytes and back, by the streams of the runtime or by fflate; what is inflated stays within a bound.
import { CodecError } from "../errors.ts";
import { concat } from "./frame.ts";

/** What values are compressed with. Every runtime with CompressionStream has the first two. */
export type CompressionMethod = "gzip" | "deflate-raw" | "brotli" | "zstd";

/** A class whose objects inflate what is pushed and hand it to `ondata`, piece by piece. */
export type FflateStream = new (ondata: (chunk: Uint8Array, final: boolean) => void) => {
  push(chunk: Uint8Array, final?: boolean): void;
};

/**
 * What is used of the package fflate, for runtimes without CompressionStream. A bundle gets no more of it than what is
 * named: `import { deflateSync, Gunzip, gzipSync, Inflate } from "fflate"`.
 */
export interface Fflate {
  /** Compresses to gzip. */
  gzipSync(bytes: Uint8Array): Uint8Array;
  /** Compresses to raw deflate. */
  deflateSync(bytes: Uint8Array): Uint8Array;
  /** Decompresses gzip. */
  readonly Gunzip: FflateStream;
  /** Decompresses raw deflate. */
  readonly Inflate: FflateStream;
}

/** Whether the runtime has streams that compress. */
export const hasStreams = (): boolean => typeof CompressionStream === "function";

/** The two ends of a stream, typed by what the runtimes have in common. */
interface Ends {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** The stream that turns bytes into this format (or back), or undefined if the runtime has none. */
function streamOf(Stream: unknown, method: CompressionMethod): Ends | undefined {
  try {
    return new (Stream as new (method: string) => Ends)(method); // the types lag behind the runtimes
  } catch {
    return undefined; // it does not know the format: the caller says so, or takes another
  }
}

/** Compresses; with gzip where the runtime lacks the method. Resolves with the method used. */
export async function deflate(
  bytes: Uint8Array,
  method: CompressionMethod,
  fflate: Fflate | undefined,
): Promise<{ readonly method: CompressionMethod; readonly packed: Uint8Array }> {
  if (!hasStreams()) {
    return method === "deflate-raw"
      ? { method, packed: fflate!.deflateSync(bytes) } // without streams there is fflate: the options are checked
      : { method: "gzip", packed: fflate!.gzipSync(bytes) };
  }
  const stream = streamOf(CompressionStream, method);
  return stream
    ? { method, packed: await pump(bytes, stream) }
    : { method: "gzip", packed: await pump(bytes, streamOf(CompressionStream, "gzip")!) }; // all of them have gzip
}

/**
 * The inverse, which stops as soon as more than `limitBytes` came out. Throws a CodecError if this runtime cannot do it, and
 * whatever the decompressor throws for corrupt bytes.
 */
export async function inflate(
  packed: Uint8Array,
  method: CompressionMethod,
  limitBytes: number,
  fflate: Fflate | undefined,
): Promise<Uint8Array> {
  const stream = hasStreams() ? streamOf(DecompressionStream, method) : undefined;
  if (stream) return pump(packed, stream, limitBytes);
  const Stream = method === "gzip" ? fflate?.Gunzip : method === "deflate-raw" ? fflate?.Inflate : undefined;
  if (!Stream) throw new CodecError(`this runtime cannot decompress ${method}`);
  const sink = collector(limitBytes);
  const inflater = new Stream(sink.take);
  for (let at = 0; at < packed.length; at += SLICE) {
    inflater.push(packed.subarray(at, at + SLICE), at + SLICE >= packed.length);
  }
  return sink.all();
}

/** How much is decompressed at a time. DEFLATE makes at most 1,032 bytes of one, so this is 8.5 MB ahead of the bound. */
const SLICE = 8192;

function collector(limitBytes: number) {
  const parts: Uint8Array[] = [];
  let total = 0;
  return {
    take(chunk: Uint8Array): void {
      total += chunk.length;
      if (total > limitBytes) throw new CodecError(`more than ${limitBytes} bytes when decompressed`);
      parts.push(chunk);
    },
    all: () => concat(parts),
    total: () => total,
  };
}

/** Sends bytes through a stream. With a limit it is fed slice by slice, each one only when the last was read. */
async function pump(bytes: Uint8Array, { readable, writable }: Ends, limitBytes?: number): Promise<Uint8Array> {
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const sink = collector(limitBytes ?? Infinity);
  const slice = limitBytes === undefined ? bytes.length : SLICE;
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      sink.take(value);
    }
  };
  const write = async (): Promise<void> => {
    for (let at = 0; at < bytes.length; at += slice) {
      await writer.write(bytes.subarray(at, at + slice));
      if (at + slice < bytes.length) await drained(sink.total);
    }
    await writer.close();
  };
  try {
    await Promise.all([read(), write()]);
    return sink.all();
  } catch (cause) {
    const failed = (): void => undefined; // the stream: it says again what `cause` says
    writer.abort(cause).catch(failed);
    reader.cancel(cause).catch(failed);
    throw cause;
  }
}

/**
 * Waits until the reader has all there is. Some runtimes acknowledge a write when all that comes of it is in a buffer
 * without bounds, and hand it out 4 kB at a turn of their event loop; reading a body takes at least one such turn.
 */
async function drained(total: () => number): Promise<void> {
  for (let before = -1; before !== total();) {
    before = total();
    await new Response("x").arrayBuffer();
  }
}
