// Signatures: only who knows the secret, on the same channel, is listened to, and no message tells a secret.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES } from "../../src/bus/frame.ts";
import { createSigner, isFresh, SIGNATURE_BYTES } from "../../src/bus/sign.ts";
import { BusError } from "../../src/errors.ts";
import { SEED } from "./arbitraries.ts";
import { oneKey } from "./vectors.ts";

const channel = "isocache1:shop";
const [secret, older, other] = ["correct horse battery", "staple and something", "somebody else's secret"];
const signer = createSigner({ secret, channel });
const frame = encodeFrame(oneKey);
const unmatched = "bus frame: signature does not match";

/** What it rejects with. */
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "nothing",
    (error: unknown) => error,
  );

describe("a signed frame", () => {
  it("is 33 bytes longer, and comes out as it went in", async () => {
    const signed = await signer.sign(frame);
    expect([SIGNATURE_BYTES, signed.length - frame.length]).toEqual([33, 33]);
    expect(await signer.verify(signed)).toEqual(frame);
    expect(decodeFrame(await signer.verify(signed))).toEqual({ ...oneKey, unknown: 0 });
  });

  it(`comes out whatever it holds (seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await signer.verify(await signer.sign(bytes))).toEqual(bytes);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it("is told from an unsigned one where no secret is known", async () => {
    const signed = await signer.sign(frame);
    expect(() => decodeFrame(signed)).toThrow(new BusError("bus frame: signed, and no secret is known here"));
  });

  it("that is verified cannot be changed meanwhile or later", async () => {
    const signed = await signer.sign(frame);
    const verifying = signer.verify(signed);
    signed.fill(0);
    expect(await verifying).toEqual(frame);
  });

  it("of the largest size is taken, and nothing larger is looked at", async () => {
    const largest = new Uint8Array(MAX_FRAME_BYTES - SIGNATURE_BYTES);
    expect(await signer.verify(await signer.sign(largest))).toEqual(largest);
    const larger = await signer.sign(new Uint8Array(largest.length + 1));
    expect(await refusal(signer.verify(larger))).toEqual(new BusError("bus frame: 65537 bytes, more than 65536"));
  });
});

describe("while secrets are being changed", () => {
  const rotated = createSigner({ secret, previous: older, channel });
  const before = createSigner({ secret: older, channel });

  it("frames with the previous secret are taken, and new ones are signed with the current one", async () => {
    expect(await rotated.verify(await before.sign(frame))).toEqual(frame);
    expect(await rotated.verify(await rotated.sign(frame))).toEqual(frame);
    expect(await signer.verify(await rotated.sign(frame))).toEqual(frame);
    expect(await refusal(before.verify(await rotated.sign(frame)))).toEqual(new BusError(unmatched));
  });

  it("frames with neither are refused", async () => {
    const foreign = await createSigner({ secret: other, channel }).sign(frame);
    expect(await refusal(rotated.verify(foreign))).toEqual(new BusError(unmatched));
  });
});

describe("a frame is refused", () => {
  it.each([
    ["without a signature", frame, "bus frame: unsigned"],
    ["without anything", new Uint8Array(0), "bus frame: unsigned"],
    ["cut within the signature", Uint8Array.of(255, 1, 2), "bus frame: truncated"],
    ["with a signature of nothing", new Uint8Array(SIGNATURE_BYTES).fill(255), unmatched],
  ])("%s", async (_, bytes, what) => {
    expect(await refusal(signer.verify(bytes))).toEqual(new BusError(what));
  });

  it("that was signed with another secret", async () => {
    const foreign = await createSigner({ secret: other, channel }).sign(frame);
    expect(await refusal(signer.verify(foreign))).toEqual(new BusError(unmatched));
  });

  it.each(["isocache1:sho", "isocache1:shop2", "isocache1:", ""])(
    "that was signed for another channel, %j, with the same secret",
    async (elsewhere) => {
      const foreign = await createSigner({ secret, channel: elsewhere }).sign(frame);
      expect(await refusal(signer.verify(foreign))).toEqual(new BusError(unmatched));
    },
  );

  it("whose beginning was made to look like the end of another channel", async () => {
    // "ab" and the frame "c" are not "a" and the frame "bc".
    const signed = await createSigner({ secret, channel: "a" }).sign(new TextEncoder().encode("bc"));
    const moved = Uint8Array.from([...signed.subarray(0, SIGNATURE_BYTES), ...new TextEncoder().encode("c")]);
    expect(await refusal(createSigner({ secret, channel: "ab" }).verify(moved))).toEqual(new BusError(unmatched));
  });

  it("with any bit changed, or cut anywhere", async () => {
    const signed = await signer.sign(frame);
    for (let at = 0; at < signed.length; at++) {
      const changed = signed.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
      expect(await refusal(signer.verify(changed))).toBeInstanceOf(BusError);
      expect(await refusal(signer.verify(signed.subarray(0, at)))).toBeInstanceOf(BusError);
    }
  });

  it("and no refusal tells a secret", async () => {
    const told = createSigner({ secret, previous: older, channel });
    const foreign = await createSigner({ secret: other, channel }).sign(frame);
    for (const bytes of [frame, foreign, foreign.subarray(0, 9)]) {
      const error = (await refusal(told.verify(bytes))) as Error; // the tests above
      const text = `${String(error)} ${error.stack} ${JSON.stringify(error)}`;
      expect([secret, older, other].filter((each) => text.includes(each))).toEqual([]);
    }
    expect(JSON.stringify([signer, told])).not.toContain(secret);
  });
});

it("nothing is done when a signer is made: no key is imported, at module scope on Workers neither", async () => {
  const original = crypto.subtle;
  const imported: string[] = [];
  const counting = {
    importKey: (...given: Parameters<SubtleCrypto["importKey"]>) => {
      imported.push(String(given[0]));
      return original.importKey(...given);
    },
    sign: original.sign.bind(original),
    verify: original.verify.bind(original),
  };
  Object.defineProperty(crypto, "subtle", { configurable: true, value: counting });
  try {
    const { sign, verify } = createSigner({ secret, previous: older, channel });
    expect(imported).toEqual([]);
    const signed = await sign(frame);
    await verify(signed);
    expect(imported).toEqual(["raw"]);
    await refusal(verify(Uint8Array.from([...signed, 0])));
    await refusal(verify(Uint8Array.from([...signed, 0])));
    expect(imported).toEqual(["raw", "raw"]); // each secret once
  } finally {
    Reflect.deleteProperty(crypto, "subtle");
  }
  expect(crypto.subtle).toBe(original);
});

it.each([
  [1_000, 1_000, true],
  [1_000, 301_000, true],
  [1_000, 301_001, false],
  [301_000, 1_000, true],
  [301_001, 1_000, false],
  [0, 0, true],
])("a frame sent at %i is fresh at %i, within five minutes either way: %s", (sentAt, now, isTrue) => {
  expect(isFresh(sentAt, now, 300_000)).toBe(isTrue);
});
