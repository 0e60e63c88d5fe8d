// Every codec, alone and composed: the shared cases, random values, and hostile bytes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adopt, hold } from "../../src/codec/walk.ts";
import { CodecError } from "../../src/errors.ts";
import { codecConformance } from "../../src/testing/codec-conformance.ts";
import { sameValue } from "../../src/testing/same-value.ts";
import { carriedValue } from "./arbitraries.ts";
import { codecs } from "./codecs.ts";

describe.each(Object.entries(codecs))("%s", (_, make) => {
  const codec = make();
  const place = { cache: "shop", key: "k" };

  it.each(codecConformance.map(({ name, run }) => [name, run] as const))("%s", (_, run) => run(codec));

  it("brings every carried value back, with the walk's hint and without", async () => {
    await fc.assert(
      fc.asyncProperty(carriedValue, fc.boolean(), async (value, hinted) => {
        const held = hold(value, "frozen");
        const bytes = await codec.encode(held.value, hinted ? { ...held, ...place } : { plain: false, ...place });
        expect(sameValue(await codec.decode(bytes, place), value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("answers random bytes and mutations of its own with a value or a CodecError", async () => {
    const mutation = fc.tuple(fc.nat(), fc.nat(255), fc.nat(2));
    await fc.assert(
      fc.asyncProperty(carriedValue, fc.array(mutation, { minLength: 1, maxLength: 4 }), async (value, mutations) => {
        const list = [...(await codec.encode(value))];
        for (const [at, byte, kind] of mutations) {
          list.splice(at % (list.length + 1), kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [byte]));
        }
        try {
          adopt(await codec.decode(Uint8Array.from(list)), "frozen");
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
