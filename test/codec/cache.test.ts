// Composed codecs in a cache: from one instance to another, through the store, which may be tampered with.
import { afterEach, describe, expect, it } from "vitest";
import { createCache, memoryStore, type Cache, type CacheEvents, type Codec, type Store } from "../../src/index.ts";
import { codecs } from "./codecs.ts";

const open: Cache[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((cache) => cache.close()))));

function instance(store: Store, codec: Codec, name = "shop"): { cache: Cache; errors: CacheEvents["error"][] } {
  const errors: CacheEvents["error"][] = [];
  const cache = createCache({ store, codec, name });
  cache.on("error", (event) => errors.push(event));
  open.push(cache);
  return { cache, errors };
}

/** A store that writes each set under another key. */
function moving(store: Store, to: string): Store {
  return {
    ...store,
    connect(options) {
      const connection = store.connect(options);
      return {
        ...connection,
        write: (partition, { write, ...rest }, call) =>
          connection.write(partition, { ...rest, write: write.kind === "set" ? { ...write, key: to } : write }, call),
      };
    },
  };
}

describe.each(Object.entries(codecs))("a cache with %s", (_, make) => {
  const value = { at: new Date(5), tags: new Set(["a"]), text: "x".repeat(3_000) };

  it("gives what another instance has set or loaded", async () => {
    const store = memoryStore();
    const [here, there] = [instance(store, make()), instance(store, make())];
    await here.cache.set("set", value);
    await here.cache.getOrSet("loaded", () => value);
    await here.cache.namespace("n").set("set", value.text);
    expect(await there.cache.get("set")).toEqual(value);
    expect(await there.cache.get("loaded")).toEqual(value);
    expect(await there.cache.namespace("n").get("set")).toEqual(value.text);
    expect([...here.errors, ...there.errors]).toEqual([]);
  });
});

describe("a cache with encrypt", () => {
  const make = codecs["encrypt(jsonCodec())"]!; // it is there

  it("takes what was moved from another key for a miss, loads and replaces it", async () => {
    const store = memoryStore();
    await instance(moving(store, "victim"), make()).cache.set("mine", { admin: true });
    const { cache, errors } = instance(store, make());
    expect(await cache.get("victim")).toBeUndefined();
    expect(errors).toMatchObject([{ operation: "decode", key: "victim", error: { code: "ISOCACHE_CODEC" } }]);
    expect(await cache.getOrSet("victim", () => "good")).toBe("good");
    expect(await instance(store, make()).cache.get("victim")).toBe("good");
  });
});
