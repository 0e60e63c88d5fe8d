// What a codec is told about the place of its bytes: the cache's name and the stored key, the same on both ways.
import { expect, test } from "vitest";
import { jsonCodec } from "../../src/codec/json.ts";
import type { Codec, CodecPlace } from "../../src/codec/contract.ts";
import { createWorld } from "./world.ts";

/** The default codec, which writes down where it was told to be. */
function recording(places: CodecPlace[]): Codec {
  const { name, encode, decode } = jsonCodec();
  const note = (place: CodecPlace = {}): void => void places.push({ cache: place.cache, key: place.key } as CodecPlace);
  return {
    name,
    encode: (value, hint) => (note(hint), encode(value, hint)),
    decode: (bytes, place) => (note(place), decode(bytes)),
  };
}

test("a load, a set and a read of one entry name the same place, and no other entry's", async () => {
  const world = createWorld();
  const places: CodecPlace[] = [];
  const codec = recording(places);
  const { cache } = world.instance({ codec, name: "shop" });
  const reader = world.instance({ codec, name: "shop" }).cache;

  await world.run(cache.getOrSet("k", () => 1));
  await world.run(cache.set("k", 2));
  expect(await world.run(reader.get("k"))).toBe(2);
  expect(places.splice(0)).toEqual(Array.from({ length: 3 }, () => ({ cache: "shop", key: "k" })));

  await world.run(cache.namespace("a").set("k", 3));
  expect(await world.run(reader.namespace("a").get("k"))).toBe(3);
  const [written, read] = places;
  expect(read).toEqual(written);
  expect(written).toMatchObject({ cache: "shop", key: expect.not.stringMatching(/^k$/) as string });
});
