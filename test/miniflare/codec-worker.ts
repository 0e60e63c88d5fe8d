// A Worker that runs the codecs: cases of the conformance suite, and a bomb while it is decompressed.
import { compress } from "../../src/codec/compress.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { codecs } from "../codec/codecs.ts";

// At module scope, as users make them: Workers allow no I/O and no randomness here.
const made = new Map(Object.entries(codecs).map(([name, make]) => [name, make()]));

async function runCase(codec: string, index: number): Promise<void> {
  await codecConformance[index]!.run(made.get(codec)!); // the test asks for those there are
}

/** Decompresses a bomb of 32 MB under a bound of 1 MB; resolves with the compressed bytes it had taken when it stopped. */
async function bomb(): Promise<{ error: string; fed: number; size: number }> {
  const codec = compress(jsonCodec(), { thresholdBytes: 0, maxBytes: "64mb" });
  const bytes = await codec.encode("0".repeat(32 << 20));
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(5, 1 << 20, true); // the header's promise
  let fed = 0;
  const Real = DecompressionStream;
  const globals = globalThis as { DecompressionStream?: unknown };
  globals.DecompressionStream = function (format: "gzip") {
    const { readable, writable } = new Real(format);
    const writer = writable.getWriter();
    const counting = {
      write: (chunk: Uint8Array) => ((fed += chunk.length), writer.write(chunk)),
      close: () => writer.close(),
      abort: (reason: unknown) => writer.abort(reason),
    };
    return { readable, writable: { getWriter: () => counting } };
  };
  try {
    await codec.decode(bytes);
    return { error: "none", fed, size: bytes.length };
  } catch (error) {
    return { error: String(error), fed, size: bytes.length };
  } finally {
    globals.DecompressionStream = Real;
  }
}

function evaluates(): boolean {
  try {
    return Boolean(new Function("return true")());
  } catch {
    return false; // as it should be: that is what the codecs must do without
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/bomb") return Response.json(await bomb());
      if (pathname === "/eval") return Response.json(evaluates());
      await runCase(searchParams.get("codec") ?? "", Number(searchParams.get("case")));
      return new Response("ok");
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
