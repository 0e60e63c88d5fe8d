// What must be the same on every runtime, byte for byte: frames, texts that are hard to write, signatures. Without a test framework.
import type { BusMessage } from "../../src/bus/contract.ts";
import { decodeFrame, encodeFrame, type Frame } from "../../src/bus/frame.ts";
import { createSigner } from "../../src/bus/sign.ts";
import { check, checkEqual } from "../../src/testing/expect.ts";

export const EPOCH = "1k5x0q8f7zaj.9m2cwv4tb";

/** One deleted key of 20 characters, as it is sent most of the time. */
export const oneKey: Frame = {
  source: "a8f0zk2mqp1x4c7vn5tb",
  number: 300,
  sentAt: 1_795_000_000_000,
  messages: [
    {
      kind: "records",
      partition: 0,
      partitions: 1,
      epoch: EPOCH,
      records: [{ seq: 4_321, nonce: "w4j9x0q8f7zaj9m2cwv4", expire: false, key: "Product_0000_0000_01", agoMs: 3 }],
    },
  ],
};

const records = (...covers: readonly object[]): BusMessage => ({
  kind: "records",
  partition: 1,
  partitions: 2,
  epoch: "e",
  records: covers.map((cover, index) => ({ seq: index + 1, nonce: "n", expire: false, agoMs: 0, ...cover })),
});

const bare = { source: "", number: 0, sentAt: 0 };

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

// Packed: 3 for one character, then its place in the alphabet times 1,600.
const n = "038fc0";
const frames: readonly (readonly [string, Frame, string])[] = [
  ["nothing", { ...bare, messages: [] }, "01 01 00 00 00"],
  [
    "the largest numbers",
    { source: "S", number: Number.MAX_SAFE_INTEGER, sentAt: Number.MAX_SAFE_INTEGER, messages: [] },
    "01 0253 ffffffffffffff0f ffffffffffffff0f 00",
  ],
  [
    "a record of each kind",
    {
      ...bare,
      messages: [
        records(
          { key: "k" },
          { key: "K", expire: true },
          { tags: ["#/T", "@"] },
          { tags: ["#"], expire: true },
          { tags: ["@", "@1:k"] },
        ),
      ],
    },
    `01 01 00 00 01 38 01 01 02 035780
     00 01 ${n} 00 037d00
     01 02 ${n} 00 024b
     02 03 ${n} 00 02 06232f54 0240
     03 04 ${n} 00 01 0223
     04 05 ${n} 00 02 01 070c1c`,
  ],
  [
    "a heartbeat",
    {
      ...bare,
      messages: [{ kind: "heartbeat", partitions: 2, positions: [{ partition: 1, epoch: "e", seq: 300, tip: "n" }] }],
    },
    `01 01 00 00 01 0b 02 02 01 035780 ac02 ${n}`,
  ],
];

const texts = {
  "no characters": "",
  "a zero byte": "\0",
  "line feeds": "\r\n\n",
  "a byte order mark": "\ufeffkey\ufeff",
  "characters of two, three and four bytes": "é€😀",
  "what is packed": "0123456789abcdefghijklmnopqrstuvwxyz.:-/",
  "upper case": "ABC",
  "the first character of the alphabet": "0000",
  "names of an object's members": "__proto__",
  "as much as fits": "x".repeat(98_000),
};

const secret = "0123456789abcdef";

/** printf 'isocache1:shop\\0\\001\\002\\003' | openssl dgst -sha256 -hmac 0123456789abcdef */
const SIGNATURE = "49a7474c0c271723acb18a2eef4ad48c66193d87dea1a80f730bfb1753ca0492";

/** Each rejects with what it found. */
export const vectors: readonly { readonly name: string; run(): Promise<void> }[] = [
  ...frames.map(([name, frame, bytes]) => ({
    name: `a frame with ${name}`,
    async run(): Promise<void> {
      checkEqual(hex(encodeFrame(frame)), bytes.replace(/\s/g, ""), "the bytes");
      checkEqual(decodeFrame(bytesOf(bytes.replace(/\s/g, ""))), { ...frame, unknown: 0 }, "the frame");
    },
  })),
  ...Object.entries(texts).map(([name, text]) => ({
    name: `text: ${name}`,
    async run(): Promise<void> {
      // Twice: what one text leaves in a decoder must not change the next.
      for (let times = 0; times < 2; times++) {
        const { source } = decodeFrame(encodeFrame({ ...bare, source: text, messages: [] }));
        check(source === text, `${JSON.stringify(source.slice(0, 40))} came out`);
      }
    },
  })),
  {
    name: "half a surrogate pair becomes U+FFFD",
    async run(): Promise<void> {
      const { source } = decodeFrame(encodeFrame({ ...bare, source: "a\ud800b\udc00", messages: [] }));
      checkEqual(source, "a\ufffdb\ufffd", "the text");
    },
  },
  {
    name: "a signature",
    async run(): Promise<void> {
      const { sign, verify } = createSigner({ secret, channel: "isocache1:shop" });
      const signed = await sign(Uint8Array.of(1, 2, 3));
      checkEqual(hex(signed), `ff${SIGNATURE}010203`, "the bytes");
      checkEqual(hex(await verify(signed)), "010203", "the frame");
      signed[signed.length - 1] = 4;
      const refused = await verify(signed).then(() => "nothing", String);
      check(/does not match/.test(refused), `changed bytes: ${refused}`);
    },
  },
];
