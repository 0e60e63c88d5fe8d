// Sets with a codec that takes its time: honoured from the moment they are asked for, in the order in which they were (P5).
import { describe, expect, it } from "vitest";
import { jsonCodec } from "../../src/codec/json.ts";
import { createCache, memoryStore, type Cache, type Codec } from "../../src/index.ts";
import { virtualPlatform } from "../../src/testing/virtual-platform.ts";

/** Encodes a text in as many milliseconds as it has characters, and fails for one that begins with "bad". */
function slowCodec(platform: ReturnType<typeof virtualPlatform>): Codec {
  const inner = jsonCodec();
  return {
    ...inner,
    encode: async (value) => {
      const text = String(value);
      await new Promise<void>((resolve) => void platform.setTimeout(resolve, text.length));
      if (text.startsWith("bad")) throw new Error("cannot be encoded");
      return inner.encode(value);
    },
  };
}

interface World {
  readonly here: Cache;
  readonly there: Cache;
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
}

function createWorld(): World {
  const platform = virtualPlatform();
  const store = memoryStore();
  const make = (): Cache => createCache({ store, platform, codec: slowCodec(platform), maxStaleness: 0 });
  return { here: make(), there: make(), run: (promise) => platform.run(promise) };
}

const SLOW = "s".repeat(500);

describe("a set whose value is still being encoded", () => {
  it("already hides the old value from reads of this instance", async () => {
    const { here, run } = createWorld();
    await run(here.set("k", "old"));
    const setting = here.set("k", SLOW);
    expect(await run(here.get("k"))).toBe(SLOW);
    await run(setting);
  });

  it("does not come after a set that was asked for later", async () => {
    const { here, there, run } = createWorld();
    await run(Promise.all([here.set("k", SLOW), here.set("k", "later")]));
    expect([await run(here.get("k")), await run(there.get("k"))]).toEqual(["later", "later"]);
  });

  it.each<[string, (cache: Cache) => Promise<void>]>([
    ["delete", (cache) => cache.delete("k")],
    ["invalidateTags", (cache) => cache.invalidateTags(["t"])],
    ["clear", (cache) => cache.clear()],
    ["clear of its namespace", (cache) => cache.namespace("n").clear()],
  ])("does not survive a %s that was asked for later", async (name, remove) => {
    const { here, there, run } = createWorld();
    const [mine, other] = name.endsWith("namespace") ? [here.namespace("n"), there.namespace("n")] : [here, there];
    await run(Promise.all([mine.set("k", SLOW, { tags: ["t"] }), remove(here)]));
    expect([await run(mine.get("k")), await run(other.get("k"))]).toEqual([undefined, undefined]);
  });

  it("for longer than storeTimeout is overtaken by what was asked for later, and stores nothing", async () => {
    const { here, there, run } = createWorld();
    const setting = here.set("k", SLOW.repeat(10));
    await run(here.set("k", "later"));
    expect(await run(there.get("k"))).toBe("later");
    await run(setting);
    expect([await run(here.get("k")), await run(there.get("k"))]).toEqual(["later", "later"]);
  });

  it("holds up no write of another key", async () => {
    const { here, there, run } = createWorld();
    const setting = here.set("k", SLOW);
    await run(here.set("l", "quick"));
    expect(await run(there.get("l"))).toBe("quick");
    expect(await run(there.get("k"))).toBeUndefined();
    await run(setting);
    expect(await run(there.get("k"))).toBe(SLOW);
  });

  it("that cannot be encoded rejects, and leaves the old value and later writes alone", async () => {
    const { here, there, run } = createWorld();
    await run(here.set("k", "old"));
    const bad = here.set("k", "bad" + SLOW);
    const rejects = expect(bad).rejects.toThrow("cannot be encoded");
    const later = here.set("k", "new");
    await run(Promise.all([rejects, later]));
    expect(await run(there.get("k"))).toBe("new");
    await run(expect(here.set("k", "bad")).rejects.toThrow("cannot be encoded"));
    expect([await run(here.get("k")), await run(there.get("k"))]).toEqual(["new", "new"]);
  });

  it("is given up by close(), without a rejection that nobody hears", async () => {
    const { here, run } = createWorld();
    const setting = expect(here.set("k", "bad")).rejects.toThrow();
    await run(here.close());
    await run(setting);
  });
});
