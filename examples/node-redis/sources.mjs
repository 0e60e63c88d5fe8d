// Lets `isocache` be the sources of this repository. Your project does not need this file: there, `npm i isocache` does it.
import { registerHooks } from "node:module";

const sources = { isocache: "../../src/index.ts", "isocache/redis": "../../src/store/redis.ts" };

registerHooks({
  resolve: (specifier, context, next) =>
    specifier in sources
      ? { url: new URL(sources[specifier], import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});
