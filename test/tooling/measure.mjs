// Holds one budget against what a bundler makes of it.
import { bundle } from "./bundle.mjs";

/** The sizes in bytes of a budget's bundle, and what is wrong with it, in words. Paths are relative to `folder`. */
export async function measure({ entry, limit, without, packages = [] }, folder) {
  try {
    const external = ["cloudflare:*", ...packages];
    const { minified, gzipped, inputs } = await bundle(entry, folder, { external });
    const faults = gzipped > limit ? [`${gzipped - limit} bytes over its limit`] : [];
    for (const path of inputs.filter((path) => without.some((start) => path.startsWith(start)))) {
      faults.push(`pulls in ${path}: import less, or move what is shared out of it`);
    }
    return { minified, gzipped, faults };
  } catch (error) {
    return { minified: 0, gzipped: 0, faults: [error.message] };
  }
}
