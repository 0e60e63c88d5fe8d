// Replies of Redis as the REST API writes them: as JSON, as JSON with base64, or as they are.
import { encodeReply, textOf } from "../resp.ts";
import type { Reply } from "../resp.ts";
import type { Format } from "./request.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export function jsonAnswer(json: string, status = 200): Answer {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(json) };
}

const errorJson = (error: string): string => `{"error":${JSON.stringify(error)}}`;

export function errorAnswer(error: string, status = 400): Answer {
  return jsonAnswer(errorJson(error), status);
}

/** The value of a reply as JSON. Integers keep their digits; bytes that are not UTF-8 become U+FFFD. */
function jsonOf(reply: Reply, format: Format): string {
  switch (reply.type) {
    case "integer":
      return reply.digits;
    case "array":
      return reply.items === null ? "null" : `[${reply.items.map((item) => jsonOf(item, format)).join(",")}]`;
    case "status":
    case "error":
    case "bulk":
      if (reply.bytes === null) return "null";
      return JSON.stringify(reply.bytes.toString(format === "base64" ? "base64" : "utf8"));
  }
}

function resultJson(reply: Reply, format: Format): string {
  if (reply.type === "error") return errorJson(reply.bytes.toString());
  const isOk = reply.type === "status" && textOf(reply) === "OK";
  return `{"result":${isOk ? '"OK"' : jsonOf(reply, format)}}`;
}

const binaryAnswer = (replies: readonly Reply[], status: number): Answer => ({
  status,
  headers: { "content-type": "application/octet-stream" },
  body: Buffer.concat(replies.map(encodeReply)),
});

export function answerOne(reply: Reply, format: Format): Answer {
  const status = reply.type === "error" ? 400 : 200;
  return format === "resp2" ? binaryAnswer([reply], status) : jsonAnswer(resultJson(reply, format), status);
}

/** The replies of a pipeline or of a transaction that ran: what failed in it does not change the status. */
export function answerMany(replies: readonly Reply[], format: Format): Answer {
  if (format === "resp2") return binaryAnswer(replies, 200);
  return jsonAnswer(`[${replies.map((reply) => resultJson(reply, format)).join(",")}]`);
}
