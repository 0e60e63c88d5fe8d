// Bundles as a Workers user's bundler would, in memory.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";

/**
 * Bundles a piece of code. Resolves with its text, its sizes in bytes, and the files of which something is left in it
 * after tree shaking, relative to `folder`.
 */
export async function bundle(code, folder, options = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder, loader: "ts" },
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    outdir: folder,
    metafile: true,
    logLevel: "silent",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    ...options,
  });
  const { contents, text } = outputFiles[0];
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.keys(output.inputs).filter((path) => output.inputs[path].bytesInOutput > 0);
  return { text, inputs, minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}
