// Event streams as they come from a network: in any pieces, with any ends of lines, and never without a bound.
import { describe, expect, test } from "vitest";
import { eventReader, lineReader, type StreamEvent } from "../src/event-stream.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The events of a stream that comes in pieces of so many bytes. */
function eventsOf(text: string, pieceBytes = Infinity, maxLength = 1_000): StreamEvent[] {
  const events: StreamEvent[] = [];
  const take = eventReader(maxLength, (event) => events.push(event));
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) take(bytes.subarray(at, at + pieceBytes));
  return events;
}

describe("an event stream", () => {
  test.each(["\n", "\r\n", "\r"])("is the same with %j at the end of lines, in pieces of every size", (end) => {
    const lines = [": hello", "id: 1", "event: a", "data: é€😀", "", "data:x", "data:  y", "", "", "data: \u2028", ""];
    const text = `\ufeff${lines.map((line) => line + end).join("")}`;
    for (let size = 1; size <= bytesOf(text).length; size++) {
      expect(eventsOf(text, size)).toEqual([
        { id: "1", type: "a", data: "é€😀" },
        { id: "1", type: "message", data: "x\n y" },
        { id: "1", type: "message", data: "\u2028" },
      ]);
    }
  });

  test("gives a line as soon as its end has come, a lone carriage return included", () => {
    const lines: string[] = [];
    const take = lineReader(100, (line) => lines.push(line));
    take(bytesOf("a\r"));
    expect(lines).toEqual(["a"]);
    take(bytesOf("\nb"));
    take(bytesOf("\r"));
    take(bytesOf("\r"));
    expect(lines).toEqual(["a", "b", ""]);
  });

  test("leaves out what has no data, fields that nobody knows, and ids with a zero byte", () => {
    expect(eventsOf("id: 1\n\nevent: a\n\nretry: 5\nother: 1\nid: \0\ndata\n\ndata: never ended")).toEqual([
      { id: "1", type: "message", data: "" },
    ]);
  });

  test("that is no UTF-8 is read with characters in place of what cannot be read", () => {
    const events: StreamEvent[] = [];
    const take = eventReader(100, (event) => events.push(event));
    take(Uint8Array.of(...bytesOf("data: "), 0xff, 0xc3, 10, 10));
    expect(events).toEqual([{ id: "", type: "message", data: "\ufffd\ufffd" }]);
  });

  test("is refused when a line or an event is too long, before its end has come", () => {
    expect(() => eventsOf("x".repeat(101), 1, 100)).toThrow("a line of an event stream is too long");
    expect(() => eventsOf(`${"data: 12345\n".repeat(10)}`, 7, 100)).toThrow("an event of an event stream is too long");
    expect(eventsOf(`${":\n".repeat(1_000)}${"data: 12345\n".repeat(9)}\n`, 7, 100)).toHaveLength(1);
  });

  test("of bytes that come one by one takes no longer for it", () => {
    const startedAt = performance.now();
    expect(() => eventsOf("x".repeat(200_001), 1, 200_000)).toThrow("too long");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
