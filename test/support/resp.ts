// RESP2, the protocol of Redis: commands and replies to bytes and back, whatever the bytes are.

/** What Redis answers. Texts are bytes: a script may put anything into a status or an error. */
export type Reply =
  | { readonly type: "status" | "error"; readonly bytes: Buffer }
  /** As its digits: 64 bits do not fit into a number. */
  | { readonly type: "integer"; readonly digits: string }
  | { readonly type: "bulk"; readonly bytes: Buffer | null }
  | { readonly type: "array"; readonly items: readonly Reply[] | null };

/** A command's name and arguments; strings are sent as UTF-8. */
export type Command = readonly (string | Uint8Array)[];

const CRLF = Buffer.from("\r\n");

export function encodeCommand(command: Command): Buffer {
  const parts = command.flatMap((argument) => {
    const bytes = Buffer.from(argument as Uint8Array); // or a string: both have an overload
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF];
  });
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...parts]);
}

/** The bytes that Redis sent for a reply: there is one way only to write it. */
export function encodeReply(reply: Reply): Buffer {
  switch (reply.type) {
    case "status":
      return Buffer.concat([Buffer.from("+"), reply.bytes, CRLF]);
    case "error":
      return Buffer.concat([Buffer.from("-"), reply.bytes, CRLF]);
    case "integer":
      return Buffer.from(`:${reply.digits}\r\n`);
    case "bulk":
      if (reply.bytes === null) return Buffer.from("$-1\r\n");
      return Buffer.concat([Buffer.from(`$${reply.bytes.length}\r\n`), reply.bytes, CRLF]);
    case "array":
      if (reply.items === null) return Buffer.from("*-1\r\n");
      return Buffer.concat([Buffer.from(`*${reply.items.length}\r\n`), ...reply.items.map(encodeReply)]);
  }
}

/** Where a reply ends and what it is; a number is how many bytes, at the least, are needed to say more. */
type Parsed = { readonly reply: Reply; readonly end: number } | number;

function parseArray(bytes: Buffer, start: number, count: number): Parsed {
  const items: Reply[] = [];
  let end = start;
  for (let index = 0; index < count; index++) {
    const item = parseReply(bytes, end);
    if (typeof item === "number") return item;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: { type: "array", items }, end };
}

function parseReply(bytes: Buffer, start: number): Parsed {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd < 0) return bytes.length + 1;
  const line = bytes.subarray(start + 1, lineEnd);
  const end = lineEnd + CRLF.length;
  const size = Number(line);
  switch (String.fromCharCode(bytes[start]!)) {
    case "+":
      return { reply: { type: "status", bytes: line }, end };
    case "-":
      return { reply: { type: "error", bytes: line }, end };
    case ":":
      return { reply: { type: "integer", digits: line.toString() }, end };
    case "$": {
      if (size === -1) return { reply: { type: "bulk", bytes: null }, end };
      const bulkEnd = end + size + CRLF.length;
      if (bytes.length < bulkEnd) return bulkEnd;
      return { reply: { type: "bulk", bytes: bytes.subarray(end, end + size) }, end: bulkEnd };
    }
    case "*":
      if (size === -1) return { reply: { type: "array", items: null }, end };
      return parseArray(bytes, end, size);
    default:
      throw new Error(`not RESP2: ${bytes.subarray(start, Math.min(lineEnd, start + 40)).toString("latin1")}`);
  }
}

/**
 * Reads a stream piece by piece: returns the replies that each piece completes. A command is an array of bulk strings,
 * so this reads what clients send, too. Throws for what is no RESP2.
 */
export function respReader(): (piece: Uint8Array) => Reply[] {
  let pieces: Uint8Array[] = [];
  let length = 0;
  // Nothing is joined or parsed before this much is there: a long string arrives in many pieces.
  let needed = 1;
  return (piece) => {
    pieces.push(piece);
    length += piece.length;
    if (length < needed) return [];
    const bytes = Buffer.concat(pieces);
    const replies: Reply[] = [];
    let start = 0;
    needed = 1;
    while (start < bytes.length) {
      const parsed = parseReply(bytes, start);
      if (typeof parsed === "number") {
        needed = parsed - start;
        break;
      }
      replies.push(parsed.reply);
      start = parsed.end;
    }
    pieces = [bytes.subarray(start)];
    length = bytes.length - start;
    return replies;
  };
}

/** The text of a reply that is one: a status, an error, a string, an integer. */
export function textOf(reply: Reply): string | undefined {
  if (reply.type === "integer") return reply.digits;
  return reply.type === "array" ? undefined : reply.bytes?.toString();
}
