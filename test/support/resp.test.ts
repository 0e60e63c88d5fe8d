// RESP2: any reply survives the way there and back, in pieces of any size.
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { encodeCommand, encodeReply, respReader } from "./resp.ts";
import type { Reply } from "./resp.ts";

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const line = fc.array(fc.nat(255).filter((byte) => byte !== 13 && byte !== 10)).map((array) => Buffer.from(array));

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constantFrom("status" as const, "error" as const), bytes: line }),
    fc.record({ type: fc.constant("integer" as const), digits: fc.bigInt({ min: -(2n ** 63n) }).map(String) }),
    fc.record({ type: fc.constant("bulk" as const), bytes: fc.option(bytes) }),
    fc.record({ type: fc.constant("array" as const), items: fc.option(fc.array(tie("reply"), { maxLength: 4 })) }),
  ),
}));

test("replies are read as they were written, whatever pieces they arrive in", () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.array(fc.nat(30)), (replies, sizes) => {
      const all = Buffer.concat(replies.map(encodeReply));
      const read = respReader();
      const found: Reply[] = [];
      let start = 0;
      for (const size of sizes) {
        found.push(...read(all.subarray(start, start + size)));
        start = Math.min(all.length, start + size);
      }
      found.push(...read(all.subarray(start)));
      expect(found).toEqual(replies);
    }),
  );
});

test("a command is an array of strings, with lengths in bytes", () => {
  expect(encodeCommand(["SET", "ключ", Buffer.from([0, 13, 10, 255])]).toString("latin1")).toBe(
    `*3\r\n$3\r\nSET\r\n$8\r\n${Buffer.from("ключ").toString("latin1")}\r\n$4\r\n\0\r\n\xff\r\n`,
  );
});

test("a long string in many pieces is joined once, and what is no RESP2 is refused", () => {
  const read = respReader();
  expect(read(Buffer.from("$3000000\r\n"))).toEqual([]);
  const piece = Buffer.alloc(1_000, 7);
  const joined = vi.spyOn(Buffer, "concat");
  onTestFinished(() => void joined.mockRestore());
  for (let sent = 0; sent < 2_999; sent++) {
    expect(read(piece)).toEqual([]);
    expect(joined).not.toHaveBeenCalled();
  }
  expect(read(Buffer.concat([piece, Buffer.from("\r\n:1\r\n")]))).toHaveLength(2);
  expect(() => respReader()(Buffer.from("HTTP/1.1 200 OK\r\n"))).toThrow("not RESP2");
});
