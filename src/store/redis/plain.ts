// Commands of the script over HTTP, which carries text, and at most one value as bytes. The prelude for that undoes it.

/** One command: EVALSHA or EVAL, the script, the number of keys, keys, arguments. */
export type Command = readonly (string | Uint8Array)[];

/** What a rewritten argument begins with, and no other one. */
const REWRITTEN = "\u0001";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What JSON or a path would lengthen or misread, and what is no UTF-8, in two bytes that stand for nothing else. */
function rewrite(bytes: Uint8Array): string {
  const codes = Uint16Array.from(bytes, (byte) => {
    const isPlain = byte > 0x1f && byte < 0x7f && byte !== 0x22 && byte !== 0x2f && byte !== 0x5c;
    return isPlain ? byte : 0x100 + byte;
  });
  return REWRITTEN + new TextDecoder("utf-16le").decode(codes);
}

/** The command without bytes: a value that is UTF-8 as it is, any other rewritten, in twice its length at most. */
export const toPlain = (command: Command): readonly string[] =>
  command.map((part) => {
    if (typeof part === "string") return part;
    try {
      const text = strict.decode(part);
      // Six characters for each zero byte are too much.
      if (!text.startsWith(REWRITTEN) && JSON.stringify(text).length < 2 * part.length + 100) return text;
    } catch {
      // No UTF-8.
    }
    return rewrite(part);
  });

/** The longest path that is trusted to arrive. */
const MAX_PATH = 4_000;

/** Not everybody decodes a slash after splitting at them, or lets an empty part be. */
const MISREAD = /^\.*$|\//;

/**
 * The path of a command whose last argument is its only value and travels as the body. None if there is no such value, or the
 * path might be misread. There is a slash in the script, so only EVALSHA has a path.
 */
export function toPath(command: Command): string | undefined {
  const start = 3 + Number(command[2]);
  const args = command.slice(start, -1);
  const body = command.at(-1);
  if (typeof body === "string" || !body?.length || body[0] === 1 || args.some((arg) => typeof arg !== "string")) {
    return undefined;
  }
  const parts = command.slice(1, start).map(String);
  if (parts.some((part) => MISREAD.test(part))) return undefined;
  parts.push(`#${body.length}`);
  for (const arg of args.map(String)) parts.push(MISREAD.test(arg) ? rewrite(encoder.encode(arg)) : arg);
  const path = `/evalsha/${parts.map(encodeURIComponent).join("/")}`;
  return path.length > MAX_PATH ? undefined : path;
}
